/* loop_part.h: the WebSocket transport's state for each loop, and the objects that connections
 * borrow while they need them. */
#ifndef WS_TRANSPORT_WEBSOCKET_LOOP_PART_H
#define WS_TRANSPORT_WEBSOCKET_LOOP_PART_H

#include "core/transport/transport_side.h"
#include "transport/websocket/floods.h"

struct frame_reader;
struct inflater;

enum {
    INFLATERS_MAX = 4, /* kept for each loop, 40 KiB each */

    /* Messages of a loop's clients that are inflated in turns at a time, with 40 KiB and up to
     * max_message_bytes each. Those that wait for that have only the bytes that their client
     * sent. */
    INFLATING_MAX = 32
};

struct loop_part {
    struct frame_reader *readers; /* unused */
    unsigned n_readers;
    struct inflater *inflaters[INFLATERS_MAX]; /* unused */
    unsigned n_inflaters;
    unsigned n_inflating; /* inflaters in use */
    struct floods floods;
};

/* Makes the part of a loop that has none yet; false if memory ran out. */
bool loop_part_make(ws_loop *loop);

/* Frees the part; the caller has freed its readers. */
void loop_part_free(ws_loop *loop);

/* The part of a loop that has one. */
static inline struct loop_part *loop_part_of(const ws_loop *loop)
{
    return loop->parts[PART_WEBSOCKET];
}

/* Whether another message may be inflated now. */
static inline bool loop_part_may_inflate(const ws_loop *loop)
{
    return loop_part_of(loop)->n_inflating < INFLATING_MAX;
}

/* Borrows an inflater; NULL if memory ran out. */
struct inflater *loop_part_take_inflater(ws_loop *loop);

/* Gives an inflater back. NULL does nothing. */
void loop_part_give_inflater(ws_loop *loop, struct inflater *inflater);

#endif
