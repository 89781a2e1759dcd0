/* rooms.h: the rooms that one connection is in; finding, adding and removing one costs O(1).
 * Not here: the rooms' members (registry.h). */
#ifndef WS_CORE_ROOMS_H
#define WS_CORE_ROOMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"
#include "core/registry.h"

struct membership {
    struct share *share;
    uint32_t place; /* among the share's members */
};

struct rooms {
    struct membership *items; /* dense */
    uint32_t *index; /* open addressing: place in items + 1, or 0; NULL for few rooms */
    uint32_t count;
    uint32_t capacity;
    uint32_t index_mask; /* slots of the index - 1 */
};

static const uint32_t ROOMS_NONE = UINT32_MAX;

void rooms_free(struct rooms *rooms, const ws_allocator *memory);

/* The place of a share in items, or ROOMS_NONE. */
uint32_t rooms_find(const struct rooms *rooms, const struct share *share);

/* Adds it at the end; it must not be there yet. False if memory ran out. */
bool rooms_add(struct rooms *rooms, const ws_allocator *memory, struct membership membership);

/* Removes it; the last one moves to its place. Returns true if one moved. */
bool rooms_remove(struct rooms *rooms, uint32_t at);

#endif
