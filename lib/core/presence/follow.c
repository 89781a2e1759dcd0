/* follow.c: follows the users of all processes, for user_connected and user_disconnected. */
#include "core/presence/follow.h"

#include "core/presence/announce.h"
#include "core/presence/wishes.h"

/* Other processes answer in a moment, unless they are overloaded. Silence therefore shows that this
 * process is alone only after it has lasted, and that others have told everything much sooner. */
enum {
    LEARNING_BEATS = 5,    /* of silence, after another process told something */
    LEARNING_MAX_MS = 3000 /* whether none answers, or however long others go on */
};

bool follow_is_on(const ws_manager *manager)
{
    return manager->has_cluster && manager->options.presence_events != WS_PRESENCE_OFF;
}

struct presence_room *follow_begin(ws_manager *manager)
{
    struct presence *presence = presence_get(manager);
    struct presence_room *service =
        presence != NULL ? presence_add_room(presence, PRESENCE_SERVICE) : NULL;

    manager_assert_locked(manager);
    if (service == NULL || service->is_followed)
        return service;
    service->is_followed = true;
    presence->is_learning = true;
    wishes_ask(presence, service);
    return service;
}

/* --- what was there before ------------------------------------------------------------------- */

void follow_asked(struct presence *presence)
{
    const struct presence_room *service = presence_find_room(presence, PRESENCE_SERVICE);

    if (!presence->is_learning || service == NULL || !service->is_asked ||
        presence->learned_ms > 0)
        return;
    presence->learned_by_ms = presence->clock_ms + LEARNING_MAX_MS;
    presence->learned_ms = presence->learned_by_ms;
}

void follow_ask_again(struct presence *presence)
{
    struct presence_room *service = presence_find_room(presence, PRESENCE_SERVICE);

    if (!presence->is_learning || service == NULL)
        return;
    presence->learned_ms = 0;
    service->is_asked = false;
    wishes_ask(presence, service);
}

void follow_told(struct presence *presence)
{
    uint64_t beat_ms = presence->manager->options.presence_batch_ms;

    if (presence->learned_ms == 0)
        return;
    presence->learned_ms = presence->clock_ms + LEARNING_BEATS * beat_ms;
    if (presence->learned_ms > presence->learned_by_ms)
        presence->learned_ms = presence->learned_by_ms;
}

bool follow_learns(struct presence *presence)
{
    if (presence->is_learning && presence->learned_ms > 0 &&
        presence->clock_ms >= presence->learned_ms)
        presence->is_learning = false;
    return presence->is_learning;
}

/* --- announcements --------------------------------------------------------------------------- */

/* Users who came before this process knew of all others: their coming is not announced, but their
 * leaving is. After a gap, a user who is there again is announced. */
static bool was_there_before(const struct presence *presence, const struct follow_news *news)
{
    return presence->n_signs < PRESENCE_MISSED_MAX && !news->is_first;
}

void follow_note(const struct follow_news *news, struct presence_member *member)
{
    ws_manager *manager = news->posting->manager;
    bool is_there = member->is_streamed || member->parts != NULL;

    manager_assert_locked(manager);
    if (!member->room->is_followed || is_there == member->is_announced)
        return;
    member->is_announced = is_there;
    if (is_there && was_there_before(manager->presence, news))
        return;
    announce_posted(
        news->posting, is_there ? USER_CAME : USER_WENT,
        &(struct announced_connection){news->process, news->connection, presence_user(member)},
        news->time_ms);
}
