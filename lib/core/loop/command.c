/* command.c: executes the commands of an inbox, on the loop's thread. */
#include "core/loop/command.h"

#include <string.h>

#include "core/clients/disconnect.h"
#include "core/clients/drain.h"
#include "core/clients/input.h"
#include "core/clients/requests.h"
#include "core/connections/delivery.h"
#include "core/costs.h"
#include "core/inbox.h"
#include "core/recovery/page_waits.h"
#include "core/recovery/recovery.h"
#include "core/rooms/membership.h"
#include "core/rooms/rooms.h"
#include "core/sending/presence.h"
#include "core/sending/send.h"
#include "core/work.h"

static void spend(uint32_t *budget, uint32_t cost)
{
    *budget -= *budget < cost ? *budget : cost;
}

/* Joins the remaining rooms of the client's list, within the budget: the list may be as long as
 * the application allows, and each name may call the application. True when the list is
 * done. */
static bool enter_rooms(struct connection *connection, struct command *command,
                        uint32_t *budget)
{
    const ws_manager *manager = connection->loop->manager;
    struct recovery *recovery = command->recovery;

    while (recovery->n_rooms > 0 && connection->state == CONNECTION_LIVE) {
        const char *room = recovery->rooms + recovery->next_room;

        if (*budget == 0)
            return false;
        spend(budget, room_cost(manager));
        recovery->next_room += strlen(room) + 1;
        recovery->n_rooms--;
        client_join(connection, room);
    }
    command->recovery = NULL;
    recovery_rooms_entered(manager, recovery);
    return true;
}

static void announce(struct connection *connection)
{
    ws_manager *manager = connection->loop->manager;
    const ws_manager_options *options = &manager->options;
    struct connection_view view;

    if (connection->state == CONNECTION_GONE)
        return;
    connection->announced = true;
    if (options->on_connect != NULL)
        options->on_connect(manager, connection_view(connection, &view), options->user_data);
}

/* Makes a connection live, or continues to join its rooms. True when all is done. */
static bool connect_connection(struct connection *connection, struct command *command,
                               uint32_t *budget)
{
    ws_loop *loop = connection->loop;
    struct recovery *recovery = command->recovery;
    struct connection_view view;

    if (recovery != NULL && recovery->use == RECOVERY_ENTERS_ROOMS)
        return enter_rooms(connection, command, budget);
    if (connection->state != CONNECTION_PENDING)
        return true;
    if (connection->doom != DOOM_NONE) {
        connection_end(connection, doom_code(connection->doom), doom_reason(connection->doom));
        return true;
    }
    if (membership_begin(connection) != WS_OK) {
        connection_end(connection, WS_CLOSE_TRY_AGAIN_LATER, "out of memory");
        return true;
    }
    counter_add(&loop->counters, COUNTER_connections_opened, 1);
    if (connection->protocol == WS_PROTOCOL_JSON) {
        connection_view(connection, &view);
        presence_send(loop, PRESENCE_CAME, view.info.id, view.info.user_id);
        if (recovery != NULL)
            recovery_begin(connection, recovery);
        client_welcome(connection, command->ping_interval_ms);
    }
    announce(connection);
    if (recovery == NULL || connection->protocol != WS_PROTOCOL_JSON)
        return true;
    recovery->use = RECOVERY_ENTERS_ROOMS;
    return enter_rooms(connection, command, budget);
}

/* Reauthorizes the remaining rooms, within the budget. It starts with the last room, because
 * removing a room gives its number to the last one; meanwhile the client can't join a room,
 * which takes a command. True when all rooms are done. */
static bool reauthorize(struct connection *connection, uint32_t *budget)
{
    struct reauthorization *asked = &connection->loop->reauthorization;

    if (!asked->running)
        *asked = (struct reauthorization){connection->rooms.count, true};
    while (asked->left > 0 && connection->state == CONNECTION_LIVE) {
        if (*budget == 0)
            return false;
        spend(budget, room_cost(connection->loop->manager));
        client_reauthorize(connection, --asked->left);
    }
    asked->running = false;
    return true;
}

static bool carry_out(ws_loop *loop, struct command *command, uint32_t *budget)
{
    struct connection *connection = command->connection;
    bool done = true;

    switch ((enum command_kind)command->kind) {
    case COMMAND_EVENT:
        done = delivery_run(loop, command->share, command->message, budget);
        break;
    case COMMAND_BUNDLED:
        break;
    case COMMAND_SEND:
        if (!message_excludes(command->message, connection->id))
            connection_deliver(connection, command->message);
        break;
    case COMMAND_CONNECT:
        done = connect_connection(connection, command, budget);
        break;
    case COMMAND_JOIN:
        room_join(connection, command->share);
        break;
    case COMMAND_LEAVE:
        room_leave(connection, command->share);
        break;
    case COMMAND_CLIENT_JOIN:
        client_enter_room(connection, command->share, command->ref);
        break;
    case COMMAND_CLIENT_LEAVE:
        client_leave_room(connection, command->share, command->ref);
        break;
    case COMMAND_REAUTHORIZE:
        done = reauthorize(connection, budget);
        break;
    case COMMAND_DISCONNECT:
        connection_end(connection, command->close->code, command->close->text);
        break;
    case COMMAND_EPOCH:
        recoveries_epoch(loop, command->epoch);
        break;
    case COMMAND_FETCHED:
        page_waits_look(loop);
        break;
    case COMMAND_DRAIN:
        done = drain_run(loop, command->drain, budget);
        break;
    }
    connections_settle(loop);
    return done;
}

/* The account of what callbacks post: the client's when the command is a client's, or when a
 * client connects. */
static struct account account_of(const ws_loop *loop, const struct command *command)
{
    if (command->kind == COMMAND_CONNECT)
        return (struct account){ACCOUNT_CLIENT, (uint8_t)loop->number};
    return command->account.kind == ACCOUNT_CLIENT ? command->account : (struct account){0};
}

bool command_carry_out(ws_loop *loop, struct command *command, uint32_t *budget)
{
    struct account before = account_set(account_of(loop, command));
    bool done;

    loop_assert_thread(loop);
    spend(budget, COMMAND_COST);
    loop->carried = command->position;
    done = carry_out(loop, command, budget);
    account_set(before);
    return done;
}

static void free_payload(const ws_manager *manager, struct command *command)
{
    switch ((enum command_kind)command->kind) {
    case COMMAND_CONNECT:
        recovery_free(manager, command->recovery);
        command->recovery = NULL;
        break;
    case COMMAND_DISCONNECT:
        memory_free(&manager->memory, command->close);
        command->close = NULL;
        break;
    case COMMAND_CLIENT_JOIN:
    case COMMAND_CLIENT_LEAVE:
        memory_free(&manager->memory, command->ref);
        command->ref = NULL;
        break;
    case COMMAND_EPOCH:
        memory_free(&manager->memory, command->epoch);
        command->epoch = NULL;
        break;
    case COMMAND_DRAIN:
        memory_free(&manager->memory, command->drain);
        command->drain = NULL;
        break;
    case COMMAND_EVENT:
    case COMMAND_BUNDLED:
    case COMMAND_SEND:
    case COMMAND_JOIN:
    case COMMAND_LEAVE:
    case COMMAND_REAUTHORIZE:
    case COMMAND_FETCHED:
        break;
    }
}

void command_release(ws_loop *loop, struct command *command)
{
    if (command->message != NULL)
        ws_message_unref(command->message);
    command->message = NULL;
    free_payload(loop->manager, command);
    if (command->kind != COMMAND_CONNECT && command->work > 0) {
        work_done(loop, command->account, command->work);
        command->work = 0;
    }
}

void command_unpin(ws_manager *manager, const struct command *command)
{
    manager_assert_locked(manager);
    if (command->share != NULL)
        registry_unpin(&manager->registry, command->share);
    if (command->connection != NULL) {
        command->connection->pins--;
        connection_free_if_unused(command->connection);
    }
}
