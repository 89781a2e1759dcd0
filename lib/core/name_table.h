/* name_table.h: things by their names, in a hash table of a seeded hash. Not here: what these
 * things are (registry.h, history.h).
 *
 * It grows by one bucket at a time and shrinks by two (linear hashing: Litwin, VLDB 1980), so no
 * call under the manager's lock ever stops to move a million names, and costs about one pointer a
 * name. */
#ifndef WS_CORE_NAME_TABLE_H
#define WS_CORE_NAME_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

/* What is in a table begins with this. At a place of its own, the same for all of a table, it has
 * its name: a byte with the length and then the characters. */
struct name_node {
    struct name_node *next; /* in its bucket */
};

enum {
    NAME_TABLE_SECRET = 192, /* bytes; XXH3 takes no fewer */
    NAME_TABLE_SEGMENTS = 27 /* 2^32 buckets */
};

struct name_table {
    const ws_allocator *memory;
    const uint8_t *secret; /* of the hash: clients choose names, but not their buckets */
    size_t name_at;        /* offset of the name's length */
    size_t count;
    size_t n_buckets; /* 0: nothing was ever in it */
    struct name_node **segments[NAME_TABLE_SEGMENTS];
};

void name_table_init(struct name_table *table, const ws_allocator *memory,
                     const uint8_t *secret, size_t name_at);

/* Frees the table, which must be empty. */
void name_table_free(struct name_table *table);

/* NULL if there is none of that name. */
void *name_table_find(const struct name_table *table, const char *name, size_t length);

/* Adds one whose name is not in it; false if memory ran out. */
bool name_table_add(struct name_table *table, void *node);

/* Takes out one that is in it. */
void name_table_remove(struct name_table *table, void *node);

/* Walks all, in no order: the first one of a bucket or a later one; NULL at the end.
 * *bucket begins at 0. Nothing is to be added or removed meanwhile. */
void *name_table_first_from(const struct name_table *table, size_t *bucket);
void *name_table_next(const struct name_table *table, const void *previous, size_t *bucket);

#endif
