/* name_table.h: things by their names, in a hash table of a seeded hash. Not here: what these
 * things are (registry.h, history.h).
 *
 * It grows by one bucket at a time and shrinks by two (linear hashing: Litwin, VLDB 1980), so no
 * call under the manager's lock ever stops to move a million names, and costs about one pointer a
 * name. */
#ifndef WS_BASE_NAME_TABLE_H
#define WS_BASE_NAME_TABLE_H

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

/* Around a change of the secret: takes all out, as a list, and puts them in again. */
struct name_node *name_table_take_all(struct name_table *table);
void name_table_put_all(struct name_table *table, struct name_node *nodes);

/* Walks all in steps, between which names may come and go: what is in the table all the time is
 * visited exactly once, and nothing twice unless it was taken out and added. A step visits a bucket,
 * so a name or two; *position begins at 0. False after the last. */
bool name_table_walk(const struct name_table *table, uint64_t *position,
                     void (*visit)(void *node, void *user_data), void *user_data);

#endif
