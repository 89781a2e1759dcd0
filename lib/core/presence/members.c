/* members.c: counts the connections of users, in the whole service and in the rooms with
 * presence. */
#include "core/presence/members.h"

#include "core/presence/beat.h"
#include "core/presence/follow.h"
#include "core/presence/grace.h"
#include "core/presence/state.h"
#include "core/presence/wishes.h"

/* --- one member ------------------------------------------------------------------------------ */

static int count_in(struct presence *presence, struct presence_room *room, const char *user,
                    ws_conn_id connection)
{
    struct presence_member *member = presence_find_member(presence, room, user);
    bool was_there = member != NULL && presence_is_there(member);

    if (member == NULL) {
        int result = presence_add_member(presence, room, user, &member);

        if (result != WS_OK)
            return result;
    }
    presence_end_leaving(presence, member);
    if (member->n_connections++ == 0)
        member->last = connection;
    presence_note(presence, member, was_there);
    return WS_OK;
}

/* `is_lost`: the user has not left on purpose, and has a grace time. */
static void count_out(struct presence *presence, struct presence_room *room, const char *user,
                      ws_conn_id connection, bool is_lost)
{
    struct presence_member *member = presence_find_member(presence, room, user);

    if (member == NULL || member->n_connections == 0)
        return;
    if (--member->n_connections == 0) {
        member->last = connection;
        if (is_lost && presence->manager->options.presence_grace_ms > 0)
            presence_begin_leaving(presence, member);
    }
    presence_note(presence, member, true);
}

/* --- rooms ----------------------------------------------------------------------------------- */

/* The user for whom a connection counts; NULL: none. */
static const char *counted_user(const struct connection *connection)
{
    return connection->user != NULL && connection->protocol != WS_PROTOCOL_RAW
               ? connection->user->group->name
               : NULL;
}

/* A room whose users are counted; NULL: they are not. */
static struct presence_room *counted_room(const struct connection *connection, const char *name)
{
    struct presence_room *room = presence_find_room(connection->loop->manager->presence, name);

    return room != NULL && (room->is_listed || room->is_followed) ? room : NULL;
}

int presence_entered(struct connection *connection, const char *room)
{
    struct presence *presence = connection->loop->manager->presence;
    struct presence_room *counted = counted_room(connection, room);
    const char *user = counted_user(connection);
    int result;

    manager_assert_locked(connection->loop->manager);
    if (counted == NULL || user == NULL)
        return WS_OK;
    result = count_in(presence, counted, user, connection->id);
    presence_keep(connection->loop);
    return result;
}

void presence_left(struct connection *connection, const char *room, bool is_lost)
{
    struct presence *presence = connection->loop->manager->presence;
    struct presence_room *counted = counted_room(connection, room);
    const char *user = counted_user(connection);

    manager_assert_locked(connection->loop->manager);
    if (counted == NULL || user == NULL)
        return;
    count_out(presence, counted, user, connection->id,
              is_lost && !loop_is_parents(connection->loop));
    presence_keep(connection->loop);
}

/* Counts the connections of a group for their users. */
static int count_group(struct presence *presence, struct presence_room *room,
                       struct group *group)
{
    int result = WS_OK;

    for (struct share *share = group_shares(group); share != NULL; share = share->next) {
        for (uint32_t i = 0; i < share->count && result == WS_OK; i++) {
            const char *user = counted_user(share_members(share)[i]);

            if (user != NULL)
                result = count_in(presence, room, user, share_members(share)[i]->id);
        }
    }
    return result;
}

struct counting {
    struct presence *presence;
    struct presence_room *room;
    int result;
};

/* A user who was followed is counted already. */
static bool is_counted(const struct counting *counting, const struct group *group)
{
    const struct presence_member *member =
        presence_find_member(counting->presence, counting->room, group->name);

    return member != NULL && member->n_connections > 0;
}

static void count_user(void *node, void *user_data)
{
    struct counting *counting = user_data;

    if (counting->result == WS_OK && !is_counted(counting, node))
        counting->result = count_group(counting->presence, counting->room, node);
}

static int count_all(struct presence *presence, struct presence_room *room)
{
    struct registry *registry = &presence->manager->registry;
    struct counting counting = {presence, room, WS_OK};
    uint64_t position = 0;
    struct group *group;

    if (*room->name == '\0') {
        while (counting.result == WS_OK &&
               name_table_walk(&registry->tables[GROUP_USER], &position, count_user, &counting))
            continue;
        return counting.result;
    }
    group = registry_find(registry, GROUP_ROOM, room->name);
    return group != NULL ? count_group(presence, room, group) : WS_OK;
}

/* Takes back what count_all() has counted before it failed. Whoever is followed stays counted. */
static void count_none(struct presence *presence, struct presence_room *room)
{
    struct presence_member *next;

    if (room->is_followed)
        return;
    room->is_declared = true; /* so that it stays until the end */
    for (struct presence_member *member = room->first; member != NULL; member = next) {
        bool was_there = presence_is_there(member);

        next = member->next;
        member->n_connections = 0;
        presence_note(presence, member, was_there);
    }
    room->is_declared = false;
}

/* The application, and other processes, learn of the users that are there when presence begins. */
static void note_all(struct presence *presence, struct presence_room *room)
{
    struct presence_member *next;

    if (presence->manager->options.on_presence == NULL && !presence->manager->has_cluster)
        return;
    for (struct presence_member *member = room->first; member != NULL; member = next) {
        next = member->next;
        presence_note(presence, member, presence_is_there(member));
    }
}

/* Whether a limit that left no room for its users still does: there are not fewer of them now,
 * nor of others'. */
static bool is_still_refused(const struct presence *presence, const struct presence_room *room)
{
    return room->refused_connections > 0 && presence->n_members >= room->refused_users &&
           presence_occupants(presence, room) >= room->refused_connections;
}

/* Counts the users that are in a room. After an error none are counted. */
static int begin_counting(struct presence *presence, struct presence_room *room)
{
    size_t before = presence->n_members;
    int result;

    if (is_still_refused(presence, room))
        return WS_ERR_LIMIT;
    result = count_all(presence, room);
    if (result != WS_OK)
        count_none(presence, room);
    room->refused_users = before;
    room->refused_connections = result == WS_ERR_LIMIT ? presence_occupants(presence, room) : 0;
    return result;
}

static int open_room(ws_manager *manager, const char *name, bool is_asked_here,
                     struct presence_room **room)
{
    struct presence *presence = presence_get(manager);
    struct presence_room *opened = presence != NULL ? presence_add_room(presence, name) : NULL;
    int result;

    manager_assert_locked(manager);
    if (opened == NULL)
        return WS_ERR_NO_MEMORY;
    /* For others a room that is followed is as good. */
    if (!opened->is_listed && (is_asked_here || !opened->is_followed)) {
        /* Members are noted as long as the room is not listed, so nothing is sent of them. */
        result = begin_counting(presence, opened);
        if (result != WS_OK) {
            presence_drop_room(presence, opened);
            return result;
        }
        opened->is_listed = true;
        note_all(presence, opened);
    }
    if (is_asked_here)
        wishes_ask(presence, opened);
    *room = opened;
    return WS_OK;
}

int presence_open_room(ws_manager *manager, const char *name, struct presence_room **room)
{
    return open_room(manager, name, true, room);
}

int presence_open_for_others(ws_manager *manager, const char *name, struct presence_room **room)
{
    return open_room(manager, name, false, room);
}

/* --- users ----------------------------------------------------------------------------------- */

/* Whether the user has another connection that counts. */
static bool has_other(const struct connection *connection)
{
    struct group *group = connection->user->group;

    for (struct share *share = group_shares(group); share != NULL; share = share->next)
        for (uint32_t i = 0; i < share->count; i++)
            if (share_members(share)[i] != connection &&
                share_members(share)[i]->protocol != WS_PROTOCOL_RAW)
                return true;
    return false;
}

/* Counts a user's connection for user_connected, as far as the limits allow. A user whose first
 * connection here was not counted is not counted until all are gone. */
static void follow_in(struct connection *connection, struct presence_room *service,
                      bool is_first)
{
    struct presence *presence = connection->loop->manager->presence;
    const char *user = counted_user(connection);
    const struct presence_member *member = presence_find_member(presence, service, user);

    if (is_first || (member != NULL && member->n_connections > 0))
        count_in(presence, service, user, connection->id);
}

/* Whether the user's connections are counted among those of the service. */
static bool is_counted_here(const struct connection *connection)
{
    const struct presence_room *service = counted_room(connection, PRESENCE_SERVICE);
    const struct presence_member *member =
        service != NULL ? presence_find_member(connection->loop->manager->presence, service,
                                               counted_user(connection))
                        : NULL;

    return member != NULL && member->n_connections > 0;
}

int presence_user_came(struct connection *connection, bool *is_news)
{
    ws_manager *manager = connection->loop->manager;
    const char *user = counted_user(connection);
    struct presence_room *service;
    struct presence_member *member;
    bool is_first;
    int result = WS_OK;

    manager_assert_locked(manager);
    is_first = *is_news = user == NULL || !has_other(connection);
    if (user == NULL)
        return WS_OK;
    if (follow_is_on(manager))
        follow_begin(manager);
    service = presence_find_room(manager->presence, PRESENCE_SERVICE);
    if (service == NULL)
        return WS_OK;
    member = presence_find_member(manager->presence, service, user);
    if (member != NULL && presence_own(member) > 0)
        *is_news = false;
    if (service->is_listed) {
        result = count_in(manager->presence, service, user, connection->id);
    } else if (service->is_followed) {
        follow_in(connection, service, is_first);
    } else if (member != NULL) {
        presence_end_leaving(manager->presence, member);
        presence_note(manager->presence, member, true);
    }
    if (follow_is_on(manager) && is_counted_here(connection))
        *is_news = false; /* the stream will say it */
    presence_keep(connection->loop);
    return result;
}

/* Remembers a user that has left, to announce it after the grace time. False: that is not possible,
 * so it is to be announced at once. */
static bool remember(struct connection *connection)
{
    struct presence *presence = presence_get(connection->loop->manager);
    struct presence_room *service =
        presence != NULL ? presence_add_room(presence, PRESENCE_SERVICE) : NULL;
    struct presence_member *member;

    if (service == NULL)
        return false;
    if (presence_add_member(presence, service, counted_user(connection), &member) != WS_OK) {
        presence_drop_room(presence, service);
        return false;
    }
    member->last = connection->id;
    presence_begin_leaving(presence, member);
    presence_note(presence, member, false);
    presence_keep(connection->loop);
    return true;
}

bool presence_user_went(struct connection *connection)
{
    const ws_manager *manager = connection->loop->manager;
    struct presence_room *service = counted_room(connection, PRESENCE_SERVICE);
    const char *user = counted_user(connection);
    bool is_parents = loop_is_parents(connection->loop);
    bool was_counted = user != NULL && is_counted_here(connection);

    manager_assert_locked(manager);
    if (service != NULL)
        presence_left(connection, PRESENCE_SERVICE, true);
    if (is_parents || connection->protocol == WS_PROTOCOL_RAW)
        return false;
    if (user == NULL)
        return true;
    if (has_other(connection) || (was_counted && follow_is_on(manager)))
        return false; /* or the stream will say it */
    if (manager->options.presence_grace_ms == 0 || (service != NULL && !was_counted))
        return true;
    if (service != NULL || manager->options.presence_events == WS_PRESENCE_OFF)
        return false;
    return !remember(connection);
}
