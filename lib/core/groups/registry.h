/* registry.h: who is where: users and rooms as groups of connections, each group split in one
 * share for each loop that has members. Not here: what is sent to them, and when; and everyone,
 * who needs no group (loop_state.h: slots).
 *
 * All of it is guarded by the manager's lock, with one exception: a share's members are changed
 * by its loop's thread alone (under the lock), which may therefore read them without. So a
 * delivery walks its recipients without a lock, while another thread under the lock may list
 * them. */
#ifndef WS_CORE_GROUPS_REGISTRY_H
#define WS_CORE_GROUPS_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ws_manager/types.h>

#include "base/memory.h"
#include "base/name_table.h"

struct connection;

enum group_kind {
    GROUP_EVERYONE, /* as a target only: all connections, which are in no group of this name */
    GROUP_USER,
    GROUP_ROOM,
    N_GROUP_KINDS
};

/* A loop's members of a group. It lives while it has members or pins; the group, while it has
 * shares. */
struct share {
    struct group *group;
    ws_loop *loop; /* NULL: a group's first share, which no loop uses */
    struct share *next;
    union {
        struct connection *only; /* capacity 1: nearly every user and many a room */
        struct connection **many;
    } members;     /* dense */
    uint32_t pins; /* commands on their way that name it */
    uint32_t count;
    uint32_t capacity;
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

/* Gives the hashes another secret: O(names). */
void registry_change_secret(struct registry *registry, const uint8_t secret[NAME_TABLE_SECRET]);

/* The group, or NULL if there is none. */
struct group *registry_find(struct registry *registry, enum group_kind kind, const char *name);

/* The loop's share of a group, made if it does not exist, with one more pin; NULL if memory ran
 * out. */
struct share *registry_pin(struct registry *registry, enum group_kind kind, const char *name,
                           ws_loop *loop);

void registry_unpin(struct registry *registry, struct share *share);

/* Adds a member at the end; its place is share->count - 1. False if memory ran out. */
bool registry_add(struct registry *registry, struct share *share,
                  struct connection *connection);

/* Takes a member out; the last one moves to its place and is returned, so that it can learn of
 * it; NULL if none moved, and then the share may have been freed. */
struct connection *registry_remove(struct registry *registry, struct share *share,
                                   uint32_t place);

/* The members, as an array. */
static inline struct connection **share_members(struct share *share)
{
    return share->capacity > 1 ? share->members.many : &share->members.only;
}

/* The group's shares: the first that is used, and the next one; NULL at the end. */
static inline struct share *group_shares(struct group *group)
{
    return group->first.loop != NULL ? &group->first : group->first.next;
}

/* Members of all shares. */
size_t group_count(const struct group *group);

#endif
