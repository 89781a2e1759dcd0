/* address_table.h: how many connections each client address has, in all loops.
 * What a client is told that has too many is the connection's. */
#ifndef BACKEND_ADDRESS_TABLE_H
#define BACKEND_ADDRESS_TABLE_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct address_count; /* one address with at least one connection */

struct address_table {
    pthread_mutex_t mutex;
    struct address_count **chains; /* a power of two of them */
    size_t n_chains;
    size_t count;
    uint64_t seed; /* so that nobody can choose addresses that collide */
    uint32_t max_per_address;
    uint64_t n_refused; /* connections of those that had too many */
};

enum address_result { ADDRESS_ENTERED, ADDRESS_HAS_TOO_MANY, ADDRESS_NO_MEMORY };

/* False when memory or randomness is short. */
bool address_table_open(struct address_table *table, uint32_t max_per_address);

void address_table_close(struct address_table *table);

/* Counts one more connection of an address (address.h): of IPv6 the first 64 bits count. *address is
 * set for ADDRESS_ENTERED, to be given to address_table_leave(). Any thread. */
enum address_result address_table_enter(struct address_table *table,
                                        const struct in6_addr *client,
                                        struct address_count **address);

/* How many connections were refused. Any thread. */
uint64_t address_table_refused(struct address_table *table);

/* Counts one less. Any thread. */
void address_table_leave(struct address_table *table, struct address_count *address);

#endif
