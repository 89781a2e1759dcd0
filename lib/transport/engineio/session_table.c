/* session_table.c: the sessions of a loop that are found by their ids. */
#include "transport/engineio/session_table.h"

#include <string.h>

#include <openssl/rand.h>

#include "transport/shared/shared_part.h"

/* Keys are random, and so a client cannot choose the bucket of its session; with the secret, it
 * cannot know which of its many sessions share one. */
struct session_table {
    struct name_table names;
    uint8_t secret[NAME_TABLE_SECRET];
};

static struct session_table *table_of(const ws_loop *loop)
{
    return loop->parts[PART_SESSIONS];
}

static void free_table(ws_loop *loop)
{
    struct session_table *table = table_of(loop);

    if (table == NULL)
        return;
    name_table_free(&table->names);
    memory_free(&loop->manager->memory, table);
}

bool session_table_make(ws_loop *loop)
{
    const ws_allocator *memory = &loop->manager->memory;
    struct session_table *table = table_of(loop);

    if (table != NULL)
        return true;
    table = memory_zalloc(memory, sizeof *table);
    if (table == NULL || RAND_bytes(table->secret, sizeof table->secret) != 1) {
        memory_free(memory, table);
        return false;
    }
    name_table_init(&table->names, memory, table->secret,
                    offsetof(struct session_node, key_length));
    loop->parts[PART_SESSIONS] = table;
    loop->free_part[PART_SESSIONS] = free_table;
    return true;
}

bool session_table_add(ws_loop *loop, struct session_node *node, const struct sid_key *key)
{
    node->key_length = sizeof node->key.bytes;
    node->key = *key;
    node->is_listed = name_table_add(&table_of(loop)->names, node);
    return node->is_listed;
}

void session_table_remove(const ws_loop *loop, struct session_node *node)
{
    if (node->is_listed)
        name_table_remove(&table_of(loop)->names, node);
    node->is_listed = false;
}

struct session_node *session_table_find(const ws_loop *loop, const struct sid_key *key)
{
    const struct session_table *table = table_of(loop);

    return table != NULL
               ? name_table_find(&table->names, (const char *)key->bytes, sizeof key->bytes)
               : NULL;
}

uint8_t session_table_class(const ws_loop *loop, const char *client)
{
    uint64_t hash;

    if (client == NULL)
        return 0;
    hash = name_table_hash(&table_of(loop)->names, client, strlen(client));
    return (uint8_t)(hash % CLIENT_CLASSES);
}

struct session_node *session_table_take_all(const ws_loop *loop)
{
    struct session_table *table = table_of(loop);

    return table != NULL ? (struct session_node *)name_table_take_all(&table->names) : NULL;
}
