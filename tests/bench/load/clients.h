/* clients.h: the generator's connections to the server, and the epoll loop that drives them:
 * connecting, handshake, frames in, bytes out. What is sent and when is the modes'. */
#ifndef LOAD_CLIENTS_H
#define LOAD_CLIENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/frame.h"
#include "options.h"

enum client_state { CLIENT_CLOSED, CLIENT_CONNECTING, CLIENT_UPGRADING, CLIENT_OPEN };

struct client {
    int fd;
    enum client_state state;
    struct bytes received; /* the beginning of a frame or of the answer's head */
};

struct clients {
    const struct options *options;
    struct client *all;
    size_t count;
    size_t n_open;
    size_t n_lost;  /* that the server refused or closed */
    size_t n_begun; /* connections that were ever begun */
    uint64_t wire_bytes;
    uint64_t received_ns; /* when the last bytes were read */
    int epoll;
    char request[1024];
    /* A data frame came; may be NULL. */
    void (*on_frame)(struct clients *clients, struct client *client, const struct frame *frame);
    /* The handshake was answered; may be NULL. */
    void (*on_open)(struct clients *clients, struct client *client);
    void *mode; /* the mode's own */
};

/* False after saying on stderr what is wrong. */
bool clients_init(struct clients *clients, const struct options *options, size_t count);
void clients_free(struct clients *clients);

/* Opens all, a few at a time, and waits until nothing more comes. False after saying on stderr
 * how many were not opened. */
bool clients_open_all(struct clients *clients);

/* Handles what comes within this time; returns how many sockets had something. */
int clients_turn(struct clients *clients, uint64_t wait_ns);

/* Turns until nothing came for a while. */
void clients_settle(struct clients *clients);

void client_connect(struct clients *clients, struct client *client);
void client_send(struct clients *clients, struct client *client, const void *data,
                 size_t length);

/* With a reset, so that no port is left waiting, or like a process that ends. */
void client_reset(struct clients *clients, struct client *client);
void client_close(struct clients *clients, struct client *client);

#endif
