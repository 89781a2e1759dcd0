/* address_table.c: how many connections each client address has, in all loops.
 * A hash table behind a mutex, which is held for the time of a lookup. */
#include "server/parts/address_table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "server/parts/address.h"

enum { FIRST_CHAINS = 64 };

struct address_count {
    struct address_count *next; /* in its chain */
    struct in6_addr key; /* an IPv4-mapped address, or the first half of an IPv6 address */
    uint32_t n_connections;
};

bool address_table_open(struct address_table *table, uint32_t max_per_address)
{
    *table =
        (struct address_table){.n_chains = FIRST_CHAINS, .max_per_address = max_per_address};
    if (getrandom(&table->seed, sizeof table->seed, 0) != (ssize_t)sizeof table->seed)
        return false;
    table->chains = calloc(table->n_chains, sizeof *table->chains);
    if (table->chains == NULL)
        return false;
    pthread_mutex_init(&table->mutex, NULL);
    return true;
}

void address_table_close(struct address_table *table)
{
    if (table->chains == NULL)
        return;
    for (size_t i = 0; i < table->n_chains; i++) {
        while (table->chains[i] != NULL) {
            struct address_count *address = table->chains[i];

            table->chains[i] = address->next;
            free(address);
        }
    }
    free(table->chains);
    pthread_mutex_destroy(&table->mutex);
}

static struct address_count **chain_of(const struct address_table *table,
                                       const struct in6_addr *key)
{
    uint64_t hash = XXH3_64bits_withSeed(key, sizeof *key, table->seed);

    return &table->chains[hash & (table->n_chains - 1)];
}

/* Doubles the number of chains. Without memory, the old chains stay and get longer. */
static void grow(struct address_table *table)
{
    struct address_count **old = table->chains;
    size_t n_old = table->n_chains;
    struct address_count **chains = calloc(2 * n_old, sizeof *chains);

    if (chains == NULL)
        return;
    table->chains = chains;
    table->n_chains = 2 * n_old;
    for (size_t i = 0; i < n_old; i++) {
        while (old[i] != NULL) {
            struct address_count *address = old[i];
            struct address_count **chain = chain_of(table, &address->key);

            old[i] = address->next;
            address->next = *chain;
            *chain = address;
        }
    }
    free(old);
}

static struct address_count *add(struct address_table *table, const struct in6_addr *key)
{
    struct address_count *address = malloc(sizeof *address);
    struct address_count **chain;

    if (address == NULL)
        return NULL;
    if (table->count == table->n_chains)
        grow(table);
    chain = chain_of(table, key);
    *address = (struct address_count){.next = *chain, .key = *key};
    *chain = address;
    table->count++;
    return address;
}

enum address_result address_table_enter(struct address_table *table,
                                        const struct in6_addr *client,
                                        struct address_count **address)
{
    struct in6_addr key = address_of_client(client);
    enum address_result result = ADDRESS_ENTERED;
    struct address_count *found;

    pthread_mutex_lock(&table->mutex);
    found = *chain_of(table, &key);
    while (found != NULL && memcmp(&found->key, &key, sizeof key) != 0)
        found = found->next;
    if (found == NULL)
        found = add(table, &key);
    if (found == NULL) {
        result = ADDRESS_NO_MEMORY;
    } else if (found->n_connections >= table->max_per_address) {
        table->n_refused++;
        result = ADDRESS_HAS_TOO_MANY;
    } else {
        found->n_connections++;
        *address = found;
    }
    pthread_mutex_unlock(&table->mutex);
    return result;
}

uint64_t address_table_refused(struct address_table *table)
{
    uint64_t refused;

    pthread_mutex_lock(&table->mutex);
    refused = table->n_refused;
    pthread_mutex_unlock(&table->mutex);
    return refused;
}

void address_table_leave(struct address_table *table, struct address_count *address)
{
    struct address_count **link;

    pthread_mutex_lock(&table->mutex);
    if (--address->n_connections == 0) {
        link = chain_of(table, &address->key);
        while (*link != address)
            link = &(*link)->next;
        *link = address->next;
        table->count--;
        free(address);
    }
    pthread_mutex_unlock(&table->mutex);
}
