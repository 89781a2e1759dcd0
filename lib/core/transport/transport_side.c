/* transport_side.c: the core's functions for a transport inside the library. */
#include "core/transport/transport_side.h"

#include <string.h>

#include "core/clients/builtin_messages.h"
#include "core/clients/disconnect.h"
#include "core/clients/former.h"
#include "core/connections/delivery.h"
#include "core/connections/doom.h"
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

void transport_prepared(ws_loop *loop, uint32_t cost)
{
    loop_assert_thread(loop);
    loop_charge(loop, cost);
}

bool transport_is_held(const struct connection *connection)
{
    return former_holds(connection);
}

bool transport_admit(struct connection *connection, size_t length, struct json_slice ref)
{
    return client_admit(connection, length, ref);
}

uint32_t transport_request(struct connection *connection, const struct client_message *message)
{
    return client_execute(connection, message);
}

void transport_request_later(struct connection *connection,
                             const struct client_message *message)
{
    ws_loop *loop = connection->loop;
    struct account before = account_set_client(loop->number);

    if (connection->state == CONNECTION_LIVE)
        loop_charge(loop, client_execute(connection, message));
    account_set(before);
}

bool transport_has_handler(const ws_loop *loop, const char *name,
                           enum client_message_type *type)
{
    bool is_type = handlers_have(&loop->manager->message_types, name);

    *type = is_type ? CLIENT_OWN : CLIENT_REQUEST;
    return is_type || handlers_have(&loop->manager->methods, name);
}

void transport_refuse(struct connection *connection, struct json_slice ref,
                      struct answer_problem problem)
{
    client_refuse(connection, ref, problem);
}

void transport_out_of_memory(struct connection *connection)
{
    connection_out_of_memory(connection);
}

void transport_settle_ack(ws_loop *loop, struct waiting_ack *ack, ws_socketio_ack_result result)
{
    if (loop_is_parents(loop))
        memory_free(&loop->manager->memory, ack);
    else
        waiting_ack_settle(loop->manager, ack, result);
}

static_assert((int)CONNECTION_NAME_SIZE <= (int)TRANSPORT_NAME_SIZE, "a name has room");

size_t transport_name(const struct connection *connection, char name[TRANSPORT_NAME_SIZE])
{
    return connection_name_write(connection->loop->manager->process, connection->id, name);
}

size_t transport_name_of(const ws_manager *manager, ws_conn_id connection,
                         char name[TRANSPORT_NAME_SIZE])
{
    return connection_name_write(manager->process, connection, name);
}

ws_conn_id transport_id_of(const ws_manager *manager, const char *name)
{
    bool is_foreign;
    ws_conn_id id = message_exclusion(manager->process, name, &is_foreign);

    return is_foreign ? 0 : id;
}

/* The lock is held. */
static void describe(const struct connection *connection, size_t max, struct buffer *buffer)
{
    const struct rooms *rooms = &connection->rooms;
    const struct share *user = connection->user;

    manager_assert_locked(connection->loop->manager);
    buffer_add_text(buffer, user != NULL ? "u" : "-");
    buffer_add_text(buffer, user != NULL ? user->group->name : "");
    buffer_add(buffer, "", 1);
    for (uint32_t at = 0; at < rooms->count && !buffer->failed; at++) {
        const struct group *room = rooms_share(rooms, at)->group;

        if (room->kind != GROUP_ROOM)
            continue;
        buffer_add(buffer, room->name, (size_t)room->name_length + 1);
        buffer->failed |= buffer->length > max;
    }
}

bool transport_describe(ws_manager *manager, ws_conn_id connection, size_t max,
                        struct buffer *buffer)
{
    const struct connection *found;

    manager_lock(manager);
    found = connection_find(manager, connection);
    if (found != NULL)
        describe(found, max, buffer);
    manager_unlock(manager);
    return found != NULL;
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

struct connection *transport_find(ws_loop *loop, ws_conn_id id, enum transport_kind kind)
{
    struct connection *connection;

    loop_assert_thread(loop);
    if (conn_id_loop(id) != loop->number)
        return NULL;
    manager_lock(loop->manager);
    connection = connection_find(loop->manager, id);
    manager_unlock(loop->manager);
    return connection != NULL && connection->transport == kind ? connection : NULL;
}

const char *transport_user_id(const struct connection *connection)
{
    return connection->user != NULL ? connection->user->group->name : NULL;
}

bool transport_newest_id(const struct connection *connection, char id[EVENT_ID_SIZE],
                         uint64_t *position)
{
    const ws_loop *loop = connection->loop;
    ws_manager *manager = loop->manager;
    bool is_known;

    if (connection->state != CONNECTION_LIVE)
        return false;
    if (connection_is_behind(connection)) {
        *position = recovery_position(connection);
        recovery_event_id(connection, id);
        return true;
    }
    if (connection->enters_rooms)
        return false;
    manager_lock(manager);
    is_known = loop->done == loop->batch.count && loop->inbox.count == 0;
    if (is_known) {
        *position = manager->position;
        event_id_write(manager->epoch, manager->position, id);
    }
    manager_unlock(manager);
    return is_known;
}

size_t transport_count(ws_loop *loop)
{
    size_t count;

    manager_lock(loop->manager);
    count = loop->n_connections;
    manager_unlock(loop->manager);
    return count;
}

size_t transport_walk(ws_loop *loop, uint32_t *below, struct connection **found, size_t max)
{
    if (*below > SLOTS_MAX)
        *below = SLOTS_MAX;
    return everyone_below(loop, below, found, max);
}

void transport_served_id(const struct connection *connection, char id[EVENT_ID_SIZE])
{
    recovery_event_id(connection, id);
}

const char *transport_later_id(const ws_loop *loop, const char *id, const char *floor)
{
    char floor_epoch[EPOCH_SIZE];
    char epoch[EPOCH_SIZE];
    uint64_t floor_position;
    uint64_t position;

    if (!event_id_read(id, epoch, &position) ||
        !event_id_read(floor, floor_epoch, &floor_position) ||
        strcmp(floor_epoch, loop->epoch) != 0)
        return id;
    return strcmp(epoch, loop->epoch) == 0 && position > floor_position ? id : floor;
}

void transport_sent_id(ws_manager *manager, char id[EVENT_ID_SIZE])
{
    manager_lock(manager);
    event_id_write(manager->epoch, manager->position, id);
    manager_unlock(manager);
}

uint32_t transport_retry_ms(const ws_loop *loop)
{
    return loop->drain.retry_ms;
}

void transport_gone(struct connection *connection, uint16_t code)
{
    connection_transport_gone(connection, code, NULL);
}
