/* rooms.c: the rooms that one connection is in; finding, adding and removing one costs O(1). */
#include "core/rooms.h"

#include <string.h>

/* Up to here a walk over items, which are in one or two cache lines, is as fast as an index. */
enum { FEW_ROOMS = 16 };

void rooms_free(struct rooms *rooms, const ws_allocator *memory)
{
    memory_free(memory, rooms->items);
    memory_free(memory, rooms->index);
    *rooms = (struct rooms){0};
}

/* Shares' addresses are not chosen by clients, so a plain multiplicative hash is enough. */
static uint32_t slot_of(const struct rooms *rooms, const struct share *share)
{
    return (uint32_t)((uintptr_t)share * UINT64_C(0x9e3779b97f4a7c15) >> 32) &
           rooms->index_mask;
}

static void index_insert(struct rooms *rooms, uint32_t at)
{
    uint32_t slot = slot_of(rooms, rooms->items[at].share);

    while (rooms->index[slot] != 0)
        slot = (slot + 1) & rooms->index_mask;
    rooms->index[slot] = at + 1;
}

static uint32_t index_slot(const struct rooms *rooms, uint32_t at)
{
    uint32_t slot = slot_of(rooms, rooms->items[at].share);

    while (rooms->index[slot] != at + 1)
        slot = (slot + 1) & rooms->index_mask;
    return slot;
}

/* Closes the gap, so that no search ends before its element (Knuth, TAOCP 6.4 R). */
static void index_remove(struct rooms *rooms, uint32_t at)
{
    uint32_t mask = rooms->index_mask;
    uint32_t gap = index_slot(rooms, at);

    rooms->index[gap] = 0;
    for (uint32_t next = (gap + 1) & mask; rooms->index[next] != 0; next = (next + 1) & mask) {
        uint32_t home = slot_of(rooms, rooms->items[rooms->index[next] - 1].share);

        if (((next - home) & mask) >= ((next - gap) & mask)) {
            rooms->index[gap] = rooms->index[next];
            rooms->index[next] = 0;
            gap = next;
        }
    }
}

/* At most half of the slots are used. */
static bool make_index(struct rooms *rooms, const ws_allocator *memory, uint32_t capacity)
{
    uint32_t slots = 2 * FEW_ROOMS;
    uint32_t *index;

    while (slots < 2 * capacity)
        slots *= 2;
    index = memory_zalloc(memory, slots * sizeof *index);
    if (index == NULL)
        return false;
    memory_free(memory, rooms->index);
    rooms->index = index;
    rooms->index_mask = slots - 1;
    for (uint32_t at = 0; at < rooms->count; at++)
        index_insert(rooms, at);
    return true;
}

uint32_t rooms_find(const struct rooms *rooms, const struct share *share)
{
    if (rooms->index == NULL) {
        for (uint32_t at = 0; at < rooms->count; at++)
            if (rooms->items[at].share == share)
                return at;
        return ROOMS_NONE;
    }
    for (uint32_t slot = slot_of(rooms, share); rooms->index[slot] != 0;
         slot = (slot + 1) & rooms->index_mask) {
        uint32_t at = rooms->index[slot] - 1;

        if (rooms->items[at].share == share)
            return at;
    }
    return ROOMS_NONE;
}

bool rooms_add(struct rooms *rooms, const ws_allocator *memory, struct membership membership)
{
    size_t capacity = rooms->capacity;
    struct membership *items =
        memory_grow(memory, rooms->items, sizeof *items, rooms->count, 2, &capacity);

    if (items == NULL)
        return false;
    rooms->items = items;
    rooms->capacity = (uint32_t)capacity;
    if (rooms->count >= FEW_ROOMS &&
        (rooms->index == NULL || 2 * (rooms->count + 1) > rooms->index_mask + 1) &&
        !make_index(rooms, memory, 2 * rooms->count))
        return false;
    rooms->items[rooms->count++] = membership;
    if (rooms->index != NULL)
        index_insert(rooms, rooms->count - 1);
    return true;
}

bool rooms_remove(struct rooms *rooms, uint32_t at)
{
    uint32_t last = rooms->count - 1;

    if (rooms->index != NULL) {
        index_remove(rooms, at);
        if (at != last)
            rooms->index[index_slot(rooms, last)] = at + 1;
    }
    rooms->count--;
    if (at == last)
        return false;
    rooms->items[at] = rooms->items[last];
    return true;
}
