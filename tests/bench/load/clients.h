/* clients.h: the generator's connections to the server, and the epoll loop that drives them.
 * Not here: what they speak (protocol.h), what is sent and when (modes.h). */
#ifndef LOAD_CLIENTS_H
#define LOAD_CLIENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/frame.h"
#include "options.h"

struct protocol;

enum client_state {
    CLIENT_CLOSED,
    CLIENT_CONNECTING,
    CLIENT_REQUESTING, /* the first request is sent */
    CLIENT_JOINING,    /* of Socket.IO: the socket is asked for */
    CLIENT_OPEN
};

enum { SESSION_MAX = 64 };

/* Of a client that polls: the second part of its requests' query, what it will post next, and
 * whether the request that waits for an answer is a POST. */
struct polling {
    char session[SESSION_MAX + 8];
    struct bytes unsent;
    bool is_post;
};

struct client {
    int fd;
    enum client_state state;
    const struct protocol *protocol;
    struct bytes received; /* what is not complete yet */
    struct polling polling;
};

struct clients {
    const struct options *options;
    struct client *all;
    size_t count;
    size_t n_open;
    size_t n_lost;  /* refused or closed by the server */
    size_t n_begun; /* connections begun so far */
    uint64_t wire_bytes;
    uint64_t received_ns; /* when the last bytes were read */
    int epoll;
    /* Called when a message has arrived, in a WebSocket's data frame or otherwise. May be NULL. */
    void (*on_frame)(struct clients *clients, struct client *client, const struct frame *frame);
    /* Called when the server has admitted the client. May be NULL. */
    void (*on_open)(struct clients *clients, struct client *client);
    void *mode; /* the mode's state */
};

/* Returns false after printing the reason on stderr. */
bool clients_init(struct clients *clients, const struct options *options, size_t count);
void clients_free(struct clients *clients);

/* Opens all connections, a few at a time, and waits until nothing more arrives. Returns false after
 * printing on stderr how many are open. */
bool clients_open_all(struct clients *clients);

/* Handles what arrives within this time. Returns how many sockets had an event. */
int clients_turn(struct clients *clients, uint64_t wait_ns);

/* Runs turns until nothing has arrived for a while. */
void clients_settle(struct clients *clients);

void client_connect(struct clients *clients, struct client *client);
void client_send(struct clients *clients, struct client *client, const void *data,
                 size_t length);

/* client_reset() ends the connection with a reset, so that no port stays in TIME_WAIT.
 * client_close() ends it as the exit of a process does. */
void client_reset(struct clients *clients, struct client *client);
void client_close(struct clients *clients, struct client *client);

#endif
