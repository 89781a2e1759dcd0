/* outer_input.c: messages of the application's own transports, waiting for their turn. */
#include "core/outer_input.h"

#include <stddef.h>
#include <string.h>

#include "core/client.h"
#include "core/disconnect.h"

/* The member of ws_transport that its first version lacked. */
enum { TRANSPORT_SIZE_WITH_RESUME = offsetof(ws_transport, resume) + sizeof(void (*)(void)) };

struct waiting_message {
    struct waiting_message *next;
    size_t length;
    bool is_text;
    char text[];
};

static struct outer_connection *of_input(struct input *input)
{
    return (struct outer_connection *)(uintptr_t)((char *)input -
                                                  offsetof(struct outer_connection, input));
}

static bool is_full(const struct outer_connection *outer)
{
    return outer->n_waiting >= INPUT_HIGH_MESSAGES || outer->waiting_bytes >= INPUT_HIGH_BYTES;
}

static struct waiting_message *take_first(struct outer_connection *outer)
{
    struct waiting_message *message = outer->first_waiting;

    outer->first_waiting = message->next;
    outer->n_waiting--;
    outer->waiting_bytes -= message->length;
    return message;
}

void outer_input_free(struct outer_connection *outer)
{
    input_list_remove(outer->connection.loop, &outer->input);
    while (outer->first_waiting != NULL)
        memory_free(&outer->connection.loop->manager->memory, take_first(outer));
}

static void resume(struct outer_connection *outer)
{
    const ws_transport *transport = outer->transport;

    if (!outer->is_paused || is_full(outer) || outer->connection.state == CONNECTION_GONE)
        return;
    outer->is_paused = false;
    if (transport->size >= TRANSPORT_SIZE_WITH_RESUME && transport->resume != NULL)
        transport->resume(outer->transport_data);
}

static uint32_t serve(ws_loop *loop, struct input *input)
{
    struct outer_connection *outer = of_input(input);
    struct connection *connection = &outer->connection;
    uint32_t cost = 0;

    if (connection_awaits_command(connection)) {
        input_list_add(loop, input);
        return 0;
    }
    while (connection->state == CONNECTION_LIVE && !connection->awaits_room &&
           outer->first_waiting != NULL && input_may_go_on(loop, input)) {
        struct waiting_message *message = take_first(outer);

        input_charge(
            input, client_handle(connection, message->text, message->length, message->is_text),
            &cost);
        memory_free(&loop->manager->memory, message);
    }
    if (connection->state != CONNECTION_GONE && outer->first_waiting != NULL)
        input_list_add(loop, input);
    resume(outer);
    return cost;
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

int outer_input_add(struct outer_connection *outer, const void *data, size_t length,
                    bool is_text)
{
    struct connection *connection = &outer->connection;
    struct waiting_message *message;

    if (connection->state == CONNECTION_GONE || connection->state == CONNECTION_DOOMED)
        return WS_ERR_CLOSED;
    if (is_full(outer)) {
        outer->is_paused = true;
        return WS_ERR_BACKPRESSURE;
    }
    message = copy_message(&connection->loop->manager->memory, data, length, is_text);
    if (message == NULL) {
        connection_out_of_memory(connection);
        return WS_ERR_NO_MEMORY;
    }
    if (outer->first_waiting == NULL)
        outer->first_waiting = message;
    else
        outer->last_waiting->next = message;
    outer->last_waiting = message;
    outer->n_waiting++;
    outer->waiting_bytes += length;
    outer->input.serve = serve;
    if (!outer->input.listed)
        loop_wake(connection->loop);
    input_list_add(connection->loop, &outer->input);
    return WS_OK;
}
