/* addresses.h: a host's addresses as text, which is what hiredis takes and what a log shows.
 * Not here: looking them up (lookup.h), and which of them to try (target.h). */
#ifndef WS_REDIS_ADDRESSES_H
#define WS_REDIS_ADDRESSES_H

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    ADDRESS_SIZE = 64, /* an IPv6 address, %, the name of an interface, and a NUL */
    ADDRESSES_MAX = 16
};

struct addresses {
    size_t count;
    char text[ADDRESSES_MAX][ADDRESS_SIZE];
};

/* Takes the IPv4 and IPv6 addresses of a list as getaddrinfo() makes it, in its order, each once;
 * what is beyond ADDRESSES_MAX is left out. */
void addresses_take(struct addresses *addresses, const struct addrinfo *list);

/* Whether the host is an address itself, which is then the only one. Asks nobody. */
bool addresses_take_literal(struct addresses *addresses, const char *host);

/* Makes this one the first, if it is among them. */
void addresses_prefer(struct addresses *addresses, const char *text);

#endif
