/* node.h: stands for a process with a manager, one client and a carrier; several exist in a test's
 * process and take turns. Not here: Redis (server.h). For one thread. */
#ifndef REDIS_TESTS_NODE_H
#define REDIS_TESTS_NODE_H

#include <poll.h>
#include <stdbool.h>

#include <ws_manager/redis.h>

#include "support/host.h"

enum { NODE_MAX_FDS = 3, NODE_MAX_EVENTS = 100000, NODE_PATIENCE_MS = 30000 };

struct node {
    struct host host;
    ws_redis_options options; /* change them between node_init() and node_open() */
    ws_redis *redis;
    struct test_memory memory; /* of the carrier */
    struct client client;
    struct pollfd fds[NODE_MAX_FDS];
    uint64_t deadline_ms;
    uint64_t skipped_ms; /* how far its loop's clock is ahead */
    uint64_t ahead_ms; /* how far the carrier's clock is ahead; may be set before node_open() */
    bool is_woken;
    unsigned n_wakes;
    bool is_stuck; /* its loop is not run: events for it wait in the manager */

    unsigned n_told; /* calls of on_state() */
    int connected;   /* from on_state() */
    char state[256];
    const char *expected_state; /* NULL: none */
    unsigned n_expected;        /* calls of on_state() with a text that contains it */

    int *got; /* the numbers of the events that the client received, in order */
    size_t n_got;
    size_t n_missed; /* how often the client was notified that it missed something */

    size_t n_stored; /* see node_emit_asking() */
    size_t n_not_stored;
    char stored_id[64];
};

void node_init(struct node *node, const char *name, const char *uri);
void node_open(struct node *node);

/* node_init() and node_open(). */
void node_start(struct node *node, const char *name, const char *uri);
void node_close(struct node *node);

/* Emits {"n":number} to everyone; returns the result of sending it. */
int node_emit(struct node *node, int number);

/* As node_emit(), with on_stored() for the event. The producer is NULL: none. */
int node_emit_asking(struct node *node, int number, const char *producer, uint64_t sequence);

/* Emits each number from `first` to `last`; all must be accepted. */
void node_emit_numbers(struct node *node, int first, int last);

/* All open nodes wait a moment for input, and handle it. */
void nodes_turn(void);

uint64_t node_clock_ms(void);

/* A number from ws_redis_get_stats(). */
uint64_t node_stat(const struct node *node, const char *name);

/* Runs turns until the condition holds. */
#define UNTIL(condition)                                                                       \
    for (uint64_t until_ms = node_clock_ms() + NODE_PATIENCE_MS; !(condition); nodes_turn())   \
    ck_assert_msg(node_clock_ms() < until_ms, "never: %s", #condition)

/* Checks that the client received the numbers from `first` to `last`, each once, in order, and
 * nothing else since the last call. */
void node_expect(struct node *node, int first, int last);

/* As node_expect(), and checks that all of the node's own events up to `last` are stored. */
void node_expect_stored(struct node *node, int first, int last);

#endif
