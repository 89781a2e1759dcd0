/* websocket_life.h: a host in memory with two WebSockets, for runs in which allocations fail: it
 * continues after failures. Not here: its clients' messages and the expected answers. */
#ifndef FAULTS_WEBSOCKET_LIFE_H
#define FAULTS_WEBSOCKET_LIFE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ws_manager/ws_manager.h>

#include "websocket/client.h"

enum { N_CLIENTS = 2, GOT_MAX_BYTES = 1 << 16 };

struct client {
    ws_websocket *websocket; /* NULL: there was no memory for it */
    char got[GOT_MAX_BYTES];
    size_t length;
};

struct websocket_life {
    ws_manager *manager;
    ws_loop *loop;
    ws_endpoint *endpoint;
    struct client clients[N_CLIENTS];
    uint64_t now_ms;
};

/* Returns false if there is no manager, loop or endpoint; must be ended in any case. */
bool life_begin(struct websocket_life *life, const ws_manager_options *options,
                const ws_endpoint_options *endpoint_options);

/* Runs the loop until it has nothing more to do, and writes its output. */
void life_turn(struct websocket_life *life);

/* Every client sends the same bytes; then a turn is run. */
void life_feed(struct websocket_life *life, const struct bytes *bytes);

void life_end(struct websocket_life *life);

/* Checks that every client has received each of these texts. */
void life_expect(const struct websocket_life *life, const char *const *texts, size_t n_texts);

#endif
