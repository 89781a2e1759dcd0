/* grace.c: the grace times of users who have no connection any more. Not here: what has changed for
 * those who see them (changes.c). */
#include "core/presence/grace.h"

#include <string.h>

#include "core/presence/announce.h"
#include "core/presence/follow.h"

enum {
    LEFT_AT_ONCE = 32,  /* users whose grace time ends under one hold of the lock */
    LEFT_PER_BEAT = 512 /* each may be announced to everyone */
};

/* The grace time is the same for all, so the one that began first ends first. One beat is added,
 * because the clock stands still between two beats. */
void presence_begin_leaving(struct presence *presence, struct presence_member *member)
{
    const ws_manager_options *options = &presence->manager->options;

    manager_assert_locked(presence->manager);
    member->is_leaving = true;
    member->due_ms =
        presence->clock_ms + options->presence_grace_ms + options->presence_batch_ms;
    member->later = NULL;
    member->earlier = presence->last_leaving;
    if (member->earlier != NULL)
        member->earlier->later = member;
    else
        presence->first_leaving = member;
    presence->last_leaving = member;
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
        presence->first_leaving = member->later;
    if (member->later != NULL)
        member->later->earlier = member->earlier;
    else
        presence->last_leaving = member->earlier;
}

struct left_user {
    ws_conn_id last;
    char user_id[WS_NAME_MAX + 1];
};

/* Ends grace times that are over; fills in the users that have left the service. */
static size_t end_some(ws_manager *manager, struct left_user left[LEFT_AT_ONCE], size_t *n_left)
{
    struct presence *presence = manager->presence;
    size_t count = 0;

    *n_left = 0;
    manager_lock(manager);
    for (; count < LEFT_AT_ONCE; count++) {
        struct presence_member *member = presence->first_leaving;

        if (member == NULL || member->due_ms > presence->clock_ms)
            break;
        if (*member->room->name == '\0' && !follow_is_on(manager)) {
            left[*n_left].last = member->last;
            memcpy(left[*n_left].user_id, presence_user(member),
                   (size_t)member->user_length + 1);
            ++*n_left;
        }
        presence_end_leaving(presence, member);
        presence_note(presence, member, true);
    }
    manager_unlock(manager);
    return count;
}

void presence_end_grace_times(ws_loop *loop)
{
    struct left_user left[LEFT_AT_ONCE];
    size_t ended = 0;
    size_t n_left;
    size_t n;

    do {
        n = end_some(loop->manager, left, &n_left);
        for (size_t i = 0; i < n_left; i++)
            announce_user(loop, USER_WENT, left[i].last, left[i].user_id);
        ended += n;
    } while (n == LEFT_AT_ONCE && ended < LEFT_PER_BEAT);
}

bool presence_is_grace_over(const struct presence *presence)
{
    manager_assert_locked(presence->manager);
    return presence->first_leaving != NULL &&
           presence->first_leaving->due_ms <= presence->clock_ms;
}
