/* memory_host.h: a host without sockets. Clients are entries of an array; their input is real
 * bytes, and their output is counted, examined, or left unread. Not here: what is measured. */
#ifndef BENCH_MEMORY_HOST_H
#define BENCH_MEMORY_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ws_manager/ws_manager.h>

/* All that the host stores for a connection. It is small, so that memory can be measured. */
struct memory_client {
    ws_websocket *websocket; /* NULL before the handshake and after the connection's end */
    uint32_t n_events;       /* counted by memory_host_count_events() */
    bool slow;               /* it reads nothing */
};

/* Set up by memory_host_options_init(). */
struct memory_host_options {
    ws_manager_options manager;
    ws_endpoint_options endpoint;
    ws_loop_options loop;
};

struct memory_host {
    ws_manager *manager;
    ws_loop *loop;
    ws_endpoint *endpoint;
    struct memory_client *clients;
    size_t n_clients;
    const char *more_query; /* appended to each request's query, "&NAME=VALUE"; NULL: none */
    uint64_t n_bytes;       /* read by all clients */
    uint64_t n_events;      /* counted by memory_host_count_events() */

    /* Called with what a client reads: one or more complete frames. May be NULL. */
    void (*on_output)(struct memory_host *host, struct memory_client *client,
                      const uint8_t *bytes, size_t length);
};

/* Fills in the defaults, except for no presence events and no limit on connections. */
void memory_host_options_init(struct memory_host_options *options);

/* Opens a host for this number of clients. None of them is connected yet. `options` may be NULL. */
void memory_host_open(struct memory_host *host, const struct memory_host_options *options,
                      size_t n_clients);

/* Ends all connections and frees everything. */
void memory_host_close(struct memory_host *host);

/* Connects the clients from `first` up to, not including, `end`. Each is a different user. The last
 * argument is the number of handshakes per turn. */
void memory_host_connect(struct memory_host *host, size_t first, size_t end, size_t in_a_turn);

/* Receives a text message of at most CLIENT_TEXT_MAX bytes from a client. */
void memory_host_receive(struct memory_host *host, size_t client, const char *text);

/* The client disconnects, as when a read returns 0 bytes. */
void memory_host_eof(struct memory_host *host, size_t client);

/* The id of the client's connection. */
ws_conn_id memory_host_id(const struct memory_host *host, size_t client);

/* Emits order_created with the sample order, to everyone or to the room that it is routed to. */
void memory_host_emit(struct memory_host *host);
void memory_host_route(struct memory_host *host, const char *room);

/* Joins a client to a room, as the application would. */
void memory_host_join(struct memory_host *host, size_t client, const char *room);

/* Runs the loop until it has no more work, then takes all output. */
void memory_host_turn(struct memory_host *host);

/* The socket of a client that was slow accepts bytes again. */
void memory_host_writable(struct memory_host *host, size_t client);

/* An on_output for open clients that receive only text frames. */
void memory_host_count_events(struct memory_host *host, struct memory_client *client,
                              const uint8_t *bytes, size_t length);

#endif
