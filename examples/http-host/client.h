/* client.h: the clients' sockets: HTTP requests, and the WebSockets that some of them become. Not
 * here: the loop (host.c), the parsing of requests (request_reader.h). */
#ifndef HTTP_HOST_CLIENT_H
#define HTTP_HOST_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host.h"

struct client;

/* The client that was added last is the last. */
struct client_list {
    struct client *first;
    struct client *last;
};

struct host {
    ws_loop *loop;
    const struct host_endpoint *endpoints;
    size_t n_endpoints;
    int epoll;
    int listener;
    int signals;
    bool stopped;
    uint64_t accept_again_ms;   /* WS_NO_DEADLINE: the listener is watched */
    struct client_list waiting; /* for a request's head; the longest wait is first */
    struct client_list clients; /* the others */
};

/* Makes a client of a socket and watches it; false if memory ran out. */
bool client_new(struct host *host, int fd, uint64_t now_ms);

/* Handles events of its socket; the client may be dropped. */
void client_serve(struct client *client, uint32_t events, uint64_t now_ms);

/* Writes what waits for it; the client may be dropped. */
void client_write(struct client *client, uint64_t now_ms);

/* Drops the clients whose head has not come in time. Returns when the next one is due. */
uint64_t clients_drop_silent(struct host *host, uint64_t now_ms);

void clients_drop_all(struct host *host);

#endif
