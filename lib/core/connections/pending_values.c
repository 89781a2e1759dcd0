/* pending_values.c: what rooms keep for one client, and it has not received yet. */
#include "core/connections/pending_values.h"

#include <string.h>

bool pending_values_add(struct pending_values *values, const ws_allocator *memory,
                        ws_message **messages, size_t count)
{
    size_t left = pending_values_left(values);
    ws_message **grown;

    if (values->next > 0)
        memmove(values->messages, values->messages + values->next,
                left * sizeof *values->messages);
    values->count = left;
    values->next = 0;
    grown = memory_realloc(memory, values->messages, (left + count) * sizeof *grown);
    if (grown == NULL)
        return false;
    memcpy(grown + left, messages, count * sizeof *messages);
    values->messages = grown;
    values->count += count;
    for (size_t i = 0; i < count; i++)
        values->bytes += messages[i]->payload_bytes;
    return true;
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
    values->count = values->next = 0;
    return dropped;
}
