/* floods.h: how many frames that carry next to nothing each client of a loop has sent in the
 * current second. Not here: which frames these are (frame_reader.c), and how many are too many
 * (receive.c).
 *
 * Counts are kept for the clients that sent such frames in this second alone, in one table, so that
 * an idle connection has nothing but its place in it, and no count outlives its second. */
#ifndef WS_TRANSPORT_WEBSOCKET_FLOODS_H
#define WS_TRANSPORT_WEBSOCKET_FLOODS_H

#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

struct flood_counts {
    const void *client;
    uint32_t control_frames;
    uint32_t continuation_frames; /* and empty ones */
};

struct floods {
    uint64_t second; /* of the loop's clock */
    struct flood_counts *items;
    size_t count;
    size_t capacity;
};

void floods_free(struct floods *floods, const ws_allocator *memory);

/* The client's counts of this second, zero if it has none yet, valid until the next call. `place` is
 * the client's, and 0 at first. NULL if memory ran out: then it can't be counted. */
struct flood_counts *floods_of(struct floods *floods, const ws_allocator *memory,
                               const void *client, uint32_t *place, uint64_t now_ms);

/* The client goes: another one may have the same address. */
void floods_forget(struct floods *floods, const void *client, uint32_t place);

#endif
