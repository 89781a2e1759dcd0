/* room_set.c: the set of rooms that one connection is in. */
#include "core/groups/room_set.h"

#include <string.h>

/* Up to this size a linear search, in a few cache lines, is as fast as an index. */
enum { MAX_WITHOUT_INDEX = 16 };

void rooms_free(struct rooms *rooms, const ws_allocator *memory)
{
    if (rooms->capacity > 0) {
        memory_free(memory, rooms->many.items);
        memory_free(memory, rooms->many.index);
    }
    *rooms = (struct rooms){.count = 0};
}

/* --- the index of many ------------------------------------------------------------------- */

/* Shares' addresses are not chosen by clients, so a plain multiplicative hash is enough. */
static uint32_t slot_of(const struct rooms *rooms, const struct share *share)
{
    return (uint32_t)((uintptr_t)share * UINT64_C(0x9e3779b97f4a7c15) >> 32) &
           rooms->many.index_mask;
}

static void index_insert(struct rooms *rooms, uint32_t at)
{
    uint32_t slot = slot_of(rooms, rooms->many.items[at].share);

    while (rooms->many.index[slot] != 0)
        slot = (slot + 1) & rooms->many.index_mask;
    rooms->many.index[slot] = at + 1;
}

static uint32_t index_slot(const struct rooms *rooms, uint32_t at)
{
    uint32_t slot = slot_of(rooms, rooms->many.items[at].share);

    while (rooms->many.index[slot] != at + 1)
        slot = (slot + 1) & rooms->many.index_mask;
    return slot;
}

/* Removes a slot and closes the gap, so that no search ends before its element (Knuth, TAOCP
 * 6.4 R). */
static void index_remove(struct rooms *rooms, uint32_t at)
{
    uint32_t *index = rooms->many.index;
    uint32_t mask = rooms->many.index_mask;
    uint32_t gap = index_slot(rooms, at);

    index[gap] = 0;
    for (uint32_t next = (gap + 1) & mask; index[next] != 0; next = (next + 1) & mask) {
        uint32_t home = slot_of(rooms, rooms->many.items[index[next] - 1].share);

        if (((next - home) & mask) >= ((next - gap) & mask)) {
            index[gap] = index[next];
            index[next] = 0;
            gap = next;
        }
    }
}

/* Builds the index anew, with at most half of its slots used. */
static bool make_index(struct rooms *rooms, const ws_allocator *memory, uint32_t capacity)
{
    uint32_t slots = 2 * MAX_WITHOUT_INDEX;
    uint32_t *index;

    while (slots < 2 * capacity)
        slots *= 2;
    index = memory_zalloc(memory, slots * sizeof *index);
    if (index == NULL)
        return false;
    memory_free(memory, rooms->many.index);
    rooms->many.index = index;
    rooms->many.index_mask = slots - 1;
    for (uint32_t at = 0; at < rooms->count; at++)
        index_insert(rooms, at);
    return true;
}

static uint32_t index_find(const struct rooms *rooms, const struct share *share)
{
    for (uint32_t slot = slot_of(rooms, share); rooms->many.index[slot] != 0;
         slot = (slot + 1) & rooms->many.index_mask) {
        uint32_t at = rooms->many.index[slot] - 1;

        if (rooms->many.items[at].share == share)
            return at;
    }
    return ROOMS_NONE;
}

/* --- few or many ------------------------------------------------------------------------- */

struct share *rooms_share(const struct rooms *rooms, uint32_t at)
{
    return rooms->capacity > 0 ? rooms->many.items[at].share : rooms->few.share[at];
}

struct room_place rooms_place(const struct rooms *rooms, uint32_t at)
{
    return rooms->capacity > 0 ? rooms->many.items[at].place : rooms->few.place[at];
}

void rooms_set_place(struct rooms *rooms, uint32_t at, struct room_place place)
{
    if (rooms->capacity > 0)
        rooms->many.items[at].place = place;
    else
        rooms->few.place[at] = place;
}

uint32_t rooms_find(const struct rooms *rooms, const struct share *share)
{
    if (rooms->capacity > 0 && rooms->many.index != NULL)
        return index_find(rooms, share);
    for (uint32_t at = 0; at < rooms->count; at++)
        if (rooms_share(rooms, at) == share)
            return at;
    return ROOMS_NONE;
}

/* Switches from `few` to `many`. */
static bool make_many(struct rooms *rooms, const ws_allocator *memory)
{
    size_t capacity = 0;
    struct membership *items = memory_grow(memory, NULL, sizeof *items, 0, 6, &capacity);

    if (items == NULL)
        return false;
    for (uint32_t at = 0; at < rooms->count; at++)
        items[at] = (struct membership){rooms->few.share[at], rooms->few.place[at]};
    rooms->capacity = (uint32_t)capacity;
    rooms->many.items = items;
    rooms->many.index = NULL;
    rooms->many.index_mask = 0;
    return true;
}

static bool reserve_many(struct rooms *rooms, const ws_allocator *memory)
{
    size_t capacity = rooms->capacity;
    struct membership *items =
        memory_grow(memory, rooms->many.items, sizeof *items, rooms->count, 6, &capacity);

    if (items == NULL)
        return false;
    rooms->many.items = items;
    rooms->capacity = (uint32_t)capacity;
    return rooms->count < MAX_WITHOUT_INDEX ||
           (rooms->many.index != NULL &&
            2 * (rooms->count + 1) <= rooms->many.index_mask + 1) ||
           make_index(rooms, memory, 2 * rooms->count);
}

bool rooms_add(struct rooms *rooms, const ws_allocator *memory, struct membership membership)
{
    uint32_t at = rooms->count;

    if (rooms->capacity == 0 && at < ROOMS_FEW) {
        rooms->few.share[at] = membership.share;
        rooms->few.place[at] = membership.place;
        rooms->count++;
        return true;
    }
    if ((rooms->capacity == 0 && !make_many(rooms, memory)) || !reserve_many(rooms, memory))
        return false;
    rooms->many.items[at] = membership;
    rooms->count++;
    if (rooms->many.index != NULL)
        index_insert(rooms, at);
    return true;
}

void rooms_remove(struct rooms *rooms, uint32_t at)
{
    uint32_t last = rooms->count - 1;

    if (rooms->capacity == 0) {
        rooms->few.share[at] = rooms->few.share[last];
        rooms->few.place[at] = rooms->few.place[last];
        rooms->count = last;
        return;
    }
    if (rooms->many.index != NULL) {
        index_remove(rooms, at);
        if (at != last)
            rooms->many.index[index_slot(rooms, last)] = at + 1;
    }
    rooms->many.items[at] = rooms->many.items[last];
    rooms->count = last;
}
