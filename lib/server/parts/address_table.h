/* address_table.h: how many connections each client address has, in all loops.
 * Connections over the limit are refused in connection.c. */
#ifndef WS_SERVER_ADDRESS_TABLE_H
#define WS_SERVER_ADDRESS_TABLE_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct address_count; /* one address with at least one connection */

struct address_table {
    pthread_mutex_t mutex;
    struct address_count **chains; /* their number is a power of two */
    size_t n_chains;
    size_t count;
    uint64_t seed; /* so that nobody can choose colliding addresses */
    uint32_t max_per_address;
    uint64_t n_refused; /* connections of addresses that had too many */
};

enum address_result { ADDRESS_ENTERED, ADDRESS_HAS_TOO_MANY, ADDRESS_NO_MEMORY };

/* False without memory or random bytes. */
bool address_table_open(struct address_table *table, uint32_t max_per_address);

/* Does nothing if opening has failed, or all is zero. */
void address_table_close(struct address_table *table);

/* Counts one more connection of an address (address.h). IPv6 addresses with the same first 64
 * bits count as one. On ADDRESS_ENTERED, *address is set, for address_table_leave(). Any thread. */
enum address_result address_table_enter(struct address_table *table,
                                        const struct in6_addr *client,
                                        struct address_count **address);

/* How many connections were refused. Any thread. */
uint64_t address_table_refused(struct address_table *table);

/* Counts one connection less. Any thread. */
void address_table_leave(struct address_table *table, struct address_count *address);

#endif
