/* slots.h: a loop's connections by number, which is part of a connection's id.
 * Not here: ids (connection.h).
 *
 * Everyone is who is in a slot: a bit for each slot says so, so that a walk over all of them costs
 * next to nothing for those that are free. */
#ifndef WS_BASE_SLOTS_H
#define WS_BASE_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

struct connection;

enum { SLOTS_MAX = 1 << 24 };

static const uint32_t SLOT_NONE = UINT32_MAX;

union slot {
    struct connection *connection;
    uint32_t next_free; /* SLOT_NONE: the last */
};

struct slots {
    union slot *items;
    uint64_t *used; /* a bit for each slot */
    size_t count;   /* used or on the list of free ones */
    size_t capacity;
    uint32_t first_free;
};

void slots_init(struct slots *slots);
void slots_free(struct slots *slots, const ws_allocator *memory);

/* Makes room for one more; false if memory ran out or SLOTS_MAX is reached. */
bool slots_reserve(struct slots *slots, const ws_allocator *memory);

/* Takes a slot, for which room was reserved. */
uint32_t slots_take(struct slots *slots, struct connection *connection);
void slots_give_back(struct slots *slots, uint32_t number);

/* The connection in a slot, NULL if it is free or there is none of that number. */
struct connection *slots_find(const struct slots *slots, uint32_t number);

/* The used slot with the highest number below `number`, or SLOT_NONE. */
uint32_t slots_below(const struct slots *slots, uint32_t number);

#endif
