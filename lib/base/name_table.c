/* name_table.c: a hash table of named nodes that grows by one bucket at a time. */
#include "base/name_table.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* Segment 0 holds the first buckets. Each later segment holds as many as all segments before it. */
enum { FIRST_BUCKETS = 64 };

void name_table_init(struct name_table *table, const ws_allocator *memory,
                     const uint8_t *secret, size_t name_at)
{
    *table = (struct name_table){.memory = memory, .secret = secret, .name_at = name_at};
}

void name_table_free(struct name_table *table)
{
    for (size_t i = 0; i < NAME_TABLE_SEGMENTS; i++)
        memory_free(table->memory, table->segments[i]);
    name_table_init(table, table->memory, table->secret, table->name_at);
}

static const uint8_t *name_of(const struct name_table *table, const struct name_node *node)
{
    return (const uint8_t *)node + table->name_at;
}

uint64_t name_table_hash(const struct name_table *table, const void *name, size_t length)
{
    return XXH3_64bits_withSecret(name, length, table->secret, NAME_TABLE_SECRET);
}

static uint64_t hash_node(const struct name_table *table, const struct name_node *node)
{
    const uint8_t *name = name_of(table, node);

    return name_table_hash(table, name + 1, name[0]);
}

static size_t segment_of(size_t bucket)
{
    return bucket < FIRST_BUCKETS ? 0
                                  : (size_t)(63 - __builtin_clzll(bucket)) -
                                        (size_t)__builtin_ctzll(FIRST_BUCKETS) + 1;
}

static size_t segment_start(size_t segment)
{
    return segment == 0 ? 0 : (size_t)FIRST_BUCKETS << (segment - 1);
}

static struct name_node **bucket_at(const struct name_table *table, size_t bucket)
{
    size_t segment = segment_of(bucket);

    return &table->segments[segment][bucket - segment_start(segment)];
}

/* The highest power of two that is at most the number of buckets. */
static size_t full_buckets(const struct name_table *table)
{
    return (size_t)1 << (63 - __builtin_clzll(table->n_buckets));
}

/* Buckets that were already split in the current doubling are selected by one more bit of the
 * hash than the others. */
static struct name_node **bucket_of(const struct name_table *table, uint64_t hash)
{
    size_t full = full_buckets(table);
    size_t bucket = (size_t)hash & (2 * full - 1);

    return bucket_at(table, bucket < table->n_buckets ? bucket : bucket & (full - 1));
}

static bool has_name(const struct name_table *table, const struct name_node *node,
                     const char *name, size_t length)
{
    const uint8_t *own = name_of(table, node);

    return own[0] == length && memcmp(own + 1, name, length) == 0;
}

void *name_table_find(const struct name_table *table, const char *name, size_t length)
{
    struct name_node *node;

    if (table->count == 0)
        return NULL;
    node = *bucket_of(table, name_table_hash(table, name, length));
    while (node != NULL && !has_name(table, node, name, length))
        node = node->next;
    return node;
}

static void push(struct name_node **bucket, struct name_node *node)
{
    node->next = *bucket;
    *bucket = node;
}

/* Makes room for one more bucket in its segment, without initializing the bucket. */
static bool reserve_bucket(struct name_table *table, size_t bucket)
{
    size_t segment = segment_of(bucket);
    size_t size = segment == 0 ? FIRST_BUCKETS : segment_start(segment);

    if (segment >= NAME_TABLE_SEGMENTS)
        return false;
    if (table->segments[segment] == NULL)
        table->segments[segment] =
            memory_alloc(table->memory, size * sizeof *table->segments[segment]);
    return table->segments[segment] != NULL;
}

static bool begin(struct name_table *table)
{
    if (!reserve_bucket(table, 0))
        return false;
    memset(table->segments[0], 0, FIRST_BUCKETS * sizeof *table->segments[0]);
    table->n_buckets = FIRST_BUCKETS;
    return true;
}

/* Adds one bucket, which takes over about half the nodes of the bucket that it is split from. If
 * memory runs out, the table stays as it is and its chains become longer. */
static void grow(struct name_table *table)
{
    size_t added = table->n_buckets;
    struct name_node **from;
    struct name_node *node;

    if (!reserve_bucket(table, added))
        return;
    from = bucket_at(table, added & (full_buckets(table) - 1));
    *bucket_at(table, added) = NULL;
    table->n_buckets++;
    node = *from;
    *from = NULL;
    while (node != NULL) {
        struct name_node *next = node->next;

        push(bucket_of(table, hash_node(table, node)), node);
        node = next;
    }
}

/* Removes the last bucket and returns its nodes to the bucket that it was split from. */
static void shrink(struct name_table *table)
{
    size_t last = --table->n_buckets;
    size_t segment = segment_of(last);
    struct name_node *node = *bucket_at(table, last);
    struct name_node **to = bucket_at(table, last - segment_start(segment));

    while (node != NULL) {
        struct name_node *next = node->next;

        push(to, node);
        node = next;
    }
    if (last == segment_start(segment)) {
        memory_free(table->memory, table->segments[segment]);
        table->segments[segment] = NULL;
    }
}

bool name_table_add(struct name_table *table, void *node)
{
    if (table->n_buckets == 0 && !begin(table))
        return false;
    if (table->count >= table->n_buckets)
        grow(table);
    push(bucket_of(table, hash_node(table, node)), node);
    table->count++;
    return true;
}

void name_table_remove(struct name_table *table, void *node)
{
    struct name_node **link = bucket_of(table, hash_node(table, node));

    while (*link != node)
        link = &(*link)->next;
    *link = (*link)->next;
    table->count--;
    /* Removes at most two buckets, so that removing half the names shrinks the table by half. */
    while (table->n_buckets > FIRST_BUCKETS && table->count < table->n_buckets / 2)
        shrink(table);
}

struct name_node *name_table_take_all(struct name_table *table)
{
    struct name_node *all = NULL;

    for (size_t bucket = 0; bucket < table->n_buckets; bucket++) {
        struct name_node **from = bucket_at(table, bucket);

        while (*from != NULL) {
            struct name_node *node = *from;

            *from = node->next;
            push(&all, node);
        }
    }
    return all;
}

void name_table_put_all(struct name_table *table, struct name_node *nodes)
{
    while (nodes != NULL) {
        struct name_node *next = nodes->next;

        push(bucket_of(table, hash_node(table, nodes)), nodes);
        nodes = next;
    }
}

static uint64_t reverse_bits(uint64_t bits)
{
    bits = (bits >> 1 & UINT64_C(0x5555555555555555)) | (bits & UINT64_C(0x5555555555555555))
                                                            << 1;
    bits = (bits >> 2 & UINT64_C(0x3333333333333333)) | (bits & UINT64_C(0x3333333333333333))
                                                            << 2;
    bits = (bits >> 4 & UINT64_C(0x0f0f0f0f0f0f0f0f)) | (bits & UINT64_C(0x0f0f0f0f0f0f0f0f))
                                                            << 4;
    return __builtin_bswap64(bits);
}

/* With the bits of the hashes reversed, each bucket covers a range of hashes. Splitting a bucket
 * cuts its range in two; removing a bucket joins the two again. The walk goes through these ranges
 * in order. *position is the lowest reversed hash that was not visited yet, so it stays valid when
 * buckets are split or joined between two steps. */
bool name_table_walk(const struct name_table *table, uint64_t *position,
                     void (*visit)(void *node, void *user_data), void *user_data)
{
    uint64_t hash = reverse_bits(*position);
    uint64_t width;
    size_t full;
    struct name_node *node;

    if (table->n_buckets == 0)
        return false;
    full = full_buckets(table);
    width = UINT64_C(1) << (64 - __builtin_ctzll(full));
    if (((size_t)hash & (full - 1)) + full < table->n_buckets)
        width /= 2; /* this bucket was split already */
    node = *bucket_of(table, hash);
    while (node != NULL) {
        struct name_node *next = node->next;

        if (reverse_bits(hash_node(table, node)) >= *position)
            visit(node, user_data);
        node = next;
    }
    *position = (*position & ~(width - 1)) + width;
    return *position != 0;
}
