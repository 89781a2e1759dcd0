/* connection.c: a registered connection: entering and leaving groups, delivery, its end. */
#include "core/connection.h"

#include <string.h>

#include "base/utf8.h"
#include "core/presence.h"

const ws_connection_info *connection_view(const struct connection *connection,
                                          struct connection_view *view)
{
    view->info = (ws_connection_info){
        .size = sizeof view->info,
        .id = connection->id,
        .user_data = atomic_load(&connection->user_data),
    };
    if (connection->user != NULL) {
        const struct group *user = connection->user->group;

        memcpy(view->user_id, user->name, user->name_length + 1);
        view->info.user_id = view->user_id;
    }
    return &view->info;
}

/* An id is the loop's number (8 bits), the slot's (24) and the generation (32). */
struct connection *connection_find(ws_manager *manager, ws_conn_id id)
{
    const ws_loop *loop = manager->loops[id >> 56];
    uint32_t slot = (uint32_t)(id >> 32) & 0xffffff;
    struct connection *connection;

    if (loop == NULL || slot >= loop->n_slots)
        return NULL;
    connection = loop->slots[slot].connection;
    return connection != NULL && connection->id == id ? connection : NULL;
}

/* --- groups -------------------------------------------------------------------------------- */

/* A member's place has changed because another one left. */
static void set_place(struct share *share, const struct member *moved)
{
    uint32_t place = (uint32_t)(moved - share->members);

    switch (share->group->kind) {
    case GROUP_USER:
        moved->connection->user_place = place;
        break;
    case GROUP_ROOM:
        moved->connection->rooms.items[moved->room].place = place;
        break;
    default:
        moved->connection->unnamed_place = place;
        break;
    }
}

static void leave_share(struct registry *registry, struct share *share, uint32_t place)
{
    const struct member *moved = registry_remove(registry, share, place);

    if (moved != NULL)
        set_place(share, moved);
}

static struct share *unnamed_share(const struct connection *connection)
{
    bool raw = connection->protocol == WS_PROTOCOL_RAW;

    return connection->loop->unnamed[raw ? GROUP_RAW : GROUP_EVERYONE];
}

int connection_activate(struct connection *connection)
{
    ws_manager *manager = connection->loop->manager;
    struct registry *registry = &manager->registry;
    struct share *unnamed = unnamed_share(connection);
    struct share *user = connection->user;
    int result = WS_ERR_NO_MEMORY;

    manager_lock(manager);
    if (!registry_add(registry, unnamed, connection, 0))
        goto out;
    connection->unnamed_place = unnamed->count - 1;
    if (user != NULL && !registry_add(registry, user, connection, 0)) {
        registry_remove(registry, unnamed, connection->unnamed_place);
        goto out;
    }
    connection->user_place = user != NULL ? user->count - 1 : 0;
    connection->state = CONNECTION_LIVE;
    result = WS_OK;
out:
    manager_unlock(manager);
    return result;
}

int connection_enter_room(struct connection *connection, struct share *share)
{
    ws_manager *manager = connection->loop->manager;
    struct rooms *rooms = &connection->rooms;
    uint32_t most = manager->options.max_rooms_per_connection;
    int result = WS_ERR_NO_MEMORY;

    if (rooms_find(rooms, share) != ROOMS_NONE)
        return WS_ERR_ALREADY;
    if (most > 0 && rooms->count >= most)
        return WS_ERR_TOO_MANY_ROOMS;
    manager_lock(manager);
    if (registry_add(&manager->registry, share, connection, rooms->count)) {
        result = WS_OK;
        if (!rooms_add(rooms, &manager->memory, (struct membership){share, share->count - 1})) {
            registry_remove(&manager->registry, share, share->count - 1);
            result = WS_ERR_NO_MEMORY;
        }
    }
    manager_unlock(manager);
    return result;
}

int connection_leave_room(struct connection *connection, struct share *share)
{
    ws_manager *manager = connection->loop->manager;
    struct rooms *rooms = &connection->rooms;
    uint32_t at = rooms_find(rooms, share);

    if (at == ROOMS_NONE)
        return WS_ERR_NOT_MEMBER;
    manager_lock(manager);
    leave_share(&manager->registry, share, rooms->items[at].place);
    if (rooms_remove(rooms, at))
        rooms->items[at].share->members[rooms->items[at].place].room = at;
    manager_unlock(manager);
    return WS_OK;
}

/* O(rooms of this connection). */
static void leave_everything(struct connection *connection)
{
    ws_manager *manager = connection->loop->manager;
    struct rooms *rooms = &connection->rooms;

    leave_share(&manager->registry, unnamed_share(connection), connection->unnamed_place);
    if (connection->user != NULL)
        leave_share(&manager->registry, connection->user, connection->user_place);
    for (uint32_t at = 0; at < rooms->count; at++)
        leave_share(&manager->registry, rooms->items[at].share, rooms->items[at].place);
    rooms_free(rooms, &manager->memory);
}

/* --- delivery -------------------------------------------------------------------------------- */

void connection_deliver(struct connection *connection, ws_message *message)
{
    struct counters *counters = &connection->loop->counters;
    int result;

    if (connection->state != CONNECTION_LIVE) {
        counter_add(counters, COUNTER_drop_gone, 1);
        return;
    }
    result = connection->transport->send(message, connection->transport_data);
    if (result == WS_OK || result == WS_ERR_BACKPRESSURE) {
        counter_add(counters, COUNTER_deliveries, 1);
        counter_add(counters, COUNTER_bytes, message->length);
    } else if (result == WS_ERR_NO_MEMORY) {
        counter_add(counters, COUNTER_drop_no_memory, 1);
        connection_doom(connection, 1013, "out of memory");
    } else {
        counter_add(counters, COUNTER_drop_slow_client, 1);
        connection_doom(connection, 1013, "too slow");
    }
}

/* --- the end --------------------------------------------------------------------------------- */

static void log_end(const struct connection *connection, int level, uint16_t code,
                    const char *reason)
{
    const ws_manager *manager = connection->loop->manager;
    char name[CONNECTION_NAME_SIZE];

    if (manager->options.log == NULL)
        return;
    manager_connection_name(manager, connection->id, name);
    manager_log(manager, level, "connection %s ends with %u %s", name, code,
                reason != NULL ? reason : "");
}

void connection_doom(struct connection *connection, uint16_t code, const char *static_reason)
{
    ws_loop *loop = connection->loop;

    if (connection->state != CONNECTION_LIVE)
        return;
    log_end(connection, WS_LOG_WARN, code, static_reason);
    connection->state = CONNECTION_DOOMED;
    connection->doom_code = code;
    connection->doom_reason = static_reason;
    connection->next = loop->doomed;
    loop->doomed = connection;
}

/* Takes a doomed connection off the list, when it ends in another way. */
static void undoom(struct connection *connection)
{
    struct connection **link = &connection->loop->doomed;

    while (*link != NULL && *link != connection)
        link = &(*link)->next;
    if (*link != NULL)
        *link = connection->next;
}

void connection_free_if_unused(struct connection *connection)
{
    ws_loop *loop = connection->loop;

    if (connection->state != CONNECTION_GONE || connection->pins > 0)
        return;
    if (loop->busy > 0) {
        connection->next = loop->graves;
        loop->graves = connection;
    } else {
        memory_free(&loop->manager->memory, connection);
    }
}

static void free_slot(struct connection *connection)
{
    ws_loop *loop = connection->loop;
    uint32_t number = (uint32_t)(connection->id >> 32) & 0xffffff;

    loop->slots[number] = (struct slot){.next_free = loop->free_slot};
    loop->free_slot = number;
    loop->n_connections--;
    loop->manager->n_connections--;
}

void connection_detach(struct connection *connection, uint16_t code, const char *reason)
{
    ws_loop *loop = connection->loop;
    ws_manager *manager = loop->manager;
    const ws_manager_options *options = &manager->options;
    bool was_registered = connection->state != CONNECTION_PENDING;
    struct connection_view view;

    if (connection->state == CONNECTION_GONE)
        return;
    if (connection->state == CONNECTION_DOOMED)
        undoom(connection);
    connection_view(connection, &view);
    loop_busy(loop);
    manager_lock(manager);
    if (was_registered)
        leave_everything(connection);
    connection->user = NULL;
    free_slot(connection);
    connection->state = CONNECTION_GONE;
    connection_free_if_unused(connection);
    manager_unlock(manager);
    if (was_registered) {
        log_end(connection, WS_LOG_DEBUG, code, reason);
        counter_add(&loop->counters, COUNTER_connections_closed, 1);
        if (connection->protocol == WS_PROTOCOL_JSON)
            presence_send(manager, "user_disconnected", view.info.id, view.info.user_id);
        if (options->on_disconnect != NULL)
            options->on_disconnect(manager, &view.info, code, reason != NULL ? reason : "",
                                   manager->options.user_data);
    }
    loop_idle(loop);
}

void connection_transport_gone(struct connection *connection, uint16_t code, const char *reason)
{
    connection->transport = NULL;
    connection_detach(connection, code, reason);
}

void connection_end(struct connection *connection, uint16_t code, const char *reason)
{
    ws_loop *loop = connection->loop;
    const ws_transport *transport = connection->transport;
    void *transport_data = connection->transport_data;

    if (connection->state == CONNECTION_GONE)
        return;
    loop_busy(loop);
    connection_detach(connection, code, reason);
    /* The transport may have been freed by on_disconnect: then it has let go of us. */
    if (connection->transport != NULL)
        transport->close(code, reason, reason != NULL ? strlen(reason) : 0, transport_data);
    loop_idle(loop);
}

void connections_settle(ws_loop *loop)
{
    while (loop->doomed != NULL) {
        struct connection *connection = loop->doomed;

        connection_end(connection, connection->doom_code, connection->doom_reason);
    }
}

void loop_idle(ws_loop *loop)
{
    if (--loop->busy > 0)
        return;
    while (loop->graves != NULL) {
        struct connection *connection = loop->graves;

        loop->graves = connection->next;
        memory_free(&loop->manager->memory, connection);
    }
}

bool close_code_valid(uint16_t code)
{
    return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
           (code >= 3000 && code <= 4999);
}

bool close_reason_valid(const char *reason)
{
    size_t length;

    if (reason == NULL)
        return true;
    length = strnlen(reason, 124);
    return length <= 123 && utf8_valid(reason, length);
}
