/* members.c: counts the connections of users, in the whole service and in the rooms with
 * presence. */
#include "core/presence/members.h"

#include "core/presence/beat.h"
#include "core/presence/counting.h"
#include "core/presence/follow.h"
#include "core/presence/grace.h"
#include "core/presence/state.h"
#include "core/presence/wishes.h"

/* --- rooms ----------------------------------------------------------------------------------- */

/* Whether connections that come are counted. */
static bool counts(const struct presence_room *room)
{
    return room->is_listed || counting_goes_on(room);
}

/* Counts a connection that comes. While presence begins in the room, that fails rather than this
 * client's request. */
static int add(struct presence_room *room, struct connection *connection, bool *is_counted)
{
    int result = counting_add(connection->loop->manager->presence, room, connection);

    *is_counted = result == WS_OK;
    if (result == WS_OK || room->is_listed)
        return result;
    counting_fail(room, result);
    return WS_OK;
}

int presence_entered(struct connection *connection, const char *room, bool *is_counted)
{
    ws_loop *loop = connection->loop;
    struct presence_room *found = presence_find_room(loop->manager->presence, room);
    int result;

    manager_assert_locked(loop->manager);
    *is_counted = false;
    if (found == NULL || !counts(found) || counting_user(connection) == NULL)
        return WS_OK;
    result = add(found, connection, is_counted);
    presence_keep(loop);
    return result;
}

void presence_left(struct connection *connection, const char *room, bool is_lost)
{
    ws_loop *loop = connection->loop;
    struct presence *presence = loop->manager->presence;

    manager_assert_locked(loop->manager);
    counting_remove(presence, presence_find_room(presence, room), connection,
                    is_lost && !loop_is_parents(loop));
    presence_keep(loop);
}

/* For others a room that is followed is as good. */
static bool is_open(const struct presence_room *room, bool is_asked_here)
{
    return room->is_listed || (room->is_followed && !is_asked_here);
}

/* Counts those that are in a room, unless that was done. */
static int count(struct presence *presence, struct presence_room *room, bool is_asked_here)
{
    int result = WS_OK;

    room->n_kept++; /* stays in between */
    while (result == WS_OK && !is_open(room, is_asked_here)) {
        result = counting_step(presence, room);
        if (room->counting != NULL)
            manager_relock(presence->manager);
    }
    room->n_kept--;
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
    result = count(presence, opened, is_asked_here);
    if (result != WS_OK) {
        presence_drop_room(presence, opened);
        return result;
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
    const struct presence_member *member =
        presence_find_member(presence, service, counting_user(connection));

    if (is_first || (member != NULL && member->n_connections > 0))
        connection->is_counted = counting_add(presence, service, connection) == WS_OK;
}

/* Counts a connection in the whole service. */
static int add_to_service(struct connection *connection, struct presence_room *service,
                          bool is_first)
{
    struct presence *presence = connection->loop->manager->presence;
    bool is_counted = false;
    int result = WS_OK;

    if (counts(service)) {
        result = add(service, connection, &is_counted);
        connection->is_counted = is_counted;
    } else if (service->is_followed) {
        follow_in(connection, service, is_first);
    } else {
        struct presence_member *member =
            presence_find_member(presence, service, counting_user(connection));

        if (member != NULL) {
            presence_end_leaving(presence, member);
            presence_note(presence, member, true);
        }
    }
    return result;
}

int presence_user_came(struct connection *connection, bool *is_news)
{
    ws_manager *manager = connection->loop->manager;
    const char *user = counting_user(connection);
    struct presence_room *service;
    const struct presence_member *member;
    bool is_first;
    int result;

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
    result = add_to_service(connection, service, is_first);
    if (follow_is_on(manager) && connection->is_counted)
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
    if (presence_add_member(presence, service, counting_user(connection), &member) != WS_OK) {
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
    const struct presence_room *service =
        presence_find_room(manager->presence, PRESENCE_SERVICE);
    bool is_complete = service != NULL && (service->is_listed || service->is_followed);
    bool was_counted = connection->is_counted;

    manager_assert_locked(manager);
    if (was_counted)
        presence_left(connection, PRESENCE_SERVICE, true);
    connection->is_counted = false;
    if (loop_is_parents(connection->loop) || connection->protocol == WS_PROTOCOL_RAW)
        return false;
    if (connection->user == NULL)
        return true;
    if (has_other(connection) || (was_counted && follow_is_on(manager)))
        return false; /* or the stream will say it */
    if (manager->options.presence_grace_ms == 0 || (is_complete && !was_counted))
        return true;
    if (was_counted || manager->options.presence_events == WS_PRESENCE_OFF)
        return false;
    return !remember(connection);
}
