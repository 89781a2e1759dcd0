/* command.c: executes the commands of an inbox, on the loop's thread. */
#include "core/loop/command.h"

#include <string.h>

#include "core/backlog.h"
#include "core/calls.h"
#include "core/clients/answers.h"
#include "core/clients/builtin_messages.h"
#include "core/clients/connect.h"
#include "core/clients/disconnect.h"
#include "core/clients/drain.h"
#include "core/clients/input.h"
#include "core/clients/presence.h"
#include "core/clients/user_command_run.h"
#include "core/clients/waiting.h"
#include "core/connections/delivery.h"
#include "core/costs.h"
#include "core/inbox.h"
#include "core/presence/watch.h"
#include "core/recovery/page_waits.h"
#include "core/recovery/recovery.h"
#include "core/rooms/rooms.h"
#include "core/sending/send.h"
#include "core/sending/user_command.h"
#include "core/sending/waiting_ack.h"

/* Sends a message and waits for its acknowledgement. */
static void send_with_ack(struct connection *connection, struct command *command)
{
    const ws_manager *manager = connection->loop->manager;
    struct waiting_ack *ack = command->ack;
    int result = connection_give(connection, ws_message_ref(command->message));

    command->ack = NULL;
    if ((result == WS_OK || result == WS_ERR_BACKPRESSURE) &&
        connection->state != CONNECTION_GONE) {
        if (connection_space(connection) != NULL)
            manager_builtin(manager, connection->transport)->await_ack(connection, ack);
        else
            waiting_await(connection, ack);
    } else {
        loop_charge(connection->loop, INPUT_COST_CALLBACK);
        waiting_ack_settle(
            connection->loop->manager, ack,
            (ws_socketio_ack_result){.result = result < 0 && result != WS_ERR_BACKPRESSURE
                                                   ? result
                                                   : WS_ERR_CLOSED});
    }
}

static void run_call(ws_loop *loop, struct command *command)
{
    struct loop_call *call = command->call;

    command->call = NULL;
    call->run(loop, call);
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
        if (command->ack != NULL)
            send_with_ack(connection, command);
        else if (!message_excludes(command->message, connection->id))
            connection_deliver(connection, command->message);
        break;
    case COMMAND_CONNECT:
        client_connect(connection, command, budget);
        break;
    case COMMAND_JOIN:
        room_join(connection, command->share);
        break;
    case COMMAND_LEAVE:
        room_leave(connection, command->share);
        break;
    case COMMAND_CLIENT_JOIN:
    case COMMAND_CLIENT_JOIN_WATCHING:
        if (command->kind == COMMAND_CLIENT_JOIN_WATCHING)
            budget_spend(budget,
                         callback_cost(loop->manager->options.authorize_presence != NULL));
        client_enter_room(connection, command->share, command->join,
                          command->kind == COMMAND_CLIENT_JOIN_WATCHING);
        break;
    case COMMAND_CLIENT_LEAVE:
        client_leave_room(connection, command->share, command->ref);
        break;
    case COMMAND_WATCH:
        budget_spend(budget, callback_cost(loop->manager->options.authorize_presence != NULL));
        client_watch(connection, command->share, command->message);
        break;
    case COMMAND_REAUTHORIZE:
        done = connection_reauthorize(connection, command->n_before, budget);
        break;
    case COMMAND_DISCONNECT:
        if (connection->state != CONNECTION_GONE)
            budget_spend(budget, close_cost(loop->manager, connection->rooms.count));
        connection_end(connection, command->close->code, command->close->text);
        break;
    case COMMAND_USER:
        done = user_command_run(loop, command, budget);
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
    case COMMAND_ANSWER:
        answers_arrived(connection, command->answer);
        break;
    case COMMAND_CALL:
        run_call(loop, command);
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
    budget_spend(budget, COMMAND_COST);
    loop->carried = command->position;
    done = carry_out(loop, command, budget);
    budget_spend(budget, loop_take_preparing(loop));
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
    case COMMAND_USER:
        user_command_unref(manager, command->user);
        command->user = NULL;
        break;
    case COMMAND_CLIENT_JOIN:
    case COMMAND_CLIENT_JOIN_WATCHING:
        memory_free(&manager->memory, command->join);
        command->join = NULL;
        break;
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
    case COMMAND_ANSWER:
        memory_free(&manager->memory, command->answer);
        command->answer = NULL;
        break;
    case COMMAND_CALL:
        if (command->call != NULL)
            command->call->drop(command->call);
        command->call = NULL;
        break;
    case COMMAND_EVENT:
    case COMMAND_BUNDLED:
    case COMMAND_SEND: /* its ack was settled or handed over, or is settled by ws_loop_free() */
    case COMMAND_JOIN:
    case COMMAND_LEAVE:
    case COMMAND_WATCH:
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
        backlog_subtract(loop, command->account, command->work);
        command->work = 0;
    }
}

void command_unpin(ws_manager *manager, const struct command *command)
{
    manager_assert_locked(manager);
    if (command->share != NULL)
        presence_unpin(manager, command->share);
    if (command->connection != NULL) {
        command->connection->pins--;
        connection_free_if_unused(command->connection);
    }
}
