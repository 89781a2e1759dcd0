/* disconnect.c: ends connections: removes them from their groups, calls on_disconnect, frees
 * their memory. */
#include "core/clients/disconnect.h"

#include <string.h>

#include "base/close_code.h"
#include "core/checks.h"
#include "core/clients/former.h"
#include "core/clients/waiting.h"
#include "core/connections/custom_queue.h"
#include "core/connections/doom.h"
#include "core/costs.h"
#include "core/inbox.h"
#include "core/kept/kept_returns.h"
#include "core/presence/announce.h"
#include "core/presence/members.h"
#include "core/recovery/recovery.h"
#include "core/rooms/membership.h"
#include "core/sending/send.h"

static void release(struct connection *connection)
{
    const ws_manager *manager = connection->loop->manager;

    if (connection->transport == TRANSPORT_CUSTOM)
        memory_free(&manager->memory, connection);
    else
        manager_builtin(manager, connection->transport)->released(connection);
}

void connection_free_if_unused(struct connection *connection)
{
    ws_loop *loop = connection->loop;

    if (connection->state != CONNECTION_GONE || connection->pins > 0 ||
        connection->on_doomed_list)
        return;
    if (loop->busy > 0) {
        connection->next = loop->graves;
        loop->graves = connection;
    } else {
        release(connection);
    }
}

/* Notifies the transport while the connection is still in its rooms. */
static void announce_end(struct connection *connection, uint16_t code)
{
    const struct builtin_transport *transport =
        manager_builtin(connection->loop->manager, connection->transport);

    if (transport != NULL && transport->ending != NULL && !connection->transport_gone &&
        !loop_is_parents(connection->loop))
        transport->ending(connection, code);
}

static void free_slot(struct connection *connection)
{
    ws_loop *loop = connection->loop;

    slots_give_back(&loop->slots, conn_id_slot(connection->id));
    loop->n_connections--;
    atomic_fetch_sub(&loop->n_custom, connection->transport == TRANSPORT_CUSTOM ? 1 : 0);
    loop->manager->n_connections--;
    /* The manager keeps the generations, so the table can be freed with the last connection. */
    if (loop->n_connections == 0)
        slots_free(&loop->slots, &loop->manager->memory);
}

void connection_detach(struct connection *connection, uint16_t code, const char *reason)
{
    ws_loop *loop = connection->loop;
    ws_manager *manager = loop->manager;
    const ws_manager_options *options = &manager->options;
    bool was_registered = connection->state != CONNECTION_PENDING;
    bool is_news = false;
    struct waiting_ack *requests;
    struct connection_view view;

    loop_assert_thread(loop);
    if (connection->state == CONNECTION_GONE)
        return;
    announce_end(connection, code);
    recovery_cancel(connection);
    former_end(connection);
    requests = waiting_end(connection);
    timer_wheel_spend(&loop->timers, close_cost(manager, connection->rooms.count));
    connection_view(connection, &view);
    loop_busy(loop);
    manager_lock(manager);
    if (was_registered) {
        membership_end_rooms(connection);
        /* In one step: others' first and last connections of the user depend on both. */
        is_news = presence_user_went(connection);
        membership_end_user(connection);
    }
    connection->user = NULL;
    free_slot(connection);
    connection->state = CONNECTION_GONE;
    if (connection->transport == TRANSPORT_CUSTOM)
        custom_queue_free((struct custom_connection *)connection);
    connection_free_if_unused(connection);
    manager_unlock(manager);
    kept_answers_ended(&manager->kept_answers, view.info.id);
    waiting_close(loop, requests);
    /* A child of fork() that drops its copies does not end the parent's clients. */
    if (was_registered && !loop_is_parents(loop)) {
        connection_log_end(connection, WS_LOG_DEBUG, code, reason);
        counter_add(&loop->counters, COUNTER_connections_closed, 1);
        if (is_news)
            announce_user(loop, USER_WENT, view.info.id, view.info.user_id);
        if (options->on_disconnect != NULL && connection->announced)
            options->on_disconnect(manager, &view.info, code, reason != NULL ? reason : "",
                                   manager->options.user_data);
    }
    loop_idle(loop);
}

void connection_transport_gone(struct connection *connection, uint16_t code, const char *reason)
{
    struct account before = account_set_client(connection->loop->number);

    connection->transport_gone = true;
    connection_detach(connection, code, reason);
    account_set(before);
}

/* A connection in the middle of connection_end(). While its on_disconnect runs it cannot be
 * found by its id, but the transport may be freed there and call
 * ws_manager_transport_closed(). */
struct ending {
    struct connection *connection;
    struct ending *outer;
};

void connection_end(struct connection *connection, uint16_t code, const char *reason)
{
    ws_loop *loop = connection->loop;
    struct ending ending = {connection, loop->ending};

    if (connection->state == CONNECTION_GONE)
        return;
    loop_busy(loop);
    loop->ending = &ending;
    connection_detach(connection, code, reason);
    loop->ending = ending.outer;
    connection_close_transport(connection, code, reason);
    loop_idle(loop);
}

bool connection_forget_transport(ws_loop *loop, ws_conn_id id)
{
    for (struct ending *ending = loop->ending; ending != NULL; ending = ending->outer) {
        if (ending->connection->id == id) {
            ending->connection->transport_gone = true;
            return true;
        }
    }
    return false;
}

/* A doomed connection that has ended in another way meanwhile is only removed from the list. */
void connections_settle(ws_loop *loop)
{
    loop_assert_thread(loop);
    while (loop->doomed != NULL) {
        struct connection *connection = loop->doomed;

        loop->doomed = connection->next;
        connection->on_doomed_list = false;
        if (connection->state == CONNECTION_GONE)
            connection_free_if_unused(connection);
        else
            connection_end(connection, doom_code(connection->doom),
                           doom_reason(connection->doom));
    }
}

void loop_idle(ws_loop *loop)
{
    if (--loop->busy > 0)
        return;
    loop_set_inside(loop, 0);
    while (loop->graves != NULL) {
        struct connection *connection = loop->graves;

        loop->graves = connection->next;
        release(connection);
    }
}

void loop_call_done(ws_loop *loop)
{
    loop_assert_thread(loop);
    if (!loop->running &&
        (loop->doomed != NULL || recoveries_are_ready(loop) || loop->timers.fresh != NULL))
        loop_wake(loop);
}

int ws_manager_disconnect(ws_manager *manager, ws_conn_id connection, uint16_t code,
                          const char *reason)
{
    struct command command = {.kind = COMMAND_DISCONNECT};
    int result;

    if (manager == NULL || !close_code_valid(code) || !close_reason_valid(reason))
        return WS_ERR_INVALID;
    result = checks_call(manager, "a client was disconnected");
    if (result != WS_OK)
        return result;
    command.close =
        close_reason_new(&manager->memory, code, reason, reason != NULL ? strlen(reason) : 0);
    if (command.close == NULL)
        return WS_ERR_NO_MEMORY;
    result = send_command(manager, connection, NULL, &command, true);
    if (result != WS_OK)
        memory_free(&manager->memory, command.close);
    return result;
}
