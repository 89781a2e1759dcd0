/* membership.c: adds connections to their groups (user, rooms) and removes them. */
#include "core/rooms/membership.h"

#include <string.h>

#include "core/presence/members.h"
#include "core/presence/state.h"
#include "core/presence/watch.h"
#include "core/recovery/recovery.h"

enum { ROOMS_AT_ONCE = 64 /* that a connection leaves under one hold of the lock */ };

static void set_place(struct connection *member, const struct share *share, uint32_t at)
{
    uint32_t number;
    struct room_place place;

    if (share->group->kind == GROUP_USER) {
        member->user_place = at;
        return;
    }
    number = rooms_find(&member->rooms, share);
    place = rooms_place(&member->rooms, number);
    place.at = at;
    rooms_set_place(&member->rooms, number, place);
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

/* The lock is held. */
static int join_user(struct connection *connection, bool *is_news)
{
    struct registry *registry = &connection->loop->manager->registry;
    struct share *user = connection->user;
    int result;

    manager_assert_locked(connection->loop->manager);
    if (user != NULL && !registry_add(registry, user, connection))
        return WS_ERR_NO_MEMORY;
    connection->user_place = user != NULL ? user->count - 1 : 0;
    connection->is_of_user = user != NULL;
    result = presence_user_came(connection, is_news);
    if (result != WS_OK && user != NULL)
        registry_remove(registry, user, connection->user_place);
    if (result != WS_OK)
        connection->is_of_user = false;
    return result;
}

int membership_begin(struct connection *connection, bool *is_news)
{
    ws_manager *manager = connection->loop->manager;
    int result;

    manager_lock(manager);
    result = join_user(connection, is_news);
    if (result == WS_OK)
        connection->state = CONNECTION_LIVE;
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

static void note_change(struct connection *connection)
{
    const struct builtin_transport *transport =
        manager_builtin(connection->loop->manager, connection->transport);

    if (transport != NULL && transport->rooms_changed != NULL && !connection->transport_gone)
        transport->rooms_changed(connection);
}

/* Adds the connection to a group that it is not in. The lock is held. */
static int enter(struct connection *connection, struct share *share, bool is_counted)
{
    ws_manager *manager = connection->loop->manager;

    manager_assert_locked(manager);
    if (!registry_add(&manager->registry, share, connection))
        return WS_ERR_NO_MEMORY;
    if (rooms_add(&connection->rooms, &manager->memory,
                  (struct membership){share, {share->count - 1, is_counted}}))
        return WS_OK;
    registry_remove(&manager->registry, share, share->count - 1);
    return WS_ERR_NO_MEMORY;
}

static int enter_room(struct connection *connection, struct share *share)
{
    bool is_counted;
    int result = presence_entered(connection, share->group->name, &is_counted);

    if (result != WS_OK)
        return result == WS_ERR_LIMIT ? WS_ERR_TOO_MANY_ROOMS : result;
    recovery_note_room(connection);
    result = enter(connection, share, is_counted);
    if (result != WS_OK && is_counted)
        presence_left(connection, share->group->name, false);
    return result;
}

int membership_enter(struct connection *connection, struct share *share)
{
    ws_manager *manager = connection->loop->manager;
    struct rooms *rooms = &connection->rooms;
    uint32_t most = manager->options.max_rooms_per_connection;
    int result;

    if (connection->protocol == WS_PROTOCOL_RAW)
        return WS_ERR_FORBIDDEN;
    if (rooms_find(rooms, share) != ROOMS_NONE)
        return WS_ERR_ALREADY;
    if (most > 0 && rooms->count >= most)
        return WS_ERR_TOO_MANY_ROOMS;
    manager_lock(manager);
    result = is_one_room_too_many(manager, share) ? WS_ERR_TOO_MANY_ROOMS
                                                  : enter_room(connection, share);
    manager_unlock(manager);
    if (result == WS_OK)
        note_change(connection);
    return result;
}

/* Removes the connection from a group. Returns whether it was counted there. The lock is held. */
static bool leave(struct connection *connection, uint32_t at)
{
    struct rooms *rooms = &connection->rooms;
    struct share *share = rooms_share(rooms, at);
    struct room_place place = rooms_place(rooms, at);

    manager_assert_locked(connection->loop->manager);
    rooms_remove(rooms, at);
    leave_share(connection->loop, share, place.at);
    return place.is_counted;
}

/* The number of a group among those that the connection is in, or ROOMS_NONE. The lock is held. */
static uint32_t find(const struct connection *connection, enum group_kind kind,
                     const char *name)
{
    struct group *group = registry_find(&connection->loop->manager->registry, kind, name);

    manager_assert_locked(connection->loop->manager);
    for (const struct share *share = group != NULL ? group_shares(group) : NULL; share != NULL;
         share = share->next)
        if (share->loop == connection->loop)
            return rooms_find(&connection->rooms, share);
    return ROOMS_NONE;
}

/* The lock is held. */
static int stop_watching(struct connection *connection, const char *room)
{
    uint32_t at = find(connection, GROUP_WATCHERS, room);

    manager_assert_locked(connection->loop->manager);
    if (at == ROOMS_NONE)
        return WS_ERR_NOT_MEMBER;
    leave(connection, at);
    return WS_OK;
}

/* Everyone is in the service. */
static bool is_in(const struct connection *connection, const char *room)
{
    return *room == '\0' || find(connection, GROUP_ROOM, room) != ROOMS_NONE;
}

int membership_watch(struct connection *connection, struct share *watchers)
{
    ws_manager *manager = connection->loop->manager;
    int result;

    if (rooms_find(&connection->rooms, watchers) != ROOMS_NONE)
        return WS_ERR_ALREADY;
    manager_lock(manager);
    result = is_in(connection, watchers->group->name) ? enter(connection, watchers, false)
                                                      : WS_ERR_NOT_MEMBER;
    manager_unlock(manager);
    return result;
}

int membership_unwatch(struct connection *connection, const char *room)
{
    ws_manager *manager = connection->loop->manager;
    int result;

    manager_lock(manager);
    result = stop_watching(connection, room);
    if (result == WS_OK)
        presence_unused(manager, room);
    manager_unlock(manager);
    return result;
}

int membership_leave(struct connection *connection, struct share *share)
{
    ws_manager *manager = connection->loop->manager;
    const char *room = share->group->name;
    uint32_t at = rooms_find(&connection->rooms, share);
    bool was_counted;

    if (at == ROOMS_NONE)
        return WS_ERR_NOT_MEMBER;
    manager_lock(manager);
    was_counted = leave(connection, at);
    stop_watching(connection, room);
    if (was_counted)
        presence_left(connection, room, false);
    presence_unused(manager, room);
    manager_unlock(manager);
    note_change(connection);
    return WS_OK;
}

static void end_membership(struct connection *connection, struct share *share,
                           struct room_place place)
{
    ws_manager *manager = connection->loop->manager;
    char name[WS_NAME_MAX + 1];

    if (manager->presence == NULL) {
        leave_share(connection->loop, share, place.at);
        return;
    }
    memcpy(name, share->group->name, (size_t)share->group->name_length + 1);
    leave_share(connection->loop, share, place.at);
    if (place.is_counted)
        presence_left(connection, name, true);
    presence_unused(manager, name);
}

/* From the last one: who watches a room, as a rule, stops before leaving it. */
void membership_end_rooms(struct connection *connection)
{
    ws_manager *manager = connection->loop->manager;
    struct rooms *rooms = &connection->rooms;
    unsigned n = 0;

    manager_assert_locked(manager);
    while (rooms->count > 0) {
        uint32_t last = rooms->count - 1;
        struct share *share = rooms_share(rooms, last);
        struct room_place place = rooms_place(rooms, last);

        rooms_remove(rooms, last);
        end_membership(connection, share, place);
        if (++n % ROOMS_AT_ONCE == 0)
            manager_relock(manager);
    }
    rooms_free(rooms, &manager->memory);
}

void membership_end_user(struct connection *connection)
{
    ws_loop *loop = connection->loop;

    manager_assert_locked(loop->manager);
    if (connection->user != NULL)
        leave_share(loop, connection->user, connection->user_place);
    connection->is_of_user = false;
    if (loop->manager->presence != NULL)
        presence_unused(loop->manager, PRESENCE_SERVICE);
}
