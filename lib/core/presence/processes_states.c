/* processes_states.c: the states of members, which are the same on all processes. */
#include "core/presence/processes_states.h"

#include <string.h>

#include "core/presence/follow.h"

void processes_tell_state(struct presence *presence, struct presence_member *member)
{
    const struct presence_part *part = member->parts;

    manager_assert_locked(presence->manager);
    while (part != NULL && !part->knows_state)
        part = part->next;
    if (part != NULL || member->parts == NULL || presence_own(member) > 0 ||
        member->state_position == 0 || member->state_position == STATE_SET_HERE)
        return;
    member->is_state_unsent = true;
    presence_note_unsent(presence, member);
}

enum { DOUBTED_AT_ONCE = 1024 /* buckets of the members' table under one hold of the lock */ };

static bool has_state(const struct presence_member *member, struct json_slice state)
{
    if (member->state == NULL)
        return state.length == 4 && memcmp(state.text, "null", 4) == 0;
    return state.length == member->state_length &&
           memcmp(state.text, member->state, state.length) == 0;
}

/* Whether a state replaces the member's: the one whose command has the highest position counts,
 * on every process. A command of this process that is on its way, or to be sent, will have a
 * higher one. */
static bool is_newer(const struct presence_member *member, bool is_own,
                     const struct entry *entry)
{
    if (member->state_position != STATE_SET_HERE)
        return entry->at > member->state_position;
    return is_own && !member->is_state_unsent && has_state(member, entry->state);
}

static int replace_state(struct presence *presence, struct presence_member *member,
                         struct json_slice state)
{
    bool is_none = state.length == 4 && memcmp(state.text, "null", 4) == 0;
    char *copy = NULL;

    if (!is_none) {
        copy = memory_copy_text(&presence->manager->memory, state.text, state.length);
        if (copy == NULL)
            return WS_ERR_NO_MEMORY;
    }
    presence_replace_state(presence, member, copy, is_none ? 0 : state.length);
    member->has_new_state = true;
    presence_note(presence, member, true);
    return WS_OK;
}

/* Notes which processes know the member's state after a command: each one on which the user is
 * reads it, and the one that has sent it knows what it says. */
static void note_knowledge(struct presence_member *member, uint32_t process,
                           const struct entry *entry)
{
    for (struct presence_part *part = member->parts; part != NULL; part = part->next) {
        if (entry->at == member->state_position)
            part->knows_state = true;
        else if (part->process == process)
            part->knows_state = false;
    }
}

static int apply_state(struct presence *presence, struct presence_member *member,
                       uint32_t process, const struct entry *entry)
{
    bool is_own = process == NO_PROCESS;
    int result = WS_OK;

    if (is_newer(member, is_own, entry)) {
        if (!has_state(member, entry->state))
            result = replace_state(presence, member, entry->state);
        if (result == WS_OK) {
            member->state_position = entry->at;
            member->is_state_forgotten = false;
        }
    }
    note_knowledge(member, process, entry);
    processes_tell_state(presence, member);
    return result;
}

/* Takes back what the stream had of a user that is gone there: it may be here again, of which
 * the stream will learn. */
static void end_state(struct presence *presence, struct presence_member *member)
{
    if (member->parts != NULL || member->returned_connections > 0 ||
        member->state_position == STATE_SET_HERE)
        return;
    member->state_position = 0;
    if (member->state == NULL)
        return;
    presence_replace_state(presence, member, NULL, 0);
    member->has_new_state = true;
    presence_note(presence, member, presence_is_there(member));
}

/* A command of this process has come back, so every process has what it says. If a state was set
 * while it was on its way, those for which the member is new do not know it. */
static void note_returned(struct presence *presence, struct presence_member *member,
                          const struct entry *entry)
{
    bool is_new = member->returned_connections == 0 && entry->connections > 0;

    member->returned_connections = entry->connections;
    if (member->state_position != STATE_SET_HERE && entry->at < member->state_position &&
        (is_new || entry->state.text != NULL))
        presence_note_needed(presence, member);
    processes_tell_state(presence, member);
}

int processes_apply_state(struct presence *presence, uint32_t process,
                          struct presence_member *member, const struct entry *entry)
{
    bool is_own = process == NO_PROCESS;
    int result = WS_OK;

    manager_assert_locked(presence->manager);
    if (entry->state.text != NULL && presence_is_there(member))
        result = apply_state(presence, member, process, entry);
    if (is_own && result == WS_OK)
        note_returned(presence, member, entry);
    if (result == WS_OK)
        end_state(presence, member);
    return result;
}

/* --- after a gap ----------------------------------------------------------------------------- */

struct gap {
    struct posting *posting;
    int64_t time_ms;
    struct presence *presence;
    bool is_other_stream; /* the positions of states mean nothing in it */
};

/* What is here is sent again, so it stays announced; of what has left nothing may come back. */
static void doubt_stream(const struct gap *gap, struct presence_member *member)
{
    const struct follow_news news = {.posting = gap->posting,
                                     .time_ms = gap->time_ms,
                                     .process = gap->presence->manager->process,
                                     .connection = member->last};

    member->is_returning = false;
    if (presence_own(member) > 0)
        return;
    member->is_streamed = false;
    follow_note(&news, member);
}

static void doubt_state(void *node, void *user_data)
{
    const struct gap *gap = user_data;
    struct presence *presence = gap->presence;
    struct presence_member *member = node;

    member->returned_connections = 0;
    doubt_stream(gap, member);
    if (gap->is_other_stream && member->state_position > 0 && presence_own(member) > 0)
        member->state_position = STATE_SET_HERE;
    if (member->state_position == STATE_SET_HERE) {
        member->is_state_unsent = true;
        presence_note_unsent(presence, member);
        return;
    }
    if (presence_own(member) > 0)
        return;
    member->state_position = 0;
    if (member->state != NULL) {
        presence_replace_state(presence, member, NULL, 0);
        member->has_new_state = true;
    }
    presence_note(presence, member, presence_is_there(member));
}

void processes_doubt_states(ws_manager *manager, int64_t time_ms)
{
    struct presence *presence = manager->presence;
    struct posting posting;
    struct gap gap = {&posting, time_ms, presence, false};
    uint64_t position = 0;
    bool has_more = true;
    bool has_freed = false;

    while (has_more) {
        size_t before;

        posting_begin(&posting, manager);
        gap.is_other_stream = strcmp(presence->epoch, manager->epoch) != 0;
        before = presence->members.count;
        for (int n = 0; has_more && n < DOUBTED_AT_ONCE; n++)
            has_more = name_table_walk(&presence->members, &position, doubt_state, &gap);
        has_freed |= presence->members.count < before;
        posting_end(&posting);
        lock_let_others(&manager->lock);
        if (has_more || !has_freed)
            continue;
        /* The table may have shrunk, so that the walk passed some over. */
        has_more = true;
        has_freed = false;
        position = 0;
    }
    manager_lock(manager);
    memcpy(presence->epoch, manager->epoch, sizeof presence->epoch);
    manager_unlock(manager);
}
