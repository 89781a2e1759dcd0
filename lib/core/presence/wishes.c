/* wishes.c: the rooms whose members this process needs to know of the others, and which rooms
 * stay. */
#include "core/presence/wishes.h"

enum {
    ASKED_AT_MOST = 1024,  /* unused rooms of which others were not told yet */
    UNUSED_AT_MOST = 1024, /* rooms */
    UNUSED_MS = 10000 /* others have answered, and who asks now and then finds the answer */
};

static void put(struct presence *presence, struct presence_room *room, enum presence_wish wish)
{
    struct presence_wishes *list = &presence->wishes[wish];

    room->wish = (uint8_t)wish;
    if (wish == WISH_NONE)
        return;
    room->next_wish = NULL;
    room->previous_wish = list->last;
    if (list->last != NULL)
        list->last->next_wish = room;
    else
        list->first = room;
    list->last = room;
    list->count++;
}

static void move(struct presence *presence, struct presence_room *room, enum presence_wish wish)
{
    struct presence_wishes *list = &presence->wishes[room->wish];

    if (room->wish != WISH_NONE) {
        if (room->previous_wish != NULL)
            room->previous_wish->next_wish = room->next_wish;
        else
            list->first = room->next_wish;
        if (room->next_wish != NULL)
            room->next_wish->previous_wish = room->previous_wish;
        else
            list->last = room->previous_wish;
        list->count--;
    }
    put(presence, room, wish);
}

static bool is_ending(const struct presence *presence, const struct presence_room *room)
{
    return room->wish == WISH_ENDED ||
           (room->wish == WISH_SENDING && presence->sending == WISH_ENDED);
}

void wishes_ask(struct presence *presence, struct presence_room *room)
{
    manager_assert_locked(presence->manager);
    if (!presence->manager->has_cluster)
        return;
    if (is_ending(presence, room) || (!room->is_asked && room->wish == WISH_NONE))
        move(presence, room, WISH_WANTED);
    else if (room->wish == WISH_UNUSED)
        move(presence, room, WISH_NONE);
}

void wishes_repeat(struct presence *presence, struct presence_room *room)
{
    if (room->is_asked && (room->wish == WISH_NONE || room->wish == WISH_UNUSED))
        move(presence, room, WISH_REPEATED);
}

/* --- rooms that are not used ------------------------------------------------------------------ */

/* Whether anything of this process needs the room, or anybody is in it anywhere. Connections
 * that were counted once, or are too many, are not counted again for each request: the room
 * stays as long as any are there, also if none of them is a user's. */
static bool is_used(const struct presence *presence, const struct presence_room *room)
{
    return room->is_declared || room->is_changed || room->n_kept > 0 ||
           ((room->is_listed || room->refused_connections > 0) &&
            presence_occupants(presence, room) > 0) ||
           registry_find(&presence->manager->registry, GROUP_WATCHERS, room->name) != NULL;
}

static void end_first(struct presence *presence)
{
    struct presence_room *room = presence->wishes[WISH_UNUSED].first;

    move(presence, room, is_used(presence, room) ? WISH_NONE : WISH_ENDED);
}

/* Whether a room that nothing uses here stays, because of what others are to be told. */
static bool keep(struct presence *presence, struct presence_room *room)
{
    if (room->wish == WISH_WANTED && !room->is_asked)
        return presence->wishes[WISH_WANTED].count <= ASKED_AT_MOST;
    if (room->wish == WISH_NONE && room->is_asked) {
        room->unused_due_ms = presence->clock_ms + UNUSED_MS;
        move(presence, room, WISH_UNUSED);
        if (presence->wishes[WISH_UNUSED].count > UNUSED_AT_MOST)
            end_first(presence);
    }
    return room->wish != WISH_NONE;
}

void presence_drop_room(struct presence *presence, struct presence_room *room)
{
    if (is_used(presence, room))
        return;
    if (room->is_followed) { /* it stays, without its lists */
        room->is_listed = false;
        room->refused_connections = 0;
        presence_drop_list(room);
        return;
    }
    if (keep(presence, room) || room->wanted_by != 0)
        return;
    move(presence, room, WISH_NONE);
    presence_free_room(presence, room);
}

void wishes_age(struct presence *presence)
{
    const struct presence_room *room;

    manager_assert_locked(presence->manager);
    while ((room = presence->wishes[WISH_UNUSED].first) != NULL &&
           room->unused_due_ms <= presence->clock_ms)
        end_first(presence);
}

/* --- sending ---------------------------------------------------------------------------------- */

bool wishes_exist(const struct presence *presence)
{
    for (int wish = WISH_NONE; wish < N_WISHES; wish++)
        if (presence->wishes[wish].count > 0)
            return true;
    return false;
}

struct presence_room *wishes_take(struct presence *presence, enum presence_wish wish)
{
    struct presence_room *room = presence->wishes[wish].first;

    manager_assert_locked(presence->manager);
    presence->sending = wish;
    if (room != NULL)
        move(presence, room, WISH_SENDING);
    return room;
}

void wishes_settle(struct presence *presence, bool is_sent)
{
    struct presence_room *room;

    manager_assert_locked(presence->manager);
    while ((room = presence->wishes[WISH_SENDING].first) != NULL) {
        move(presence, room, is_sent ? WISH_NONE : presence->sending);
        if (is_sent)
            room->is_asked = presence->sending != WISH_ENDED;
        presence_drop_room(presence, room);
    }
    if (is_sent)
        presence->is_alone = false;
}
