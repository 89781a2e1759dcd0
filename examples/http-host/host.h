/* host.h: the sockets and the loop of a program, by epoll, on one thread. Not here: what the
 * program answers. */
#ifndef HTTP_HOST_HOST_H
#define HTTP_HOST_HOST_H

#include <stddef.h>
#include <stdint.h>

#include <ws_manager/ws_manager.h>

/* An endpoint, and the beginning of the targets that it serves. */
struct host_endpoint {
    const char *prefix; /* such as "/socket.io/", which is "/socket.io", too */
    ws_endpoint *endpoint;
};

/* What the program does at the end of each turn of the loop. Returns when the next turn is
 * needed at the latest: at once if it has sent something, or WS_NO_DEADLINE. */
typedef uint64_t host_turn(ws_manager *manager, uint64_t now_ms);

/* The time by the clock of the loop. */
uint64_t host_now_ms(void);

/* Listens on `text`, ADDRESS:PORT (port 0: any free one), prints the address, and serves clients
 * until SIGINT or SIGTERM. `turn` may be NULL. Returns the exit status. */
int host_run(const char *text, ws_manager *manager, const struct host_endpoint *endpoints,
             size_t n_endpoints, host_turn *turn);

/* As host_run(), with WebSockets at every path. A client is the user that it names by `user_id` in
 * its query; a real service takes the user from a token. */
int host_serve_users(const char *text, ws_manager *manager);

#endif
