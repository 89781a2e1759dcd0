/* outer_input.c: processes the messages of the application's own transports, in turns. */
#include "core/clients/outer_input.h"

#include <stddef.h>

#include "core/clients/input.h"
#include "core/clients/requests.h"
#include "core/connections/outer_queue.h"
#include "core/inbox.h"

/* ws_transport::resume is not in the struct's first version. */
enum { TRANSPORT_SIZE_WITH_RESUME = offsetof(ws_transport, resume) + sizeof(void (*)(void)) };

static struct outer_connection *of_input(struct input *input)
{
    return (struct outer_connection *)(uintptr_t)((char *)input -
                                                  offsetof(struct outer_connection, input));
}

static void resume(struct outer_connection *outer)
{
    const ws_transport *transport = outer->transport;

    if (!outer->is_paused || outer_queue_is_full(outer) ||
        outer->connection.state == CONNECTION_GONE)
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
        input_list_add(&loop->inputs, input);
        return 0;
    }
    while (connection->state == CONNECTION_LIVE && !connection->awaits_room &&
           outer->first_waiting != NULL && input_may_go_on(loop, input)) {
        struct waiting_message *message = outer_queue_take(outer);

        input_charge(
            input, client_handle(connection, message->text, message->length, message->is_text),
            &cost);
        memory_free(&loop->manager->memory, message);
    }
    if (connection->state != CONNECTION_GONE && outer->first_waiting != NULL)
        input_list_add(&loop->inputs, input);
    resume(outer);
    return cost;
}

int outer_input_add(struct outer_connection *outer, const void *data, size_t length,
                    bool is_text)
{
    struct connection *connection = &outer->connection;

    if (connection->state == CONNECTION_GONE || connection->state == CONNECTION_DOOMED)
        return WS_ERR_CLOSED;
    if (outer_queue_is_full(outer)) {
        outer->is_paused = true;
        return WS_ERR_BACKPRESSURE;
    }
    if (!outer_queue_add(outer, data, length, is_text)) {
        connection_out_of_memory(connection);
        return WS_ERR_NO_MEMORY;
    }
    outer->input.serve = serve;
    if (!outer->input.listed)
        loop_wake(connection->loop);
    input_list_add(&connection->loop->inputs, &outer->input);
    return WS_OK;
}
