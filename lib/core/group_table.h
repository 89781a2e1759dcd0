/* group_table.h: groups by their names, in a hash table of a seeded hash.
 * Not here: who is in a group (registry.h).
 *
 * It grows by one bucket at a time and shrinks by two (linear hashing: Litwin, VLDB 1980), so no call
 * under the manager's lock ever stops to move a million names, and costs about one pointer a group. */
#ifndef WS_CORE_GROUP_TABLE_H
#define WS_CORE_GROUP_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

struct group;

enum {
    GROUP_TABLE_SECRET = 192, /* bytes; XXH3 takes no fewer */
    GROUP_TABLE_SEGMENTS = 27 /* 2^32 buckets */
};

struct group_table {
    const ws_allocator *memory;
    const uint8_t *secret; /* of the hash: clients choose names, but not their buckets */
    size_t count;
    size_t n_buckets; /* 0: nothing was ever in it */
    struct group **segments[GROUP_TABLE_SEGMENTS];
};

void group_table_init(struct group_table *table, const ws_allocator *memory,
                      const uint8_t *secret);

/* Frees the table, which must be empty. */
void group_table_free(struct group_table *table);

/* The group, or NULL if there is none. */
struct group *group_table_find(const struct group_table *table, const char *name,
                               size_t length);

/* Adds a group whose name is not in it; false if memory ran out. */
bool group_table_add(struct group_table *table, struct group *group);

/* Takes out a group that is in it. */
void group_table_remove(struct group_table *table, struct group *group);

/* Walks the groups, in no order: the first one of a bucket or a later one; NULL at the end.
 * *bucket begins at 0. Nothing is to be added or removed meanwhile. */
struct group *group_table_first_from(const struct group_table *table, size_t *bucket);
struct group *group_table_next(const struct group_table *table, const struct group *group,
                               size_t *bucket);

#endif
