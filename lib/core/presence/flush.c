/* flush.c: sends changes of presence to those who observe a room: clients, and the application. */
#include "core/presence/flush.h"

#include <string.h>

#include "core/costs.h"
#include "core/presence/announce.h"
#include "core/presence/list.h"
#include "core/sending/total_order.h"

enum {
    CHANGES_AT_ONCE = 256, /* members in one message */
    /* Of some changes, in the unit of a turn's budget: */
    MESSAGE_COST = 128,  /* if anybody is to receive them, or must wait for them */
    QUIET_COST = 8,      /* if nothing has changed for those who observe the room */
    COST_PER_BEAT = 8192 /* 64 messages */
};

/* --- changes for the application ------------------------------------------------------------- */

/* A change, copied, so that the application is called without the lock. */
struct notice {
    enum presence_change change;
    uint32_t connections;
    uint32_t state_length;
    char user_id[WS_NAME_MAX + 1];
};

static void add_notices(struct buffer *notices, struct presence_member *const *members,
                        size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct presence_member *member = members[i];
        struct notice notice = {.change = presence_change_to_report(member)};

        if (notice.change == PRESENCE_SAME)
            continue;
        notice.connections = notice.change == PRESENCE_LEFT ? 0 : presence_connections(member);
        notice.state_length = member->state_length;
        memcpy(notice.user_id, presence_user(member), (size_t)member->user_length + 1);
        buffer_add(notices, &notice, sizeof notice);
        buffer_add(notices, member->state != NULL ? member->state : "", member->state_length);
        buffer_add(notices, "", 1);
    }
}

static void notify(ws_loop *loop, const char *room, const struct buffer *notices)
{
    ws_manager *manager = loop->manager;
    const ws_manager_options *options = &manager->options;
    size_t at = 0;

    while (at < notices->length) {
        struct notice notice;
        ws_presence_change change = {.size = sizeof change};

        memcpy(&notice, notices->data + at, sizeof notice);
        at += sizeof notice;
        change.change = notice.change == PRESENCE_JOINED ? WS_PRESENCE_JOINED
                        : notice.change == PRESENCE_LEFT ? WS_PRESENCE_LEFT
                                                         : WS_PRESENCE_CHANGED;
        change.room = *room != '\0' ? room : NULL;
        change.user_id = notice.user_id;
        change.connections = notice.connections;
        change.state = notice.state_length > 0 ? notices->data + at : NULL;
        change.state_length = notice.state_length;
        at += notice.state_length + 1;
        budget_spend(&loop->for_presence, INPUT_COST_CALLBACK);
        options->on_presence(manager, &change, options->user_data);
    }
}

/* --- changes for clients --------------------------------------------------------------------- */

/* Some changes of one room. */
struct step {
    struct presence_room *room;
    int64_t time_ms;
    size_t n;
    bool is_quiet; /* there was nothing to be sent */
    struct presence_member *members[CHANGES_AT_ONCE];
    struct buffer notices;
};

enum step_result { STEP_DONE, STEP_MORE, STEP_LATER };

/* The members in one message: the application is called for each. */
static size_t most_at_once(const ws_loop *loop)
{
    size_t most = loop->for_presence / INPUT_COST_CALLBACK;

    return loop->manager->options.on_presence != NULL && most < CHANGES_AT_ONCE
               ? most
               : CHANGES_AT_ONCE;
}

static void collect(struct step *step, size_t most)
{
    step->n = 0;
    for (struct presence_member *member = step->room->changed; member != NULL && step->n < most;
         member = member->next_changed)
        step->members[step->n++] = member;
}

static bool has_changes(const struct step *step)
{
    for (size_t i = 0; i < step->n; i++)
        if (presence_change_of(step->members[i]) != PRESENCE_SAME)
            return true;
    return false;
}

/* Observers know the members now as they are. */
static void commit(struct presence *presence, struct step *step)
{
    struct presence_room *room = step->room;

    for (size_t i = 0; i < step->n; i++) {
        struct presence_member *member = step->members[i];

        room->changed = member->next_changed;
        member->is_changed = member->is_shown = member->has_new_state = false;
        member->is_known = presence_is_there(member);
        member->is_reported =
            member->is_known && presence->manager->options.on_presence != NULL;
        member->known_connections = presence_connections(member);
        presence_free_if_unused(presence, member); /* the room stays while it is_changed */
    }
    room->known_count = room->n_members;
    presence_drop_list(room);
}

/* Whether there is anything to be sent to the room's watchers. */
static bool needs_message(const struct step *step)
{
    const struct presence_room *room = step->room;

    if (room->is_reset)
        return true;
    return room->is_big ? room->known_count != room->n_members : has_changes(step);
}

/* Makes the next message for the room's watchers; NULL if memory ran out. */
static ws_message *make_message(struct presence *presence, const struct step *step)
{
    struct presence_room *room = step->room;

    if (!room->is_reset)
        return presence_make_changes(presence, room, step->members, room->is_big ? 0 : step->n,
                                     step->time_ms);
    return presence_make_list(presence, room, step->time_ms) ? ws_message_ref(room->list)
                                                             : NULL;
}

/* Sends the next message to the room's watchers. */
static bool send_to_watchers(ws_loop *loop, struct posting *posting, struct step *step)
{
    ws_manager *manager = loop->manager;
    const struct group *watchers =
        registry_find(&manager->registry, GROUP_WATCHERS, step->room->name);
    ws_message *message;
    int result;

    if (watchers == NULL)
        step->room->is_reset = false;
    step->is_quiet = watchers == NULL || !needs_message(step);
    if (step->is_quiet)
        return true;
    if (!announce_admit_changes(loop, group_count(watchers)))
        return false;
    message = make_message(manager->presence, step);
    if (message == NULL)
        return false;
    result = send_posted(posting, (struct target){GROUP_WATCHERS, step->room->name}, message);
    ws_message_unref(message);
    return result == WS_OK;
}

static enum step_result take_step(ws_loop *loop, struct posting *posting, struct step *step)
{
    struct presence *presence = loop->manager->presence;
    struct presence_room *room = step->room;
    bool was_reset;

    presence_choose_form(presence, room);
    collect(step, most_at_once(loop));
    was_reset = room->is_reset;
    if (loop->manager->options.on_presence != NULL && !was_reset)
        add_notices(&step->notices, step->members, step->n);
    if (step->notices.failed || !send_to_watchers(loop, posting, step)) {
        step->notices.length = 0;
        step->is_quiet = false;
        return STEP_LATER;
    }
    step->is_quiet &= step->notices.length == 0;
    if (was_reset) {
        room->is_reset = false;
        room->known_count = room->n_members;
        return STEP_MORE;
    }
    commit(presence, step);
    return room->changed != NULL ? STEP_MORE : STEP_DONE;
}

/* Sends changes of a room, as far as possible. Returns how the last step ended. The room stays
 * while is_changed, so its name may be used without the lock. */
static enum step_result send_room(ws_loop *loop, struct presence_room *room, uint32_t *budget)
{
    ws_manager *manager = loop->manager;
    enum step_result result = STEP_MORE;

    while (result == STEP_MORE && *budget > 0 && most_at_once(loop) > 0) {
        struct step step = {.room = room, .time_ms = manager_clock(manager)};
        struct posting posting;

        buffer_init(&step.notices, &manager->memory);
        posting_begin(&posting, manager);
        result = take_step(loop, &posting, &step);
        posting_end(&posting);
        lock_let_others(&manager->lock);
        budget_spend(budget, step.is_quiet ? QUIET_COST : MESSAGE_COST);
        notify(loop, room->name, &step.notices);
        buffer_free(&step.notices);
    }
    return result;
}

/* Takes the room that has waited longest out of the list. It is_changed still, so it stays. */
static struct presence_room *take_room(ws_manager *manager)
{
    struct presence *presence = manager->presence;
    struct presence_room *room;

    manager_lock(manager);
    room = presence->first_changed;
    presence->first_changed = room->next_changed;
    presence->n_changed--;
    manager_unlock(manager);
    return room;
}

/* Puts a room back, at the end, if it has more to be sent, or has got more meanwhile. */
static void settle_room(ws_manager *manager, struct presence_room *room,
                        enum step_result result)
{
    struct presence *presence = manager->presence;

    manager_lock(manager);
    room->is_changed = false;
    if (result != STEP_DONE || room->changed != NULL || room->is_reset)
        presence_note_room(presence, room);
    else
        presence_drop_room(presence, room);
    manager_unlock(manager);
}

/* Each room has its turn once: those that it is put behind have waited for longer. */
enum flushed presence_flush(ws_loop *loop)
{
    ws_manager *manager = loop->manager;
    uint32_t budget = COST_PER_BEAT;
    size_t n_rooms;

    manager_lock(manager);
    n_rooms = manager->presence->n_changed;
    manager->presence_waits = false;
    manager_unlock(manager);
    for (; n_rooms > 0 && budget > 0 && most_at_once(loop) > 0; n_rooms--) {
        struct presence_room *room = take_room(manager);

        settle_room(manager, room, send_room(loop, room, &budget));
    }
    if (most_at_once(loop) == 0)
        return FLUSHED_A_TURN;
    return budget > 0 ? FLUSHED_ALL : FLUSHED_A_BEAT;
}
