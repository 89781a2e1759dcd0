/* name_table.h: a hash table of named nodes, with a seeded hash.
 * Not here: what the nodes hold (registry.h, history.h).
 *
 * It grows by one bucket at a time and shrinks by two (linear hashing: Litwin, VLDB 1980), so
 * that no call under the manager's lock has to move a million names. It costs about one pointer
 * for each name. */
#ifndef WS_BASE_NAME_TABLE_H
#define WS_BASE_NAME_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

/* The first member of every node in a table. The node's name is at the offset `name_at`, which
 * is the same for all nodes of a table: one byte with the length, then the characters. */
struct name_node {
    struct name_node *next; /* in the same bucket */
};

enum {
    NAME_TABLE_SECRET = 192, /* bytes that XXH3 takes as its secret */
    NAME_TABLE_SEGMENTS = 27 /* 2^32 buckets */
};

struct name_table {
    const ws_allocator *memory;
    const uint8_t *secret; /* seeds the hash: clients cannot choose names of one bucket */
    size_t name_at;        /* offset of the name's length in a node */
    size_t count;
    size_t n_buckets; /* 0: no node was ever added */
    struct name_node **segments[NAME_TABLE_SEGMENTS];
};

void name_table_init(struct name_table *table, const ws_allocator *memory,
                     const uint8_t *secret, size_t name_at);

/* Frees the table's memory. The table must be empty. */
void name_table_free(struct name_table *table);

/* Returns the hash of a name. It cannot be computed without the table's secret. */
uint64_t name_table_hash(const struct name_table *table, const void *name, size_t length);

/* Returns the node with this name, or NULL. */
void *name_table_find(const struct name_table *table, const char *name, size_t length);

/* Adds a node whose name is not in the table; false if memory ran out. */
bool name_table_add(struct name_table *table, void *node);

/* Removes a node, which must be in the table. */
void name_table_remove(struct name_table *table, void *node);

/* For a change of the secret: removes all nodes and returns them as a list; adds such a list again.
 * Neither allocates. */
struct name_node *name_table_take_all(struct name_table *table);
void name_table_put_all(struct name_table *table, struct name_node *nodes);

/* Visits the nodes of one bucket (about one or two nodes) and moves *position, which starts at
 * 0. False after the last bucket. Nodes may be added and removed between two calls: a node that
 * stays in the table is visited exactly once, and a node is visited twice only if it was
 * removed and added again. */
bool name_table_walk(const struct name_table *table, uint64_t *position,
                     void (*visit)(void *node, void *user_data), void *user_data);

#endif
