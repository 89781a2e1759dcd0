/* custom_queue.h: the bounded queue of client messages that each connection of an application's
 * own transport has. Not here: the turns in which they are processed
 * (clients/custom_input.h). */
#ifndef WS_CORE_CONNECTIONS_CUSTOM_QUEUE_H
#define WS_CORE_CONNECTIONS_CUSTOM_QUEUE_H

#include "core/connections/connection.h"

struct waiting_message {
    struct waiting_message *next;
    size_t length;
    bool is_text;
    char text[];
};

/* Whether no further message may be added. */
bool custom_queue_is_full(const struct custom_connection *custom);

/* Adds a copy of a message; false if memory ran out. */
bool custom_queue_add(struct custom_connection *custom, const void *data, size_t length,
                      bool is_text);

/* Removes the oldest message, which the caller frees. The queue must not be empty. */
struct waiting_message *custom_queue_take(struct custom_connection *custom);

/* Frees the waiting messages and removes the connection from the loop's inputs. */
void custom_queue_free(struct custom_connection *custom);

#endif
