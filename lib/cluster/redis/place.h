/* place.h: the host and port of a server, from the URI or from the reply of another server (a
 * sentinel, MOVED or ASK). Not here: which server to use (servers.c). */
#ifndef WS_REDIS_PLACE_H
#define WS_REDIS_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    /* Bytes: a DNS name (RFC 1035, 2.3.4) or the path of a socket, and a NUL. */
    PLACE_HOST_SIZE = 256,
    PLACE_TEXT_SIZE = PLACE_HOST_SIZE + 8
};

struct place {
    char host[PLACE_HOST_SIZE]; /* a name, an address or the path of a Unix socket */
    uint16_t port;              /* 0: `host` is the path of a socket */
};

/* The redirection that an error of a Redis Cluster node asks for. */
enum redirect { REDIRECT_NONE, REDIRECT_MOVED, REDIRECT_ASK };

/* True if the text is an address or has the form of a host name, and fits into a struct place. */
bool place_host_valid(const char *host);

bool place_equal(const struct place *a, const struct place *b);

/* Writes HOST:PORT, with an IPv6 address in brackets, or the path of a socket. */
void place_write(const struct place *place, char text[PLACE_TEXT_SIZE]);

/* Reads the host and port in a reply of Sentinel. False if they are not valid. */
bool place_read(struct place *place, const char *host, const char *port);

/* Reads an error "MOVED SLOT HOST:PORT" or "ASK SLOT HOST:PORT". If HOST is empty, it is the
 * host of `from`, the server that replied. REDIRECT_NONE for any other text. */
enum redirect place_read_redirect(struct place *place, const char *text,
                                  const struct place *from);

#endif
