/* registry.h: who is where: groups of connections (everyone, a user, a room), each split in one
 * share for each loop that has members. Not here: what is sent to them, and when.
 *
 * All of it is guarded by the manager's lock, with one exception: a share's members are changed
 * by its loop's thread alone (under the lock), which may therefore read them without. So a
 * delivery walks its recipients without a lock, while another thread under the lock may list
 * them. */
#ifndef WS_CORE_REGISTRY_H
#define WS_CORE_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "core/uthash.h"

#include <ws_manager/types.h>

struct connection;

enum group_kind {
    GROUP_EVERYONE, /* all connections of the JSON protocol; has no name */
    GROUP_RAW,      /* all connections of the raw protocol; has no name */
    GROUP_USER,
    GROUP_ROOM,
    N_GROUP_KINDS
};

struct group {
    UT_hash_handle hh; /* users and rooms: in the registry's table of its kind */
    struct share *shares;
    size_t n_members; /* of all shares */
    enum group_kind kind;
    size_t name_length;
    char *name; /* NUL-terminated; in the same block */
};

struct member {
    struct connection *connection;
    uint32_t room; /* of a room's member: its place among the connection's rooms */
};

/* A loop's members of a group. It lives while it has members or pins; the group, while it has
 * shares. */
struct share {
    struct group *group;
    ws_loop *loop;
    struct share *next; /* the group's next share, of another loop */
    uint32_t pins;      /* commands on their way that name it */
    uint32_t count;
    uint32_t capacity;
    struct member *members; /* dense; first, or a block of its own */
    struct member first;    /* nearly every user and many a room has one member */
};

struct registry {
    const ws_allocator *memory;
    uint8_t secret[192]; /* of the names' hashes: clients choose names, but not their slots */
    struct group unnamed[2];            /* GROUP_EVERYONE, GROUP_RAW */
    struct group *named[N_GROUP_KINDS]; /* uthash tables of GROUP_USER and GROUP_ROOM */
    size_t n_occupied[N_GROUP_KINDS];   /* groups with members */
};

void registry_init(struct registry *registry, const ws_allocator *memory);

/* The group, or NULL if there is none. */
struct group *registry_find(struct registry *registry, enum group_kind kind, const char *name);

/* The loop's share of a group, made if it does not exist, with one more pin; NULL if memory ran
 * out. */
struct share *registry_pin(struct registry *registry, enum group_kind kind, const char *name,
                           ws_loop *loop);

void registry_unpin(struct registry *registry, struct share *share);

/* Adds a member at the end; its place is share->count - 1. False if memory ran out. */
bool registry_add(struct registry *registry, struct share *share, struct connection *connection,
                  uint32_t room);

/* Takes a member out; the last one moves to its place and is returned, so that its connection
 * can learn of it; NULL if none moved, and then the share may have been freed. */
const struct member *registry_remove(struct registry *registry, struct share *share,
                                     uint32_t place);

#endif
