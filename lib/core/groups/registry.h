/* registry.h: users, rooms and the watchers of rooms as groups of connections. Each group is
 * split into one share for each loop that has members. Not here: sending to groups; and the
 * list of all connections, which needs no group (loop_state.h: slots).
 *
 * Guarded by the manager's lock, with one exception: a share's members are changed by its
 * loop's thread alone, and under the lock. That thread may therefore read them without the
 * lock, so a delivery walks its recipients without it, while another thread may list them under
 * the lock. */
#ifndef WS_CORE_GROUPS_REGISTRY_H
#define WS_CORE_GROUPS_REGISTRY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ws_manager/types.h>

#include "base/memory.h"
#include "base/name_table.h"

struct connection;

enum group_kind {
    GROUP_EVERYONE, /* only as a target: all connections; no group has this kind */
    GROUP_USER,
    GROUP_ROOM,
    GROUP_WATCHERS, /* of a room, with its name: connections that receive changes of its presence */
    N_GROUP_KINDS
};

/* A loop's members of a group. A share lives while it has members or pins, a group while it has
 * shares. */
struct share {
    struct group *group;
    ws_loop *loop; /* NULL: the group's `first`, unused */
    struct share *next;
    union {
        struct connection *only; /* capacity 1: nearly every user, and many rooms */
        struct connection **many;
    } members;     /* dense */
    uint32_t pins; /* queued commands that name it */
    uint32_t count;
    uint32_t capacity;
    union {
        /* Of a user: answers that are waited for (clients/places.h). */
        _Atomic uint32_t n_waiting;
        /* Of a room: the lower half of the manager's position when the share was made; later
         * events have a route here. */
        uint32_t since;
    };
};

struct group {
    struct name_node node;
    struct share first;  /* in the same block: many groups have members on one loop only */
    uint8_t kind;        /* enum group_kind */
    uint8_t name_length; /* right before the name (name_table.h) */
    char name[];         /* NUL-terminated */
};

struct registry {
    const ws_allocator *memory;
    uint8_t secret[NAME_TABLE_SECRET];
    struct name_table tables[N_GROUP_KINDS];
    size_t n_occupied[N_GROUP_KINDS]; /* groups with members */
};

void registry_init(struct registry *registry, const ws_allocator *memory);
void registry_free(struct registry *registry);

/* Rehashes with another secret: O(names). */
void registry_change_secret(struct registry *registry, const uint8_t secret[NAME_TABLE_SECRET]);

/* Finds a group, or returns NULL. */
struct group *registry_find(struct registry *registry, enum group_kind kind, const char *name);

/* Pins the loop's share of a group, and creates it if needed; NULL if memory ran out. */
struct share *registry_pin(struct registry *registry, enum group_kind kind, const char *name,
                           ws_loop *loop);

/* Finds the loop's share of a group, or returns NULL. */
struct share *registry_find_share(struct registry *registry, enum group_kind kind,
                                  const char *name, const ws_loop *loop);

void registry_unpin(struct registry *registry, struct share *share);

/* Adds a member at the end; its place is share->count - 1. False if memory ran out. */
bool registry_add(struct registry *registry, struct share *share,
                  struct connection *connection);

/* Removes a member. The last member moves to its place and is returned, so that the caller can
 * update it. NULL if none moved; the share may have been freed then. */
struct connection *registry_remove(struct registry *registry, struct share *share,
                                   uint32_t place);

/* The members, as an array. */
static inline struct connection **share_members(struct share *share)
{
    return share->capacity > 1 ? share->members.many : &share->members.only;
}

/* Iterates over the group's shares: this one, then its `next`; NULL at the end. */
static inline struct share *group_shares(struct group *group)
{
    return group->first.loop != NULL ? &group->first : group->first.next;
}

/* The number of members in all shares. */
size_t group_count(const struct group *group);

#endif
