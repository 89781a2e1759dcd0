/* http_turns.h: which connection's HTTP is worked on next, and how much of it in a turn of the loop.
 * Work is counted by what it costs, not by requests: a list of orders costs as much as a hundred
 * answers of /healthz. What the work is, is connection_http.c's business. */
#ifndef BACKEND_HTTP_TURNS_H
#define BACKEND_HTTP_TURNS_H

#include <stdbool.h>
#include <stddef.h>

struct connection;

/* Costs, in bytes of an answer that is made of rows: 1 KiB takes some 20 µs. */
enum {
    HTTP_COST_REQUEST = 1024,        /* beside the bytes of its answer and its body */
    HTTP_COST_TOKEN = 4 * 1024,      /* a signature is checked */
    HTTP_COST_CHANGE = 8 * 1024,     /* a transaction that is written */
    HTTP_COST_HANDSHAKE = 16 * 1024, /* of TLS */

    /* The last piece of work may cost more than is left. */
    HTTP_TURN_COST = 32 * 1024,       /* of all connections of a loop in one turn */
    HTTP_CONNECTION_COST = 16 * 1024, /* of one of them: its share */
};

/* Connections, the one that has waited longest first. */
struct http_queue {
    struct connection *first;
    struct connection *last;
    size_t count;
};

/* Part of what a connection has for HTTP. All zero is one that does not wait. */
struct http_place {
    struct http_queue *queue; /* in which it is; NULL: none */
    struct connection *next;
    struct connection *previous;
};

struct http_turns {
    struct http_queue
        light; /* wait for their turn, and took no more than their share in the last */
    struct http_queue
        heavy; /* took more, or want a long list: one in each turn, others as the turn allows */
    struct http_queue later; /* wait for an answer that is being made */
    size_t left;             /* of this turn's cost */
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

/* Has a connection wait for its turn, if it does not wait already. */
void http_turns_wait(struct http_turns *turns, struct connection *connection);

/* Has a connection wait behind all others of a queue, if it does not wait already. */
void http_queue_add(struct http_queue *queue, struct connection *connection);

/* It waits no more, if it did. */
void http_queue_remove(struct connection *connection);

#endif
