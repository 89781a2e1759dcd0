/* loop_part.h: the WebSocket transport's state for each loop, and the objects that connections
 * borrow while they need them. */
#ifndef WS_TRANSPORT_WEBSOCKET_LOOP_PART_H
#define WS_TRANSPORT_WEBSOCKET_LOOP_PART_H

#include "core/transport/transport_side.h"
#include "transport/websocket/floods.h"

struct deflater;
struct frame_reader;
struct inflater;

enum { INFLATERS_MAX = 4 /* kept for each loop, 40 KiB each */ };

struct loop_part {
    struct frame_reader *readers; /* unused */
    unsigned n_readers;
    struct inflater *inflaters[INFLATERS_MAX]; /* unused */
    unsigned n_inflaters;
    struct deflater *deflater; /* NULL until it is needed */
    uint64_t queued_bytes;     /* of all clients' queues */
    struct floods floods;
    struct log_share logged_refusals;
};

/* Makes the part of a loop that has none yet; false if memory ran out. */
bool loop_part_make(ws_loop *loop);

/* Frees the part; the caller has freed its readers. */
void loop_part_free(ws_loop *loop);

/* The part of a loop that has one. */
static inline struct loop_part *loop_part_of(const ws_loop *loop)
{
    return loop->transport_part;
}

/* Borrows an inflater; NULL if memory ran out. */
struct inflater *loop_part_take_inflater(ws_loop *loop);

/* Gives an inflater back. NULL does nothing. */
void loop_part_give_inflater(ws_loop *loop, struct inflater *inflater);

#endif
