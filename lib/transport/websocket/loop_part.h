/* loop_part.h: what the WebSocket transport keeps for each loop: what connections borrow while they
 * need it. */
#ifndef WS_TRANSPORT_WEBSOCKET_LOOP_PART_H
#define WS_TRANSPORT_WEBSOCKET_LOOP_PART_H

#include "core/loop.h"

struct frame_reader;

struct loop_part {
    struct frame_reader *readers; /* unused */
    unsigned n_readers;
};

/* Makes the loop's part, if there is none yet; false if memory ran out. */
bool loop_part_make(ws_loop *loop);

/* Of a loop that has one. */
static inline struct loop_part *loop_part_of(const ws_loop *loop)
{
    return loop->transport_part;
}

#endif
