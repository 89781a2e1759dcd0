/* listen.h: where a server listens, and the sockets for it.
 * Accepting is done in ../accept.c. */
#ifndef WS_SERVER_LISTEN_H
#define WS_SERVER_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

enum listen_kind {
    LISTEN_NONE,
    LISTEN_TCP,
    LISTEN_UNIX,
    LISTEN_SYSTEMD /* a socket that the service manager has opened */
};

struct listen_address {
    enum listen_kind kind;
    struct sockaddr_storage address;
    socklen_t length;
    int index;  /* of LISTEN_SYSTEMD: among the sockets that were passed */
    int shared; /* one socket for all loops: of LISTEN_UNIX and LISTEN_SYSTEMD; else -1 */
};

/* Parses a text as that of ws_server_options; `index` is that of the socket of LISTEN_SYSTEMD.
 * False if it is none. */
bool listen_parse(const char *text, int index, struct listen_address *listen);

/* Prepares to listen, and detects another server that listens there already. False with errno; then
 * nothing is left to close. */
bool listen_begin(struct listen_address *listen);

/* A socket for one more loop. The port of the first one becomes that of all. -1 with errno. */
int listen_open(struct listen_address *listen);

/* Where clients reach it; `scheme` is that of TCP. */
void listen_format(const struct listen_address *listen, const char *scheme, char *url,
                   size_t size);

/* Removes what listen_begin() has made. */
void listen_end(struct listen_address *listen);

#endif
