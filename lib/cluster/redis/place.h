/* place.h: where a server listens: the host and port of the URI, or those that a server names when
 * it sends its clients elsewhere. Not here: which of several is the right one (session.c). */
#ifndef WS_REDIS_PLACE_H
#define WS_REDIS_PLACE_H

#include <stdint.h>
#include <stdio.h>

enum { PLACE_HOST_SIZE = 256 }; /* a name of DNS (RFC 1035, 2.3.4), or the path of a socket */

struct place {
    char host[PLACE_HOST_SIZE]; /* name, address, or the path of a Unix socket */
    uint16_t port;
};

/* The host is shorter than PLACE_HOST_SIZE. */
static inline void place_set(struct place *place, const char *host, uint16_t port)
{
    snprintf(place->host, sizeof place->host, "%s", host);
    place->port = port;
}

#endif
