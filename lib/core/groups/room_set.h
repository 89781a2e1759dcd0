/* room_set.h: the rooms that one connection is in; finding, adding and removing one costs O(1).
 * Not here: the rooms' members (registry.h). */
#ifndef WS_CORE_GROUPS_ROOM_SET_H
#define WS_CORE_GROUPS_ROOM_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"
#include "core/groups/registry.h"

enum { ROOMS_FEW = 2 }; /* up to this number no allocation is needed */

struct room_place {
    uint32_t at : 31;        /* among the share's members */
    uint32_t is_counted : 1; /* the connection counts for presence in the room */
};

struct membership {
    struct share *share;
    struct room_place place;
};

/* Its loop's thread may read it without the manager's lock, under which it is changed; the places,
 * which other threads change, with the lock alone. */
struct rooms {
    union {
        struct {
            struct share *share[ROOMS_FEW];
            struct room_place place[ROOMS_FEW];
        } few;
        struct {
            struct membership *items; /* dense */
            uint32_t *index;          /* open addressing: item + 1, or 0; NULL: linear search */
            uint32_t index_mask;      /* number of slots of the index - 1 */
        } many;
    };
    uint32_t count;
    uint32_t capacity; /* of many.items; 0: `few` is used */
};

static const uint32_t ROOMS_NONE = UINT32_MAX;

void rooms_free(struct rooms *rooms, const ws_allocator *memory);

/* The index of a share's room, below count, or ROOMS_NONE. */
uint32_t rooms_find(const struct rooms *rooms, const struct share *share);

struct share *rooms_share(const struct rooms *rooms, uint32_t at);

struct room_place rooms_place(const struct rooms *rooms, uint32_t at);
void rooms_set_place(struct rooms *rooms, uint32_t at, struct room_place place);

/* Adds a room at the end; it must not be in the set. False if memory ran out. */
bool rooms_add(struct rooms *rooms, const ws_allocator *memory, struct membership membership);

/* Removes a room; the last room gets its index. */
void rooms_remove(struct rooms *rooms, uint32_t at);

#endif
