/* addresses.h: a list of a host's addresses as text, the form that hiredis and logs need.
 * Not here: the lookup (lookup.h) and which address to try (target.h). */
#ifndef WS_REDIS_ADDRESSES_H
#define WS_REDIS_ADDRESSES_H

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    ADDRESS_SIZE = 64, /* bytes: an IPv6 address, '%', the name of an interface and a NUL */
    ADDRESSES_MAX = 16
};

struct addresses {
    size_t count;
    char text[ADDRESSES_MAX][ADDRESS_SIZE];
};

/* Takes the IPv4 and IPv6 addresses of a list from getaddrinfo(), in its order, without duplicates,
 * and at most ADDRESSES_MAX of them. */
void addresses_take(struct addresses *addresses, const struct addrinfo *list);

/* If `host` is itself an address, takes that address and returns true. Does not ask a name
 * server. */
bool addresses_take_literal(struct addresses *addresses, const char *host);

/* Moves this address to the front, if it is in the list. */
void addresses_prefer(struct addresses *addresses, const char *text);

#endif
