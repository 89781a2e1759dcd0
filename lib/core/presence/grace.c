/* grace.c: the grace times of users who have no connection any more. Not here: what has changed for
 * those who see them (changes.c). */
#include "core/presence/grace.h"

#include <string.h>

#include "core/costs.h"
#include "core/presence/announce.h"
#include "core/presence/follow.h"

enum {
    LEFT_AT_ONCE = 32,    /* users whose grace time ends under one hold of the lock */
    COST_PER_BEAT = 8192, /* as much as a turn */
    ROOM_COST = 2,        /* of a user who has left a room */
    SERVICE_COST = 16,    /* of one who is announced */
    ENDED_FOR_ONE = 4,    /* grace times near the limits, for a user who comes */
    SPARE_PART = 8        /* of the limits */
};

static enum presence_leaving list_of(const struct presence_member *member)
{
    return *member->room->name == '\0' ? LEAVES_SERVICE : LEAVES_ROOM;
}

/* The grace time is the same for all, so the one that began first ends first. One beat is added,
 * because the clock stands still between two beats. */
void presence_begin_leaving(struct presence *presence, struct presence_member *member)
{
    const ws_manager_options *options = &presence->manager->options;
    struct presence_member **last = &presence->last_leaving[list_of(member)];

    manager_assert_locked(presence->manager);
    member->is_leaving = true;
    member->due_ms =
        presence->clock_ms + options->presence_grace_ms + options->presence_batch_ms;
    member->later = NULL;
    member->earlier = *last;
    if (member->earlier != NULL)
        member->earlier->later = member;
    else
        presence->first_leaving[list_of(member)] = member;
    *last = member;
}

void presence_end_leaving(struct presence *presence, struct presence_member *member)
{
    manager_assert_locked(presence->manager);
    if (!member->is_leaving)
        return;
    member->is_leaving = false;
    if (member->earlier != NULL)
        member->earlier->later = member->later;
    else
        presence->first_leaving[list_of(member)] = member->later;
    if (member->later != NULL)
        member->later->earlier = member->earlier;
    else
        presence->last_leaving[list_of(member)] = member->earlier;
}

bool presence_has_leaving(const struct presence *presence)
{
    return presence->first_leaving[LEAVES_ROOM] != NULL ||
           presence->first_leaving[LEAVES_SERVICE] != NULL;
}

/* The user is gone, and is freed unless somebody is still to receive that. */
static void end(struct presence *presence, struct presence_member *member)
{
    presence_end_leaving(presence, member);
    presence_note(presence, member, true);
}

/* --- near the limits ------------------------------------------------------------------------- */

static bool is_near(uint64_t count, uint64_t most)
{
    return most > 0 && count >= most - most / SPARE_PART;
}

/* Those that are there have precedence over those that have left: one client that enters rooms, is
 * lost, and enters others could otherwise use up the limits for all. The spare part is for those
 * that are gone, and are freed when observers and other processes have received that. */
static bool is_crowded(const struct presence *presence)
{
    const ws_manager_options *options = &presence->manager->options;

    return is_near(presence->n_members, options->max_presence_members) ||
           is_near(presence->bytes, options->max_presence_bytes);
}

/* The member whose grace time ends next, to make room for a user who comes into `room`. Not the
 * last member of `room`, because the room must stay, and no member of the list of the service,
 * whose end the beat announces. */
static struct presence_member *next_to_make_room(const struct presence *presence,
                                                 const struct presence_room *room)
{
    struct presence_member *member = presence->first_leaving[LEAVES_ROOM];

    if (member != NULL && member->room == room && room->n_kept == 1)
        member = member->later;
    return member;
}

int presence_add_member(struct presence *presence, struct presence_room *room, const char *user,
                        struct presence_member **member)
{
    manager_assert_locked(presence->manager);
    for (int n = 0; n < ENDED_FOR_ONE && is_crowded(presence); n++) {
        struct presence_member *leaving = next_to_make_room(presence, room);

        if (leaving == NULL)
            break;
        end(presence, leaving);
    }
    return presence_link_member(presence, room, user, member);
}

/* --- in the beat ----------------------------------------------------------------------------- */

struct left_user {
    ws_conn_id last;
    char user_id[WS_NAME_MAX + 1];
};

/* The next member whose grace time is to be ended now, or NULL. */
static struct presence_member *next_due(const struct presence *presence)
{
    struct presence_member *next = presence->first_leaving[LEAVES_ROOM];
    struct presence_member *leaves_service = presence->first_leaving[LEAVES_SERVICE];

    if (next == NULL || (leaves_service != NULL && leaves_service->due_ms < next->due_ms))
        next = leaves_service;
    if (next == NULL || (next->due_ms > presence->clock_ms && !is_crowded(presence)))
        return NULL;
    return next;
}

/* Ends grace times; fills in the users that have left the service, who are to be announced. */
static size_t end_some(ws_manager *manager, struct left_user left[LEFT_AT_ONCE], size_t *n_left,
                       uint32_t *budget)
{
    struct presence *presence = manager->presence;
    size_t count = 0;

    *n_left = 0;
    manager_lock(manager);
    for (; count < LEFT_AT_ONCE; count++) {
        struct presence_member *member = next_due(presence);

        if (member == NULL)
            break;
        if (list_of(member) == LEAVES_SERVICE && !follow_is_on(manager)) {
            left[*n_left].last = member->last;
            memcpy(left[*n_left].user_id, presence_user(member),
                   (size_t)member->user_length + 1);
            ++*n_left;
        }
        budget_spend(budget, list_of(member) == LEAVES_SERVICE ? SERVICE_COST : ROOM_COST);
        end(presence, member);
    }
    manager_unlock(manager);
    return count;
}

void presence_end_grace_times(ws_loop *loop)
{
    struct left_user left[LEFT_AT_ONCE];
    uint32_t budget = COST_PER_BEAT;
    size_t n_left;
    size_t n;

    do {
        n = end_some(loop->manager, left, &n_left, &budget);
        for (size_t i = 0; i < n_left; i++)
            announce_user(loop, USER_WENT, left[i].last, left[i].user_id);
    } while (n == LEFT_AT_ONCE && budget > 0);
    timer_wheel_spend(&loop->timers, COST_PER_BEAT - budget);
}

bool presence_is_grace_over(const struct presence *presence)
{
    manager_assert_locked(presence->manager);
    return next_due(presence) != NULL;
}
