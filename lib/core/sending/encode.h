/* encode.h: an event as JSON text, written straight into the message that carries it. */
#ifndef WS_CORE_SENDING_ENCODE_H
#define WS_CORE_SENDING_ENCODE_H

#include <stddef.h>
#include <stdint.h>

#include "core/events/message.h"
#include "core/manager.h"

struct event_fields {
    const char *type;
    const char *data; /* valid JSON */
    size_t data_length;
    int64_t timestamp_ms;
    const char *user_id; /* NULL: null */
    const char *room;    /* NULL: no member "room" */
};

/* The message of an event, complete but for its id: until encode_finish() the payload lacks its
 * beginning. NULL if memory ran out. */
ws_message *encode_event(const ws_allocator *memory, const struct event_fields *event,
                         const ws_conn_id *exclude, size_t n_exclude);

/* The same of a text that was stored, an object without an id. */
ws_message *encode_stored(const ws_allocator *memory, const char *text, size_t length,
                          const ws_conn_id *exclude, size_t n_exclude);

/* Writes the beginning: with the id of this position in an epoch, or without an id for position 0.
 * Short, since the manager's lock is held when it matters. */
void encode_finish(const ws_manager *manager, ws_message *message, const char *epoch,
                   uint64_t position);

#endif
