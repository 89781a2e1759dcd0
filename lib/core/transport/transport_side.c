/* transport_side.c: the core's functions for a transport inside the library. */
#include "core/transport/transport_side.h"

#include "core/clients/disconnect.h"
#include "core/clients/requests.h"
#include "core/connections/slow_client.h"
#include "core/inbox.h"
#include "core/recovery/recovery.h"
#include "core/sending/send.h"

/* --- host calls --------------------------------------------------------------------------- */

ws_loop *transport_call_begin(ws_loop *loop)
{
    loop_busy(loop);
    return loop_enter(loop);
}

void transport_call_end(ws_loop *loop, ws_loop *previous)
{
    if (!loop->running)
        connections_settle(loop);
    loop_idle(loop);
    loop_leave(previous);
}

void transport_call_left(ws_loop *loop)
{
    loop_call_done(loop);
}

/* --- a connection's life --------------------------------------------------------------------- */

int transport_connect(struct connection *connection, ws_loop *loop,
                      const ws_connect_options *options)
{
    return connection_start(connection, loop, options);
}

uint32_t transport_received(struct connection *connection, char *data, size_t length,
                            bool is_text)
{
    return client_handle(connection, data, length, is_text);
}

void transport_filled(struct connection *connection)
{
    connection_backpressure(connection, true);
}

void transport_writable(struct connection *connection)
{
    ws_loop *loop = connection->loop;

    loop_busy(loop);
    connection_backpressure(connection, false);
    recovery_writable(connection);
    loop_idle(loop);
    loop_call_done(loop);
}

void transport_post_end(struct connection *connection, uint16_t code, const char *reason,
                        size_t length)
{
    const ws_allocator *memory = &connection->loop->manager->memory;
    struct account before = account_set_client(connection->loop->number);
    struct command command = {
        .kind = COMMAND_DISCONNECT,
        .close = close_reason_new(memory, code, reason, length),
    };

    if (command.close == NULL || send_own_command(connection, NULL, &command) != WS_OK) {
        memory_free(memory, command.close);
        connection_end(connection, code, NULL);
    }
    account_set(before);
}

void transport_end(struct connection *connection, uint16_t code, const char *reason)
{
    connection_end(connection, code, reason);
}

void transport_gone(struct connection *connection, uint16_t code)
{
    connection_transport_gone(connection, code, NULL);
}
