/* command.c: carrying out the commands of an inbox, on the loop's thread. */
#include "core/command.h"

#include "core/client.h"
#include "core/disconnect.h"
#include "core/presence.h"
#include "core/room.h"
#include "core/send.h"

/* From the last member to the first. When one leaves meanwhile (a transport may call anything),
 * the last one moves to its place: that is either one that was reached before, and `walk` says
 * so, or one still to come, and it stays ahead. So nobody is skipped and nobody is reached
 * twice. */
static void deliver_event(ws_loop *loop, const struct share *share, ws_message *message)
{
    uint64_t walk = ++loop->walk;

    for (uint32_t place = share->count; place-- > 0;) {
        struct connection *connection;

        if (place >= share->count)
            continue;
        connection = share->members[place].connection;
        if (connection->walk == walk || connection->protocol == WS_PROTOCOL_RAW ||
            message_excludes(message, connection->id))
            continue;
        connection->walk = walk;
        connection_deliver(connection, message);
    }
}

static void connect_connection(struct connection *connection, uint64_t position)
{
    ws_loop *loop = connection->loop;
    ws_manager *manager = loop->manager;
    const ws_manager_options *options = &manager->options;
    struct connection_view view;

    if (connection->state != CONNECTION_PENDING)
        return;
    if (connection->doom_code != 0) {
        connection_end(connection, connection->doom_code, connection->doom_reason);
        return;
    }
    if (connection_activate(connection) != WS_OK) {
        connection_end(connection, 1013, "out of memory");
        return;
    }
    counter_add(&loop->counters, COUNTER_connections_opened, 1);
    if (connection->protocol == WS_PROTOCOL_JSON) {
        connection_view(connection, &view);
        presence_send(manager, "user_connected", view.info.id, view.info.user_id);
        client_welcome(connection, position);
    }
    if (connection->state == CONNECTION_GONE)
        return;
    connection->announced = true;
    if (options->on_connect != NULL)
        options->on_connect(manager, connection_view(connection, &view),
                            manager->options.user_data);
}

/* Each end takes its member out, so the walk is over when nobody is left. */
static void drain(ws_loop *loop, const struct detail *detail)
{
    for (size_t kind = GROUP_EVERYONE; kind <= GROUP_RAW; kind++) {
        struct share *share = loop->unnamed[kind];

        while (share->count > 0)
            connection_end(share->members[share->count - 1].connection, detail->code,
                           detail->text);
    }
}

/* What the client said before its end has been carried out by now, and the application may have
 * answered: the end comes after these answers. */
static void finish(struct command *command)
{
    struct connection *connection = command->connection;
    uint16_t code = command->detail->code;
    struct command end = {.kind = COMMAND_DISCONNECT, .detail = command->detail};

    command->detail = NULL;
    if (send_command(connection->loop->manager, connection->id, NULL, &end, false) != WS_OK)
        connection_end(connection, code, NULL);
}

void command_carry_out(ws_loop *loop, struct command *command)
{
    struct connection *connection = command->connection;

    switch (command->kind) {
    case COMMAND_EVENT:
        deliver_event(loop, command->share, command->message);
        break;
    case COMMAND_SEND:
        connection_deliver(connection, command->message);
        break;
    case COMMAND_CONNECT:
        connect_connection(connection, command->position);
        break;
    case COMMAND_RECEIVE:
        client_handle(connection, command->detail);
        break;
    case COMMAND_JOIN:
        room_join(connection, command->share);
        break;
    case COMMAND_LEAVE:
        room_leave(connection, command->share);
        break;
    case COMMAND_FINISH:
        finish(command);
        break;
    case COMMAND_DISCONNECT:
        connection_end(connection, command->detail->code, command->detail->text);
        break;
    case COMMAND_DRAIN:
        drain(loop, command->detail);
        break;
    }
    connections_settle(loop);
}

void command_release(const ws_manager *manager, struct command *command)
{
    if (command->message != NULL)
        ws_message_unref(command->message);
    memory_free(&manager->memory, command->detail);
    command->message = NULL;
    command->detail = NULL;
}

void command_unpin(ws_manager *manager, const struct command *command)
{
    if (command->share != NULL)
        registry_unpin(&manager->registry, command->share);
    if (command->connection != NULL) {
        command->connection->pins--;
        connection_free_if_unused(command->connection);
    }
}
