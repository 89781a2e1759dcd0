/* outer_queue.h: messages of the application's own transports that wait for their turn, a bounded
 * number for each connection. Not here: the turns (clients/outer_input.h). */
#ifndef WS_CORE_CONNECTIONS_OUTER_QUEUE_H
#define WS_CORE_CONNECTIONS_OUTER_QUEUE_H

#include "core/connections/connection.h"

struct waiting_message {
    struct waiting_message *next;
    size_t length;
    bool is_text;
    char text[];
};

/* Whether no more is to be added. */
bool outer_queue_is_full(const struct outer_connection *outer);

/* Adds a copy of a message; false if memory ran out. */
bool outer_queue_add(struct outer_connection *outer, const void *data, size_t length,
                     bool is_text);

/* The message that waits for the longest, for the caller to free; there must be one. */
struct waiting_message *outer_queue_take(struct outer_connection *outer);

/* Frees what waits; the connection is not served any more. */
void outer_queue_free(struct outer_connection *outer);

#endif
