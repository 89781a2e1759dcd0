/* client_counts.c: how many sessions each client of an endpoint has. */
#include "transport/shared/client_counts.h"

#include <string.h>

#include <openssl/rand.h>

#include "base/name_table.h"

struct client_count {
    struct name_node node;
    uint32_t n_sessions;
    uint8_t length; /* directly before the text: how name_table.h reads names */
    char text[CLIENT_TEXT_MAX];
};

struct client_counts {
    ws_manager *manager;
    struct name_table clients;
    uint8_t secret[NAME_TABLE_SECRET];
};

struct client_counts *client_counts_new(ws_manager *manager)
{
    struct client_counts *counts = memory_zalloc(&manager->memory, sizeof *counts);

    if (counts == NULL)
        return NULL;
    if (RAND_bytes(counts->secret, sizeof counts->secret) != 1) {
        memory_free(&manager->memory, counts);
        return NULL;
    }
    counts->manager = manager;
    name_table_init(&counts->clients, &manager->memory, counts->secret,
                    offsetof(struct client_count, length));
    return counts;
}

void client_counts_free(struct client_counts *counts)
{
    if (counts == NULL)
        return;
    name_table_free(&counts->clients);
    memory_free(&counts->manager->memory, counts);
}

/* The lock is held. */
static struct client_count *add(struct client_counts *counts, const char *client, size_t length)
{
    struct client_count *count = memory_zalloc(&counts->manager->memory, sizeof *count);

    manager_assert_locked(counts->manager);
    if (count == NULL)
        return NULL;
    count->length = (uint8_t)length;
    memcpy(count->text, client, length);
    if (name_table_add(&counts->clients, count))
        return count;
    memory_free(&counts->manager->memory, count);
    return NULL;
}

enum client_result client_counts_enter(struct client_counts *counts, const char *client,
                                       uint32_t most, struct client_count **count)
{
    size_t length = strnlen(client, CLIENT_TEXT_MAX);
    enum client_result result = CLIENT_COUNTED;
    struct client_count *found;

    manager_lock(counts->manager);
    found = name_table_find(&counts->clients, client, length);
    if (found == NULL)
        found = add(counts, client, length);
    if (found == NULL) {
        result = CLIENT_NO_MEMORY;
    } else if (found->n_sessions >= most) {
        result = CLIENT_HAS_TOO_MANY;
    } else {
        found->n_sessions++;
        *count = found;
    }
    manager_unlock(counts->manager);
    return result;
}

void client_counts_leave(struct client_counts *counts, struct client_count *count)
{
    bool is_last;

    manager_lock(counts->manager);
    is_last = --count->n_sessions == 0;
    if (is_last)
        name_table_remove(&counts->clients, count);
    manager_unlock(counts->manager);
    if (is_last)
        memory_free(&counts->manager->memory, count);
}
