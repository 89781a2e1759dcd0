/* shared_part.h: what the transports inside the library have in common for each loop. */
#ifndef WS_TRANSPORT_SHARED_SHARED_PART_H
#define WS_TRANSPORT_SHARED_SHARED_PART_H

#include "core/transport/transport_side.h"

struct deflater;
struct kept_head;
struct session_work;
struct unfinished;

/* Sessions without a socket (engineio/unconnected.h). */
struct session_list {
    struct session_work *oldest; /* NULL: the list is empty */
    struct session_work *newest;
    uint32_t count;
};

enum { CLIENT_CLASSES = 128 };

/* Sessions without a socket, by their clients: a class has all sessions of a client, and may have
 * several clients. */
struct session_lists {
    struct session_list of_class[CLIENT_CLASSES];
    uint32_t count; /* of all classes */
};

/* The heads that sessions keep (engineio/heads.h), of a class of clients. */
struct head_list {
    size_t bytes;             /* of those that may give way */
    struct kept_head *oldest; /* of these; NULL: there is none */
    struct kept_head *newest;
};

struct head_lists {
    struct head_list of_class[CLIENT_CLASSES];
    size_t bytes; /* of all heads */
};

/* What clients have not completed (unfinished.h). */
struct unfinished_list {
    struct unfinished *oldest; /* NULL: the list is empty */
    struct unfinished *newest;
    unsigned count;
    uint64_t bytes; /* of all */
};

struct shared_part {
    struct deflater *deflater; /* NULL until it is needed */
    uint64_t queued_bytes;     /* of all clients' queues */
    uint32_t n_queues;         /* clients' queues that are not empty */
    uint32_t n_unfetched;      /* sessions that ended, with a rest for their clients */
    uint32_t n_opened;         /* by which first intervals are spread; wraps around */
    struct session_lists unconnected[2]; /* on polling, on WebSockets */
    struct head_lists heads;
    struct unfinished_list unfinished;
    struct log_limit logged_refusals;
    struct log_limit logged_binaries; /* messages that cannot be sent to clients of text */
};

/* Makes the part of a loop, unless it has one; false if memory ran out. The loop frees it after
 * the parts of the transports. */
bool shared_part_make(ws_loop *loop);

/* The part of a loop that has one. */
static inline struct shared_part *shared_part_of(const ws_loop *loop)
{
    return loop->parts[PART_SHARED];
}

/* The loop's deflater; NULL if memory ran out. */
struct deflater *shared_part_deflater(ws_loop *loop);

/* How long a client's first ping or heartbeat waits: half of the interval or more, so that clients
 * that connect together do not all get it at once. */
uint32_t shared_part_first_interval(ws_loop *loop, uint32_t interval_ms);

#endif
