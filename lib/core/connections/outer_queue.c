/* outer_queue.c: the bounded queue of client messages that each connection of an application's
 * own transport has. */
#include "core/connections/outer_queue.h"

#include <string.h>

bool outer_queue_is_full(const struct outer_connection *outer)
{
    return outer->n_waiting >= INPUT_HIGH_MESSAGES || outer->waiting_bytes >= INPUT_HIGH_BYTES;
}

struct waiting_message *outer_queue_take(struct outer_connection *outer)
{
    struct waiting_message *message = outer->first_waiting;

    outer->first_waiting = message->next;
    outer->n_waiting--;
    outer->waiting_bytes -= message->length;
    return message;
}

void outer_queue_free(struct outer_connection *outer)
{
    input_list_remove(&outer->connection.loop->inputs, &outer->input);
    while (outer->first_waiting != NULL)
        memory_free(&outer->connection.loop->manager->memory, outer_queue_take(outer));
}

static struct waiting_message *copy_message(const ws_allocator *memory, const void *data,
                                            size_t length, bool is_text)
{
    struct waiting_message *message = memory_alloc(memory, sizeof *message + length);

    if (message == NULL)
        return NULL;
    *message = (struct waiting_message){.length = length, .is_text = is_text};
    if (length > 0)
        memcpy(message->text, data, length);
    return message;
}

bool outer_queue_add(struct outer_connection *outer, const void *data, size_t length,
                     bool is_text)
{
    struct waiting_message *message =
        copy_message(&outer->connection.loop->manager->memory, data, length, is_text);

    if (message == NULL)
        return false;
    if (outer->first_waiting == NULL)
        outer->first_waiting = message;
    else
        outer->last_waiting->next = message;
    outer->last_waiting = message;
    outer->n_waiting++;
    outer->waiting_bytes += length;
    return true;
}
