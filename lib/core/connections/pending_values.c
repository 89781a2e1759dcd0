/* pending_values.c: what rooms keep for one client, and it has not received yet. */
#include "core/connections/pending_values.h"

#include <string.h>

#include <ws_manager/error.h>

/* Makes room for `count` more. Those that were taken give up their places only when they are as
 * many as the others: an event that is added alone does not move thousands of values. */
static bool reserve(struct pending_values *values, const ws_allocator *memory, size_t count)
{
    size_t left = pending_values_left(values);
    size_t capacity = values->capacity + values->capacity / 2;
    ws_message **grown;

    if (values->next > 0 && values->next >= left) {
        memmove(values->messages, values->messages + values->next,
                left * sizeof *values->messages);
        values->count = left;
        values->next = 0;
    }
    if (count <= values->capacity - values->count)
        return true;
    if (capacity < values->count + count)
        capacity = values->count + count;
    grown = memory_realloc(memory, values->messages, capacity * sizeof *grown);
    if (grown == NULL)
        return false;
    values->messages = grown;
    values->capacity = capacity;
    return true;
}

static size_t event_cost(const ws_message *message)
{
    return pending_is_event(message) ? message->payload_bytes + sizeof *message : 0;
}

bool pending_values_add(struct pending_values *values, const ws_allocator *memory,
                        ws_message **messages, size_t count)
{
    if (!reserve(values, memory, count))
        return false;
    memcpy(values->messages + values->count, messages, count * sizeof *messages);
    values->count += count;
    for (size_t i = 0; i < count; i++) {
        values->bytes += messages[i]->payload_bytes;
        values->event_bytes += event_cost(messages[i]);
    }
    return true;
}

int pending_values_add_event(struct pending_values *values, const ws_allocator *memory,
                             ws_message *event)
{
    if (values->event_bytes >= PENDING_EVENTS_MAX_BYTES)
        return WS_ERR_DROPPED;
    return pending_values_add(values, memory, &event, 1) ? WS_OK : WS_ERR_NO_MEMORY;
}

ws_message *pending_values_take(struct pending_values *values)
{
    ws_message *message = values->messages[values->next++];

    values->bytes -= message->payload_bytes;
    values->event_bytes -= event_cost(message);
    return message;
}

size_t pending_values_drop(struct pending_values *values, const ws_allocator *memory,
                           size_t most)
{
    size_t dropped = 0;

    while (dropped < most && pending_values_left(values) > 0) {
        ws_message_unref(pending_values_take(values));
        dropped++;
    }
    if (pending_values_left(values) > 0)
        return dropped;
    memory_free(memory, values->messages);
    values->messages = NULL;
    values->capacity = values->count = values->next = 0;
    return dropped;
}
