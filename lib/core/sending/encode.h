/* encode.h: writes an event as JSON text, directly into the message that carries it. */
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
    const char *key;     /* NULL: no member "key" */
};

/* Makes the message of an event. It lacks its id: the beginning of the payload is written by
 * encode_finish(). NULL if memory ran out. */
ws_message *encode_event(const ws_allocator *memory, const struct event_fields *event,
                         const ws_conn_id *exclude, size_t n_exclude);

/* Makes the message of an event from its stored text, a JSON object without an id. It lacks its
 * id, as with encode_event(). NULL if memory ran out. */
ws_message *encode_stored(const ws_allocator *memory, const char *text, size_t length,
                          const ws_conn_id *exclude, size_t n_exclude);

/* Makes a copy of an event that lacks its id, with members before its own: `mark` begins with '{',
 * ends with ',' and is plain ASCII; `text` is the event's. It has the exclusions of `from`. NULL if
 * memory ran out. */
ws_message *encode_marked(const ws_allocator *memory, const char *mark, const char *text,
                          size_t length, const ws_message *from);

/* Writes the beginning of the payload: with the id of this position in an epoch, or without an
 * id for position 0. It does little work, because the caller may hold the manager's lock. */
void encode_finish(const ws_manager *manager, ws_message *message, const char *epoch,
                   uint64_t position);

#endif
