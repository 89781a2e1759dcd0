/* connection.c: a registered connection: entering and leaving groups, and delivery. */
#include "core/connection.h"

#include <string.h>

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

    if (connection->protocol == WS_PROTOCOL_RAW)
        return WS_ERR_FORBIDDEN;
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

void connection_leave_everything(struct connection *connection)
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

void connection_log_end(const struct connection *connection, int level, uint16_t code,
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

    if (connection->state == CONNECTION_GONE || connection->doom_code != 0)
        return;
    connection_log_end(connection, WS_LOG_WARN, code, static_reason);
    connection->doom_code = code;
    connection->doom_reason = static_reason;
    /* One that is still to be registered ends when its turn comes. */
    if (connection->state == CONNECTION_PENDING)
        return;
    connection->state = CONNECTION_DOOMED;
    connection->on_doomed_list = true;
    connection->next = loop->doomed;
    loop->doomed = connection;
}

void connection_out_of_memory(struct connection *connection)
{
    counter_add(&connection->loop->counters, COUNTER_drop_no_memory, 1);
    connection_doom(connection, 1013, "out of memory");
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
        connection_out_of_memory(connection);
    } else {
        counter_add(counters, COUNTER_drop_slow_client, 1);
        connection_doom(connection, 1013, "too slow");
    }
}
