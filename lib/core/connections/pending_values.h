/* pending_values.h: what rooms keep (events/last_values.h) for one client that has entered
 * them, and that it has not received yet because it reads slowly.
 * Not here: who collects and delivers it (recovery/). */
#ifndef WS_CORE_CONNECTIONS_PENDING_VALUES_H
#define WS_CORE_CONNECTIONS_PENDING_VALUES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/events/message.h"
#include "core/input_list.h"

/* While a client has so many, it enters no further room of those that it named when it
 * connected. With those of one room more, this is the most that a connection has. */
enum { PENDING_VALUES_MANY = 1024 };

struct pending_values {
    ws_message **messages; /* each with a reference, from `next` on */
    size_t count;
    size_t next;        /* those before it were taken */
    struct input *held; /* of the client: it waits until none are left; NULL: none waits */
};

static inline size_t pending_values_left(const struct pending_values *values)
{
    return values->count - values->next;
}

/* Adds messages and takes over their references, not the array. False if memory ran out:
 * nothing was taken. */
bool pending_values_add(struct pending_values *values, const ws_allocator *memory,
                        ws_message **messages, size_t count);

/* Takes the next one, with its reference. There is one. */
static inline ws_message *pending_values_take(struct pending_values *values)
{
    return values->messages[values->next++];
}

/* Gives back the references of at most `most`; returns of how many. Frees the array if none are
 * left. */
size_t pending_values_drop(struct pending_values *values, const ws_allocator *memory,
                           size_t most);

#endif
