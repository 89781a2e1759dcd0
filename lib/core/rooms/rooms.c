/* rooms.c: joining, leaving and listing rooms. */
#include "core/rooms/rooms.h"

#include "base/utf8.h"
#include "core/presence/watch.h"
#include "core/rooms/membership.h"
#include "core/sending/order.h"
#include "core/sending/send.h"

struct share *room_pin(const struct connection *connection, const char *room)
{
    ws_manager *manager = connection->loop->manager;
    struct share *share;

    manager_lock(manager);
    share = manager_pin(manager, GROUP_ROOM, room, connection->loop);
    manager_unlock(manager);
    return share;
}

struct share *room_pin_existing(const struct connection *connection, const char *room)
{
    ws_manager *manager = connection->loop->manager;
    struct share *share;

    manager_lock(manager);
    share = registry_find_share(&manager->registry, GROUP_ROOM, room, connection->loop);
    if (share != NULL)
        share->pins++;
    manager_unlock(manager);
    return share;
}

void room_pin_share(const struct connection *connection, struct share *share)
{
    ws_manager *manager = connection->loop->manager;

    manager_lock(manager);
    share->pins++;
    manager_unlock(manager);
}

void room_unpin(const struct connection *connection, struct share *share)
{
    ws_manager *manager = connection->loop->manager;

    if (share == NULL)
        return;
    manager_lock(manager);
    presence_unpin(manager, share);
    manager_unlock(manager);
}

void room_joined(struct connection *connection, const char *room, int result)
{
    ws_manager *manager = connection->loop->manager;
    const ws_manager_options *options = &manager->options;
    struct connection_view view;

    if (options->on_join != NULL && connection->state != CONNECTION_GONE)
        options->on_join(manager, connection_view(connection, &view), room, result,
                         manager->options.user_data);
}

void room_left(struct connection *connection, const char *room, int result)
{
    ws_manager *manager = connection->loop->manager;
    const ws_manager_options *options = &manager->options;
    struct connection_view view;

    if (options->on_leave != NULL && connection->state != CONNECTION_GONE)
        options->on_leave(manager, connection_view(connection, &view), room, result,
                          manager->options.user_data);
}

void room_join(struct connection *connection, struct share *share)
{
    if (connection->state == CONNECTION_LIVE)
        room_joined(connection, share->group->name, membership_enter(connection, share));
}

void room_leave(struct connection *connection, struct share *share)
{
    if (connection->state == CONNECTION_LIVE)
        room_left(connection, share->group->name, membership_leave(connection, share));
}

int ws_manager_join_room(ws_manager *manager, ws_conn_id connection, const char *room)
{
    if (manager == NULL || !name_text_valid(room))
        return WS_ERR_INVALID;
    return send_command(manager, connection, room, &(struct command){.kind = COMMAND_JOIN},
                        true);
}

int ws_manager_leave_room(ws_manager *manager, ws_conn_id connection, const char *room)
{
    if (manager == NULL || !name_text_valid(room))
        return WS_ERR_INVALID;
    return send_command(manager, connection, room, &(struct command){.kind = COMMAND_LEAVE},
                        true);
}

int ws_manager_reauthorize(ws_manager *manager, ws_conn_id connection)
{
    if (manager == NULL)
        return WS_ERR_INVALID;
    manager_note_reauthorization(manager);
    return send_command(manager, connection, NULL,
                        &(struct command){.kind = COMMAND_REAUTHORIZE}, true);
}

/* Lists the ids of a group's members, in a block that the caller frees. NULL with *count 0 if
 * there are none, NULL with *count SIZE_MAX if memory ran out. The lock is held. */
static ws_conn_id *list_members(ws_manager *manager, struct group *group, size_t *count)
{
    size_t most = group != NULL ? group_count(group) : 0;
    ws_conn_id *ids;

    manager_assert_locked(manager);
    *count = 0;
    if (most == 0)
        return NULL;
    ids = memory_alloc(&manager->memory, most * sizeof *ids);
    if (ids == NULL) {
        *count = SIZE_MAX;
        return NULL;
    }
    for (struct share *share = group_shares(group); share != NULL; share = share->next)
        for (uint32_t i = 0; i < share->count; i++)
            ids[(*count)++] = share_members(share)[i]->id;
    return ids;
}

static int for_each(ws_manager *manager, struct target target, ws_each_callback *each,
                    void *user_data)
{
    ws_conn_id *ids;
    size_t count;
    int result = 0;

    if (manager == NULL || each == NULL || !name_text_valid(target.name))
        return WS_ERR_INVALID;
    manager_lock(manager);
    ids = list_members(manager, registry_find(&manager->registry, target.kind, target.name),
                       &count);
    manager_unlock(manager);
    if (count == SIZE_MAX)
        return WS_ERR_NO_MEMORY;
    for (size_t i = 0; i < count && result == 0; i++)
        result = each(ids[i], user_data);
    memory_free(&manager->memory, ids);
    return result;
}

int ws_manager_for_each_member(ws_manager *manager, const char *room, ws_each_callback *each,
                               void *user_data)
{
    return for_each(manager, (struct target){GROUP_ROOM, room}, each, user_data);
}

int ws_manager_for_each_connection_of_user(ws_manager *manager, const char *user_id,
                                           ws_each_callback *each, void *user_data)
{
    return for_each(manager, (struct target){GROUP_USER, user_id}, each, user_data);
}

int ws_manager_is_member(ws_manager *manager, ws_conn_id connection, const char *room)
{
    const struct connection *found;
    struct group *group;
    int result = 0;

    if (manager == NULL || !name_text_valid(room))
        return 0;
    manager_lock(manager);
    found = connection_find(manager, connection);
    group = registry_find(&manager->registry, GROUP_ROOM, room);
    for (const struct share *share = group != NULL ? group_shares(group) : NULL;
         found != NULL && share != NULL; share = share->next)
        if (share->loop == found->loop)
            result = rooms_find(&found->rooms, share) != ROOMS_NONE;
    manager_unlock(manager);
    return result;
}
