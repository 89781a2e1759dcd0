/* memory_host.h: a host without sockets: clients that are entries of an array, real bytes handed
 * in, and output that is counted, looked at, or left unread. Not here: what is measured. */
#ifndef BENCH_MEMORY_HOST_H
#define BENCH_MEMORY_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ws_manager/ws_manager.h>

/* All that the host keeps of a connection: so little that memory can be measured. */
struct memory_client {
    ws_websocket *websocket; /* NULL before the handshake and after the end */
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
    const char *more_query; /* of each client's request, "&NAME=VALUE"; NULL: no more */
    uint64_t n_bytes;       /* that all clients have read */
    uint64_t n_events;      /* counted by memory_host_count_events() */

    /* What a client reads, one or several whole frames; may be NULL. */
    void (*on_output)(struct memory_host *host, struct memory_client *client,
                      const uint8_t *bytes, size_t length);
};

/* No presence events, and no limit on connections; else the defaults. */
void memory_host_options_init(struct memory_host_options *options);

/* Opens a host of so many clients, none of which is connected. Options may be NULL. */
void memory_host_open(struct memory_host *host, const struct memory_host_options *options,
                      size_t n_clients);

/* Ends and frees everything. */
void memory_host_close(struct memory_host *host);

/* Connects the clients from `first` up to but not with `end`, each as a user of its own, so many
 * handshakes in a turn. */
void memory_host_connect(struct memory_host *host, size_t first, size_t end, size_t in_a_turn);

/* A text message of at most CLIENT_TEXT_MAX bytes comes from a client. */
void memory_host_receive(struct memory_host *host, size_t client, const char *text);

/* The client has gone: as a read of 0 bytes. */
void memory_host_eof(struct memory_host *host, size_t client);

/* The connection's id. */
ws_conn_id memory_host_id(const struct memory_host *host, size_t client);

/* Emits order_created with the sample order, to everyone or to the room that it was routed to. */
void memory_host_emit(struct memory_host *host);
void memory_host_route(struct memory_host *host, const char *room);

/* The application puts a client into a room. */
void memory_host_join(struct memory_host *host, size_t client, const char *room);

/* Runs the loop until it has nothing more to do, then takes all output. */
void memory_host_turn(struct memory_host *host);

/* The socket of a client that was slow takes bytes again. */
void memory_host_writable(struct memory_host *host, size_t client);

/* An on_output for clients that are open and get nothing but texts. */
void memory_host_count_events(struct memory_host *host, struct memory_client *client,
                              const uint8_t *bytes, size_t length);

#endif
