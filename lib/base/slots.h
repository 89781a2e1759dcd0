/* slots.h: a loop's connections, found by slot number, which is part of a connection's id.
 * Not here: ids (connection.h).
 *
 * One bit for each slot says whether it is used, so that iterating over all connections costs
 * almost nothing for free slots. */
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
    uint32_t next_free; /* SLOT_NONE: this is the last free slot */
};

struct slots {
    union slot *items;
    uint64_t *used; /* one bit for each slot */
    size_t count;   /* slots that are used or on the list of free slots */
    size_t capacity;
    uint32_t first_free;
};

void slots_init(struct slots *slots);
void slots_free(struct slots *slots, const ws_allocator *memory);

/* Makes room for one more connection; false if memory ran out or SLOTS_MAX is reached. */
bool slots_reserve(struct slots *slots, const ws_allocator *memory);

/* Takes a slot and returns its number. slots_reserve() must have succeeded. */
uint32_t slots_take(struct slots *slots, struct connection *connection);
void slots_give_back(struct slots *slots, uint32_t number);

/* The connection in a slot; NULL if the slot is free or does not exist. */
struct connection *slots_find(const struct slots *slots, uint32_t number);

/* The highest used slot below `number`, or SLOT_NONE. */
uint32_t slots_below(const struct slots *slots, uint32_t number);

#endif
