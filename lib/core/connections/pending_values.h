/* pending_values.h: what rooms keep (events/last_values.h) for one client that has entered
 * them, and that it has not received yet because it reads slowly. Where no history is kept, the
 * events that follow wait behind it.
 * Not here: who collects and delivers it (recovery/). */
#ifndef WS_CORE_CONNECTIONS_PENDING_VALUES_H
#define WS_CORE_CONNECTIONS_PENDING_VALUES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/events/message.h"
#include "core/input_list.h"

/* While a client has so many, or so many bytes of them, it enters no further room of those that it
 * named when it connected. With those of one room more, this is the most that a connection has,
 * unless its client upgrades from polling, and so cannot read for a while.
 * Bytes count, too, because a newer value replaces one in the room, but not one that waits. */
enum { PENDING_VALUES_MANY = 1024, PENDING_VALUES_MANY_BYTES = 1 << 20 };

/* While so many bytes of events wait, with their headers, no further event does: as many as the
 * queue of a WebSocket holds by default. */
enum { PENDING_EVENTS_MAX_BYTES = 1 << 20 };

struct pending_values {
    ws_message **messages; /* each with a reference, from `next` on */
    size_t capacity;
    size_t count;
    size_t next;        /* those before it were taken */
    size_t bytes;       /* of those that are left */
    size_t event_bytes; /* of the events among these, with their headers */
    bool skips_events;  /* the client will be notified that it missed those that come now */
    struct input *held; /* of the client: it waits until none are left; NULL: none waits */
};

static inline size_t pending_values_left(const struct pending_values *values)
{
    return values->count - values->next;
}

static inline bool pending_values_have_many_bytes(const struct pending_values *values)
{
    return values->bytes >= PENDING_VALUES_MANY_BYTES;
}

/* Whether `times` times PENDING_VALUES_MANY wait, or `times` times PENDING_VALUES_MANY_BYTES. */
static inline bool pending_values_reach(const struct pending_values *values, size_t times)
{
    return pending_values_left(values) >= times * PENDING_VALUES_MANY ||
           values->bytes >= times * PENDING_VALUES_MANY_BYTES;
}

static inline bool pending_values_are_many(const struct pending_values *values)
{
    return pending_values_reach(values, 1);
}

/* Whether a message is an event, not a value: only events are places in the order. */
static inline bool pending_is_event(const ws_message *message)
{
    return message->has_id;
}

/* Adds messages and takes over their references, not the array. False if memory ran out:
 * nothing was taken. */
bool pending_values_add(struct pending_values *values, const ws_allocator *memory,
                        ws_message **messages, size_t count);

/* Adds an event that is not skipped, and takes over its reference. WS_OK; if nothing was taken,
 * WS_ERR_DROPPED because too many wait, or WS_ERR_NO_MEMORY. */
int pending_values_add_event(struct pending_values *values, const ws_allocator *memory,
                             ws_message *event);

/* The next one. There is one. */
static inline ws_message *pending_values_first(const struct pending_values *values)
{
    return values->messages[values->next];
}

/* Takes it, with its reference. */
ws_message *pending_values_take(struct pending_values *values);

/* Gives back the references of at most `most`; returns of how many. Frees the array if none are
 * left. */
size_t pending_values_drop(struct pending_values *values, const ws_allocator *memory,
                           size_t most);

#endif
