/* group_table.c: groups by their names, in a hash table that grows by one bucket at a time. */
#include "core/group_table.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/registry.h"

/* Segment 0 holds the first buckets; each further one as many as all before it. */
enum { FIRST_BUCKETS = 64 };

void group_table_init(struct group_table *table, const ws_allocator *memory,
                      const uint8_t *secret)
{
    *table = (struct group_table){.memory = memory, .secret = secret};
}

void group_table_free(struct group_table *table)
{
    for (size_t i = 0; i < GROUP_TABLE_SEGMENTS; i++)
        memory_free(table->memory, table->segments[i]);
    group_table_init(table, table->memory, table->secret);
}

static uint64_t hash_name(const struct group_table *table, const char *name, size_t length)
{
    return XXH3_64bits_withSecret(name, length, table->secret, GROUP_TABLE_SECRET);
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

static struct group **bucket_at(const struct group_table *table, size_t bucket)
{
    size_t segment = segment_of(bucket);

    return &table->segments[segment][bucket - segment_start(segment)];
}

/* The highest power of two that is no higher than the number of buckets. */
static size_t full_buckets(const struct group_table *table)
{
    return (size_t)1 << (63 - __builtin_clzll(table->n_buckets));
}

/* Buckets that have been split already are told apart by one more bit of the hash. */
static struct group **bucket_of(const struct group_table *table, uint64_t hash)
{
    size_t full = full_buckets(table);
    size_t bucket = (size_t)hash & (2 * full - 1);

    return bucket_at(table, bucket < table->n_buckets ? bucket : bucket & (full - 1));
}

struct group *group_table_find(const struct group_table *table, const char *name, size_t length)
{
    struct group *group;

    if (table->count == 0)
        return NULL;
    group = *bucket_of(table, hash_name(table, name, length));
    while (group != NULL &&
           (group->name_length != length || memcmp(group->name, name, length) != 0))
        group = group->next;
    return group;
}

static void push(struct group **bucket, struct group *group)
{
    group->next = *bucket;
    *bucket = group;
}

/* Makes room for one more bucket in its segment; its content is written when it is used. */
static bool reserve_bucket(struct group_table *table, size_t bucket)
{
    size_t segment = segment_of(bucket);
    size_t size = segment == 0 ? FIRST_BUCKETS : segment_start(segment);

    if (segment >= GROUP_TABLE_SEGMENTS)
        return false;
    if (table->segments[segment] == NULL)
        table->segments[segment] =
            memory_alloc(table->memory, size * sizeof *table->segments[segment]);
    return table->segments[segment] != NULL;
}

static bool begin(struct group_table *table)
{
    if (!reserve_bucket(table, 0))
        return false;
    memset(table->segments[0], 0, FIRST_BUCKETS * sizeof *table->segments[0]);
    table->n_buckets = FIRST_BUCKETS;
    return true;
}

/* One more bucket, which takes over about half of the one that it is split from. Without memory
 * for it the chains become longer, and that is all. */
static void grow(struct group_table *table)
{
    size_t added = table->n_buckets;
    struct group **from;
    struct group *group;

    if (!reserve_bucket(table, added))
        return;
    from = bucket_at(table, added & (full_buckets(table) - 1));
    *bucket_at(table, added) = NULL;
    table->n_buckets++;
    group = *from;
    *from = NULL;
    while (group != NULL) {
        struct group *next = group->next;

        push(bucket_of(table, hash_name(table, group->name, group->name_length)), group);
        group = next;
    }
}

/* The last bucket goes back to the one that it was split from. */
static void shrink(struct group_table *table)
{
    size_t last = --table->n_buckets;
    size_t segment = segment_of(last);
    struct group *group = *bucket_at(table, last);
    struct group **to = bucket_at(table, last - segment_start(segment));

    while (group != NULL) {
        struct group *next = group->next;

        push(to, group);
        group = next;
    }
    if (last == segment_start(segment)) {
        memory_free(table->memory, table->segments[segment]);
        table->segments[segment] = NULL;
    }
}

bool group_table_add(struct group_table *table, struct group *group)
{
    if (table->n_buckets == 0 && !begin(table))
        return false;
    if (table->count >= table->n_buckets)
        grow(table);
    push(bucket_of(table, hash_name(table, group->name, group->name_length)), group);
    table->count++;
    return true;
}

void group_table_remove(struct group_table *table, struct group *group)
{
    struct group **link = bucket_of(table, hash_name(table, group->name, group->name_length));

    while (*link != group)
        link = &(*link)->next;
    *link = group->next;
    table->count--;
    /* Two at most: half the groups take all the buckets with them. */
    while (table->n_buckets > FIRST_BUCKETS && table->count < table->n_buckets / 2)
        shrink(table);
}

struct group *group_table_first_from(const struct group_table *table, size_t *bucket)
{
    for (; *bucket < table->n_buckets; ++*bucket)
        if (*bucket_at(table, *bucket) != NULL)
            return *bucket_at(table, *bucket);
    return NULL;
}

struct group *group_table_next(const struct group_table *table, const struct group *group,
                               size_t *bucket)
{
    if (group->next != NULL)
        return group->next;
    ++*bucket;
    return group_table_first_from(table, bucket);
}
