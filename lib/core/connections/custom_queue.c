/* custom_queue.c: the bounded queue of client messages that each connection of an application's
 * own transport has. */
#include "core/connections/custom_queue.h"

#include <string.h>

bool custom_queue_is_full(const struct custom_connection *custom)
{
    return custom->n_waiting >= INPUT_HIGH_MESSAGES ||
           custom->waiting_bytes >= INPUT_HIGH_BYTES;
}

struct waiting_message *custom_queue_take(struct custom_connection *custom)
{
    struct waiting_message *message = custom->first_waiting;

    custom->first_waiting = message->next;
    custom->n_waiting--;
    custom->waiting_bytes -= message->length;
    return message;
}

void custom_queue_free(struct custom_connection *custom)
{
    input_list_remove(&custom->connection.loop->inputs, &custom->input);
    while (custom->first_waiting != NULL)
        memory_free(&custom->connection.loop->manager->memory, custom_queue_take(custom));
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

bool custom_queue_add(struct custom_connection *custom, const void *data, size_t length,
                      bool is_text)
{
    struct waiting_message *message =
        copy_message(&custom->connection.loop->manager->memory, data, length, is_text);

    if (message == NULL)
        return false;
    if (custom->first_waiting == NULL)
        custom->first_waiting = message;
    else
        custom->last_waiting->next = message;
    custom->last_waiting = message;
    custom->n_waiting++;
    custom->waiting_bytes += length;
    return true;
}
