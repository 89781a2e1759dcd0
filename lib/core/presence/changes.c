/* changes.c: notes what is to be sent to those who observe a room's presence, and whose grace time
 * runs. Not here: sending it (beat.c). */
#include "core/presence/state.h"

static bool is_observed(const struct presence *presence, const struct presence_room *room)
{
    ws_manager *manager = presence->manager;

    return room->is_listed &&
           (manager->options.on_presence != NULL ||
            registry_find(&manager->registry, GROUP_WATCHERS, room->name) != NULL);
}

void presence_note_room(struct presence *presence, struct presence_room *room)
{
    manager_assert_locked(presence->manager);
    if (room->is_changed)
        return;
    room->is_changed = true;
    room->next_changed = NULL;
    if (presence->first_changed == NULL)
        presence->first_changed = room;
    else
        presence->last_changed->next_changed = room;
    presence->last_changed = room;
    presence->n_changed++;
}

void presence_note_unsent(struct presence *presence, struct presence_member *member)
{
    const struct presence_room *room = member->room;

    if (!presence->manager->has_cluster || !(room->is_listed || room->is_followed) ||
        member->is_unsent)
        return;
    member->is_unsent = true;
    member->next_unsent = NULL;
    member->previous_unsent = presence->last_unsent;
    if (presence->first_unsent == NULL)
        presence->first_unsent = member;
    else
        presence->last_unsent->next_unsent = member;
    presence->last_unsent = member;
}

void presence_end_unsent(struct presence *presence, struct presence_member *member)
{
    member->is_unsent = false;
    if (member->previous_unsent != NULL)
        member->previous_unsent->next_unsent = member->next_unsent;
    else
        presence->first_unsent = member->next_unsent;
    if (member->next_unsent != NULL)
        member->next_unsent->previous_unsent = member->previous_unsent;
    else
        presence->last_unsent = member->previous_unsent;
}

void presence_drop_unsent(struct presence *presence, struct presence_member *member)
{
    if (member->is_unsent && !member->is_sending && !member->is_state_unsent &&
        member->sent_connections == 0 && presence_own(member) == 0)
        presence_end_unsent(presence, member);
}

void presence_note_needed(struct presence *presence, struct presence_member *member)
{
    if (presence_own(member) == 0)
        return;
    if (member->state_position != STATE_SET_HERE) /* else it is on its way */
        member->is_state_unsent = true;
    presence_note_unsent(presence, member);
}

/* The state goes with its user. Other processes that know the user do not notice it if it comes
 * back at once; if it does not, or comes elsewhere, there is nothing to be said. */
static void forget_state(struct presence *presence, struct presence_member *member)
{
    bool may_be_known = member->state != NULL || member->state_position == STATE_SET_HERE;

    member->has_new_state |= member->state != NULL;
    presence_replace_state(presence, member, NULL, 0);
    member->is_state_unsent = may_be_known && member->sent_connections > 0;
    member->is_state_forgotten = member->is_state_unsent;
    member->state_position = member->is_state_unsent ? STATE_SET_HERE : 0;
}

void presence_drop_forgotten(struct presence_member *member)
{
    if (!member->is_state_forgotten)
        return;
    member->is_state_forgotten = member->is_state_unsent = false;
    member->state_position = 0;
}

void presence_free_if_unused(struct presence *presence, struct presence_member *member)
{
    struct presence_room *room = member->room;

    if (presence_is_there(member) || member->is_changed || member->is_unsent ||
        member->returned_connections > 0 || member->is_streamed || member->is_returning)
        return;
    presence_free_member(presence, member);
    presence_drop_room(presence, room);
}

void presence_note(struct presence *presence, struct presence_member *member, bool was_there)
{
    struct presence_room *room = member->room;
    bool is_seen = is_observed(presence, room);
    bool is_there = presence_is_there(member);
    bool is_known =
        member->is_changed || member->is_known || member->is_shown || member->is_reported;

    manager_assert_locked(presence->manager);
    presence_drop_list(room);
    room->n_members += is_there;
    room->n_members -= was_there;
    if (!is_there)
        forget_state(presence, member);
    if (member->is_state_unsent || member->sent_connections != presence_own(member))
        presence_note_unsent(presence, member);
    presence_drop_unsent(presence, member);
    if (is_seen && (is_there || is_known)) {
        if (!member->is_changed) {
            member->is_changed = true;
            member->next_changed = room->changed;
            room->changed = member;
        }
        presence_note_room(presence, room);
    } else {
        if (is_seen && room->is_big) /* observers do not know the member, but it was counted */
            presence_note_room(presence, room);
        presence_free_if_unused(presence, member);
    }
}

/* A list that was too long is sent again when it is shorter by a quarter: a room whose size varies
 * around the limit does not change its form with each member. */
static bool is_too_big(const struct presence *presence, const struct presence_room *room)
{
    const ws_manager_options *options = &presence->manager->options;
    uint64_t most = options->max_presence_list;
    uint64_t most_bytes = options->max_event_bytes;

    if (room->is_big) {
        most -= most / 4;
        most_bytes -= most_bytes / 4;
    }
    return room->n_members > most || room->bytes > most_bytes;
}

void presence_choose_form(struct presence *presence, struct presence_room *room)
{
    bool is_watched =
        registry_find(&presence->manager->registry, GROUP_WATCHERS, room->name) != NULL;
    bool was_big = room->is_big;

    manager_assert_locked(presence->manager);
    if (!is_watched)
        room->is_big = false;
    room->is_big = is_too_big(presence, room);
    if (room->is_big == was_big)
        return;
    presence_drop_list(room);
    if (!is_watched)
        return;
    room->is_reset = true;
    presence_note_room(presence, room);
}
