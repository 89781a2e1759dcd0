/* membership.c: adds connections to their groups (user, rooms) and removes them. */
#include "core/rooms/membership.h"

#include "core/recovery/recovery.h"

static void set_place(struct connection *member, const struct share *share, uint32_t place)
{
    if (share->group->kind == GROUP_USER)
        member->user_place = place;
    else
        rooms_set_place(&member->rooms, rooms_find(&member->rooms, share), place);
}

/* While a delivery walks the share, its first `left` members are still to be reached. If one of
 * them leaves, it is first swapped with the last of them, so that the member which then fills
 * its place was reached already: no member is skipped or reached twice. Returns the new
 * place. */
static uint32_t leave_walk(struct delivery *delivery, struct share *share, uint32_t place)
{
    struct connection **members = share_members(share);
    struct connection *leaving = members[place];
    uint32_t last;

    if (delivery->share != share || place >= delivery->left)
        return place;
    last = --delivery->left;
    if (place == last)
        return place;
    members[place] = members[last];
    set_place(members[place], share, place);
    members[last] = leaving;
    return last;
}

static void leave_share(ws_loop *loop, struct share *share, uint32_t place)
{
    struct connection *moved;

    place = leave_walk(&loop->delivery, share, place);
    moved = registry_remove(&loop->manager->registry, share, place);
    if (moved != NULL)
        set_place(moved, share, place);
}

int membership_begin(struct connection *connection)
{
    ws_manager *manager = connection->loop->manager;
    struct share *user = connection->user;
    int result = WS_OK;

    manager_lock(manager);
    if (user != NULL && !registry_add(&manager->registry, user, connection)) {
        result = WS_ERR_NO_MEMORY;
    } else {
        connection->user_place = user != NULL ? user->count - 1 : 0;
        connection->state = CONNECTION_LIVE;
    }
    manager_unlock(manager);
    return result;
}

/* The lock is held. */
static bool is_one_room_too_many(const ws_manager *manager, const struct share *share)
{
    uint32_t most = manager->options.max_rooms;

    manager_assert_locked(manager);
    return most > 0 && manager->registry.n_occupied[GROUP_ROOM] >= most &&
           group_count(share->group) == 0;
}

int membership_enter(struct connection *connection, struct share *share)
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
    if (is_one_room_too_many(manager, share)) {
        result = WS_ERR_TOO_MANY_ROOMS;
    } else if (registry_add(&manager->registry, share, connection)) {
        result = WS_OK;
        recovery_note_room(connection);
        if (!rooms_add(rooms, &manager->memory, (struct membership){share, share->count - 1})) {
            registry_remove(&manager->registry, share, share->count - 1);
            result = WS_ERR_NO_MEMORY;
        }
    }
    manager_unlock(manager);
    return result;
}

int membership_leave(struct connection *connection, struct share *share)
{
    ws_manager *manager = connection->loop->manager;
    struct rooms *rooms = &connection->rooms;
    uint32_t at = rooms_find(rooms, share);
    uint32_t place;

    if (at == ROOMS_NONE)
        return WS_ERR_NOT_MEMBER;
    manager_lock(manager);
    place = rooms_at(rooms, at).place;
    rooms_remove(rooms, at);
    leave_share(connection->loop, share, place);
    manager_unlock(manager);
    return WS_OK;
}

void membership_end(struct connection *connection)
{
    ws_loop *loop = connection->loop;
    struct rooms *rooms = &connection->rooms;

    manager_assert_locked(loop->manager);
    if (connection->user != NULL)
        leave_share(loop, connection->user, connection->user_place);
    for (uint32_t at = 0; at < rooms->count; at++)
        leave_share(loop, rooms_at(rooms, at).share, rooms_at(rooms, at).place);
    rooms_free(rooms, &loop->manager->memory);
}
