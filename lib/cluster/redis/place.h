/* place.h: where a server listens: the host and port of the URI, or those that a server names when
 * it sends its clients elsewhere. Not here: which of several is the right one (servers.c). */
#ifndef WS_REDIS_PLACE_H
#define WS_REDIS_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PLACE_HOST_SIZE = 256, /* a name of DNS (RFC 1035, 2.3.4), or the path of a socket */
    PLACE_TEXT_SIZE = PLACE_HOST_SIZE + 8
};

struct place {
    char host[PLACE_HOST_SIZE]; /* name, address, or the path of a Unix socket */
    uint16_t port;              /* 0: of a socket */
};

/* What an error of a Redis Cluster's node asks for. */
enum redirect { REDIRECT_NONE, REDIRECT_MOVED, REDIRECT_ASK };

/* Whether it is an address, or a name with the characters of one, and fits into a place. */
bool place_host_valid(const char *host);

bool place_equal(const struct place *a, const struct place *b);

/* HOST:PORT, with an IPv6 address in brackets, or the path. */
void place_write(const struct place *place, char text[PLACE_TEXT_SIZE]);

/* Reads a host and a port as Sentinel names them. False if they are neither. */
bool place_read(struct place *place, const char *host, const char *port);

/* Reads an error "MOVED SLOT HOST:PORT" or "ASK SLOT HOST:PORT". Without a host it is that of
 * `from`, which answered. REDIRECT_NONE for any other text. */
enum redirect place_read_redirect(struct place *place, const char *text,
                                  const struct place *from);

#endif
