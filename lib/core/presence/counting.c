/* counting.c: counts the connections of users in rooms with presence.
 *
 * The connections that are in a room when its presence begins are counted in steps. Others come and
 * go between two steps. A connection notes that it counts, so none is counted twice, and one that
 * leaves is taken back if it was counted. */
#include "core/presence/counting.h"

#include "core/costs.h"
#include "core/inbox.h"
#include "core/presence/grace.h"

enum { COUNTED_AT_ONCE = 512 /* connections under one hold of the lock */ };

/* --- one connection -------------------------------------------------------------------------- */

const char *counting_user(const struct connection *connection)
{
    return connection->user != NULL && connection->protocol != WS_PROTOCOL_RAW
               ? connection->user->group->name
               : NULL;
}

int counting_add(struct presence *presence, struct presence_room *room,
                 const struct connection *connection)
{
    const char *user = counting_user(connection);
    struct presence_member *member = presence_find_member(presence, room, user);
    bool was_there = member != NULL && presence_is_there(member);

    if (member == NULL) {
        int result = presence_add_member(presence, room, user, &member);

        if (result != WS_OK)
            return result;
    }
    presence_end_leaving(presence, member);
    if (member->n_connections++ == 0)
        member->last = connection->id;
    presence_note(presence, member, was_there);
    return WS_OK;
}

void counting_remove(struct presence *presence, struct presence_room *room,
                     const struct connection *connection, bool is_lost)
{
    struct presence_member *member =
        presence_find_member(presence, room, counting_user(connection));

    if (member == NULL || member->n_connections == 0)
        return;
    if (--member->n_connections == 0) {
        member->last = connection->id;
        if (is_lost && presence->manager->options.presence_grace_ms > 0)
            presence_begin_leaving(presence, member);
    }
    presence_note(presence, member, true);
}

/* --- those that are there -------------------------------------------------------------------- */

enum phase {
    PHASE_ADD,
    PHASE_REMOVE, /* after an error: those that were counted are taken back */
    PHASE_COMPLETE /* after an error in a room that is followed: of each user that is counted, all
                      connections are */
};

/* The connections are visited loop by loop, from the highest place to the lowest: among the members
 * of a room one that leaves is replaced by the last one. So one may be visited twice, but none is
 * missed. Nothing is held in between, when loops and groups may end. */
struct counting {
    enum phase phase;
    int result;          /* the error */
    size_t users_before; /* in all rooms */
    uint32_t loop;
    uint32_t below; /* the places of this loop before it are to come */
};

static void begin_phase(struct counting *counting, enum phase phase)
{
    counting->phase = phase;
    counting->loop = 0;
    counting->below = UINT32_MAX;
}

void counting_fail(struct presence_room *room, int result)
{
    room->counting->result = result;
    begin_phase(room->counting, room->is_followed ? PHASE_COMPLETE : PHASE_REMOVE);
}

bool counting_goes_on(const struct presence_room *room)
{
    return room->counting != NULL && room->counting->phase == PHASE_ADD;
}

/* `share`: the room's, or NULL for the whole service. */
static bool is_counted(const struct connection *connection, const struct share *share)
{
    if (share == NULL)
        return connection->is_counted;
    return rooms_place(&connection->rooms, rooms_find(&connection->rooms, share)).is_counted;
}

static void set_counted(struct connection *connection, const struct share *share,
                        bool is_counted)
{
    uint32_t number;
    struct room_place place;

    if (share == NULL) {
        connection->is_counted = is_counted;
        return;
    }
    number = rooms_find(&connection->rooms, share);
    place = rooms_place(&connection->rooms, number);
    place.is_counted = is_counted;
    rooms_set_place(&connection->rooms, number, place);
}

static bool is_user_counted(const struct presence *presence, const struct presence_room *room,
                            const char *user)
{
    const struct presence_member *member = presence_find_member(presence, room, user);

    return member != NULL && member->n_connections > 0;
}

static void visit(struct presence *presence, struct presence_room *room,
                  struct connection *connection, const struct share *share)
{
    enum phase phase = room->counting->phase;
    const char *user = connection->is_of_user ? counting_user(connection) : NULL;
    bool was_counted = user != NULL && is_counted(connection, share);
    int result;

    if (user == NULL || was_counted != (phase == PHASE_REMOVE))
        return;
    if (was_counted) {
        set_counted(connection, share, false);
        counting_remove(presence, room, connection, false);
        return;
    }
    if (phase == PHASE_COMPLETE && !is_user_counted(presence, room, user))
        return;
    result = counting_add(presence, room, connection);
    if (result == WS_OK)
        set_counted(connection, share, true);
    else
        counting_fail(room, result);
}

/* The next connection of a loop; NULL: there is none. */
static struct connection *next_of_loop(const ws_loop *loop, uint32_t *below)
{
    *below = slots_below(&loop->slots, *below);
    return *below != SLOT_NONE ? slots_find(&loop->slots, *below) : NULL;
}

/* The next connection of a loop that is in the room; NULL: there is none. */
static struct connection *next_of_room(struct share *share, uint32_t *below)
{
    if (share == NULL || *below == 0)
        return NULL;
    if (*below > share->count)
        *below = share->count;
    return *below > 0 ? share_members(share)[--*below] : NULL;
}

/* Visits the next connections of a loop, as many as *left; returns whether there may be more. */
static bool visit_loop(struct presence *presence, struct presence_room *room, ws_loop *loop,
                       uint32_t *left)
{
    struct counting *counting = room->counting;
    const enum phase phase = counting->phase;
    bool is_service = *room->name == '\0';
    struct share *share = is_service ? NULL
                                     : registry_find_share(&presence->manager->registry,
                                                           GROUP_ROOM, room->name, loop);

    for (; *left > 0 && counting->phase == phase; --*left) {
        struct connection *connection = is_service ? next_of_loop(loop, &counting->below)
                                                   : next_of_room(share, &counting->below);

        if (connection == NULL)
            return false;
        visit(presence, room, connection, share);
    }
    return true;
}

/* Visits the next connections; returns whether there may be more. */
static bool visit_some(struct presence *presence, struct presence_room *room)
{
    ws_manager *manager = presence->manager;
    struct counting *counting = room->counting;
    uint32_t left = COUNTED_AT_ONCE;

    while (counting->loop < manager->n_loops && left > 0) {
        ws_loop *loop = manager->loops[counting->loop];

        if (loop != NULL && visit_loop(presence, room, loop, &left))
            continue;
        counting->loop++;
        counting->below = UINT32_MAX;
    }
    loop_charge_running(manager, COUNTED_AT_ONCE - left);
    return counting->loop < manager->n_loops;
}

/* --- the beginning of presence --------------------------------------------------------------- */

/* Whether a limit that left no room for its users still does: there are not fewer of them now,
 * nor of others'. */
static bool is_still_refused(const struct presence *presence, const struct presence_room *room)
{
    return room->refused_connections > 0 && presence->n_members >= room->refused_users &&
           presence_occupants(presence, room) >= room->refused_connections;
}

static int begin(struct presence *presence, struct presence_room *room)
{
    if (is_still_refused(presence, room))
        return WS_ERR_LIMIT;
    room->counting = memory_zalloc(&presence->manager->memory, sizeof *room->counting);
    if (room->counting == NULL)
        return WS_ERR_NO_MEMORY;
    room->counting->users_before = presence->n_members;
    begin_phase(room->counting, PHASE_ADD);
    return WS_OK;
}

/* All are counted, or none. */
static int finish(struct presence *presence, struct presence_room *room)
{
    struct counting *counting = room->counting;
    int result = counting->result;

    room->is_listed = result == WS_OK;
    room->refused_users = counting->users_before;
    room->refused_connections = result == WS_ERR_LIMIT ? presence_occupants(presence, room) : 0;
    memory_free(&presence->manager->memory, counting);
    room->counting = NULL;
    return result;
}

/* The application, and other processes, learn of the users that are there when presence begins. */
static void note(struct presence *presence, struct presence_member *member)
{
    presence_note(presence, member, presence_is_there(member));
}

int counting_step(struct presence *presence, struct presence_room *room)
{
    int result = room->counting == NULL ? begin(presence, room) : WS_OK;

    manager_assert_locked(presence->manager);
    if (result != WS_OK || visit_some(presence, room))
        return result;
    result = finish(presence, room);
    if (result == WS_OK &&
        (presence->manager->options.on_presence != NULL || presence->manager->has_cluster))
        presence_visit_members(presence, room, &room->to_note, note);
    return result;
}
