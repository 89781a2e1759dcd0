/* custom_input.c: processes the messages of the application's own transports, in turns. */
#include "core/clients/custom_input.h"

#include <stddef.h>

#include "core/clients/builtin_messages.h"
#include "core/clients/input.h"
#include "core/connections/custom_queue.h"
#include "core/connections/doom.h"
#include "core/inbox.h"

/* ws_transport::resume is not in the struct's first version. */
enum { TRANSPORT_SIZE_WITH_RESUME = offsetof(ws_transport, resume) + sizeof(void (*)(void)) };

static struct custom_connection *of_input(struct input *input)
{
    return (struct custom_connection *)(uintptr_t)((char *)input -
                                                   offsetof(struct custom_connection, input));
}

static void resume(struct custom_connection *custom)
{
    const ws_transport *transport = custom->transport;

    if (!custom->is_paused || custom_queue_is_full(custom) ||
        custom->connection.state == CONNECTION_GONE)
        return;
    custom->is_paused = false;
    if (transport->size >= TRANSPORT_SIZE_WITH_RESUME && transport->resume != NULL)
        transport->resume(custom->transport_data);
}

static uint32_t serve(ws_loop *loop, struct input *input)
{
    struct custom_connection *custom = of_input(input);
    struct connection *connection = &custom->connection;
    uint32_t cost = 0;

    if (connection_must_wait(connection)) {
        input_wait(loop, input, connection);
        return 0;
    }
    while (connection->state == CONNECTION_LIVE && !connection_must_wait(connection) &&
           custom->first_waiting != NULL && input_may_go_on(loop, input)) {
        struct waiting_message *message = custom_queue_take(custom);

        input_charge(
            loop, input,
            client_handle(connection, message->text, message->length, message->is_text), &cost);
        memory_free(&loop->manager->memory, message);
    }
    if (connection->state != CONNECTION_GONE && custom->first_waiting != NULL)
        input_list_add(&loop->inputs, input);
    resume(custom);
    return cost;
}

int custom_input_add(struct custom_connection *custom, const void *data, size_t length,
                     bool is_text)
{
    struct connection *connection = &custom->connection;

    if (connection->state == CONNECTION_GONE || connection->state == CONNECTION_DOOMED)
        return WS_ERR_CLOSED;
    if (custom_queue_is_full(custom)) {
        custom->is_paused = true;
        return WS_ERR_BACKPRESSURE;
    }
    if (!custom_queue_add(custom, data, length, is_text)) {
        connection_out_of_memory(connection);
        return WS_ERR_NO_MEMORY;
    }
    custom->input.serve = serve;
    if (!custom->input.listed)
        loop_wake(connection->loop);
    input_list_add(&connection->loop->inputs, &custom->input);
    return WS_OK;
}
