/* link.h: one connection to Redis through hiredis' asynchronous API. Replies are stored until the
 * caller takes them, so that hiredis' callbacks do no work of their own.
 *
 * It works with hiredis 0.14 and 1.x. Not here: which commands are sent (session.c, reader.c,
 * writer.c and others). */
#ifndef WS_REDIS_LINK_H
#define WS_REDIS_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hiredis/async.h>

#include "cluster/redis/command.h"
#include "cluster/redis/place.h"
#include "cluster/redis/reply_limit.h"
#include "cluster/redis/tls.h"
#include "cluster/redis/uri.h"

enum {
    LINK_MAX_REQUESTS = 64,
    LINK_ERROR_SIZE = 160,
    LINK_BLOCK_MS = 1000, /* how long Redis may block before it answers REQUEST_READ */
    LINK_SLOW = 10, /* a reply that arrives in pieces may take this many times the timeout */
    LINK_STEP_BYTES = 4096 /* link_may_take_long(): so much must be transferred in that time */
};

/* Which command a reply answers. */
enum request_kind {
    REQUEST_AUTH,     /* only an error matters, and it may repeat the password */
    REQUEST_GREETING, /* SELECT and other commands of which only an error matters */
    REQUEST_MULTI,    /* only an error matters */
    REQUEST_QUEUED,   /* a command after MULTI: only an error matters, EXEC has the result */
    REQUEST_ATTACH,
    REQUEST_PAGE,
    REQUEST_VALUES,
    REQUEST_READ,
    REQUEST_STATE,
    REQUEST_APPEND,
    REQUEST_FETCH,
    REQUEST_REMEMBER,
    REQUEST_RECALL,
    REQUEST_HEARTBEAT,
    REQUEST_NODES,
    REQUEST_ROLE,
    REQUEST_SENTINEL, /* AUTH on a sentinel: only an error matters, and it may repeat the
                         password */
    REQUEST_MASTER
};

struct link_request {
    enum request_kind kind;
    bool may_take_long;
    redisReply *reply; /* NULL until it arrives */
};

struct link {
    redisAsyncContext *context;  /* NULL: there is no connection */
    struct tls_store *tls_store; /* shared with other connections */
    struct ssl_st *tls;          /* owned by the context; NULL: no TLS */
    void (*watch)(int fd, int events, void *user_data);
    void *user_data;
    int fd;
    int events;        /* that hiredis waits for */
    int watched;       /* that `watch` was last called with */
    bool sends_asking; /* send ASKING before each command with keys, see link_send() */

    struct reply_limit reply_limit;

    uint64_t timeout_ms;  /* for connecting, and without data while a reply is awaited */
    uint64_t deadline_ms; /* WS_NO_DEADLINE: no reply is awaited */
    uint64_t limit_ms;    /* for the complete next reply, even if data keeps arriving */
    size_t written;       /* bytes since the last reply */
    size_t unsent;        /* of these, in the socket's buffer at the last look; 0: few */
    size_t counted;       /* of transferred(), those that have extended the limit */
    bool progressed;      /* data was sent or received since link_check() */
    bool replied;         /* a reply was received since link_check() */
    bool is_broken;       /* a reply was lost */
    bool is_slow;         /* a reply kept arriving, but took longer than its limit */

    struct link_request requests[LINK_MAX_REQUESTS]; /* a ring, the oldest first */
    size_t first;
    size_t count;
    size_t n_replied; /* of these, how many have their reply */

    char error[LINK_ERROR_SIZE]; /* why there is no connection */
};

/* A reply of more than max_reply_bytes closes the connection. `tls_store` must outlive the link. */
void link_init(struct link *link, void (*watch)(int fd, int events, void *user_data),
               void *user_data, struct tls_store *tls_store, size_t max_reply_bytes);

/* Starts connecting to `address`, an IP address of `place` or the path of a Unix socket, with
 * the TLS and timeout of `uri`. Looks up no name. False on failure, with the reason in
 * link->error. */
bool link_open(struct link *link, const struct uri *uri, const struct place *place,
               const char *address);
void link_close(struct link *link);

/* Reads and writes; the descriptor is ready for `events` (enum ws_redis_events). The connection
 * may be closed afterwards. */
void link_ready(struct link *link, int events);

/* Sends a command. Replies arrive in the order of the commands. False, with the reason in
 * link->error, if there is no connection or LINK_MAX_REQUESTS commands wait for their reply.
 *
 * While a slot of a Redis Cluster migrates, its new node executes only commands that follow
 * ASKING, or a transaction whose MULTI does. */
bool link_send(struct link *link, enum request_kind kind, const struct command *command,
               uint64_t now_ms);

/* The command that was sent last transfers as little as possible, for example a single event:
 * sending it again would not take less time. It may take as long as data keeps moving in either
 * direction, at least LINK_STEP_BYTES in LINK_SLOW timeouts. */
void link_may_take_long(struct link *link);

/* Takes the oldest reply, which the caller frees with freeReplyObject(). NULL if there is none. */
redisReply *link_take_reply(struct link *link, enum request_kind *kind);

/* False, with the reason in link->error, if the connection is closed or a deadline has passed. */
bool link_check(struct link *link, uint64_t now_ms);

/* Writes the commands that wait, and calls `watch` if the events to wait for have changed. */
void link_flush(struct link *link);

#endif
