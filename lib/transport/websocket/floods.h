/* floods.h: counts the frames with next to no payload that each client of a loop has sent in
 * the current second. Not here: which frames these are (frame_rules.c), and the limits
 * (input.c).
 *
 * Counts exist only for the clients that sent such frames in this second, in one table, so that
 * an idle connection stores only its place in the table, and no count outlives its second. */
#ifndef WS_TRANSPORT_WEBSOCKET_FLOODS_H
#define WS_TRANSPORT_WEBSOCKET_FLOODS_H

#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

struct flood_counts {
    const void *client;
    uint32_t control_frames;
    uint32_t continuation_frames; /* including empty ones */
};

struct floods {
    uint64_t second; /* of the loop's clock */
    struct flood_counts *items;
    size_t count;
    size_t capacity;
};

void floods_free(struct floods *floods, const ws_allocator *memory);

/* Returns the client's counts of this second, zero at first, valid until the next call. `place`
 * is kept by the client and 0 initially. NULL if memory ran out and the client cannot be
 * counted. */
struct flood_counts *floods_of(struct floods *floods, const ws_allocator *memory,
                               const void *client, uint32_t *place, uint64_t now_ms);

/* Forgets a client that ends: another client may get its address. */
void floods_forget(struct floods *floods, const void *client, uint32_t place);

#endif
