/* http_turns.h: which connection's HTTP is worked on next, and how much of it in a turn of the
 * loop.
 * Work is counted by cost, not by requests: a list of orders costs as much as a hundred answers
 * of /healthz, and placing an order of a hundred lines as much as three hundred of them.
 * connection_http.c does the work. */
#ifndef WS_SERVER_HTTP_TURNS_H
#define WS_SERVER_HTTP_TURNS_H

#include <stddef.h>

#include "server/connection/state.h"

/* Costs, in bytes of an answer made of rows; 1 KiB takes some 20 µs. */
enum {
    HTTP_COST_REQUEST = 1024,        /* in addition to the bytes of its answer and its body */
    HTTP_COST_CHANGE = 8 * 1024,     /* a transaction that is written */
    HTTP_COST_HANDSHAKE = 16 * 1024, /* of TLS */

    /* The last piece of work may cost more than is left. */
    HTTP_TURN_COST = 32 * 1024,       /* of all connections of a loop in one turn */
    HTTP_CONNECTION_COST = 16 * 1024, /* of one connection: its share */
};

static inline size_t http_turns_waiting(const struct http_turns *turns)
{
    return turns->light.count + turns->heavy.count;
}

static inline void http_turns_begin(struct http_turns *turns)
{
    turns->left = HTTP_TURN_COST;
}

static inline void http_turns_charge(struct http_turns *turns, size_t cost)
{
    turns->left -= cost < turns->left ? cost : turns->left;
}

/* Makes a connection wait for its turn, unless it waits already. */
void http_turns_wait(struct http_turns *turns, struct connection *connection);

/* Puts a connection at the end of a queue, unless it waits already. */
void http_queue_add(struct http_queue *queue, struct connection *connection);

/* Takes a connection out of its queue, if it is in one. */
void http_queue_remove(struct connection *connection);

#endif
