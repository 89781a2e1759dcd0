/* processes_send.c: sends other processes what this one has of presence. */
#include "core/presence/processes_send.h"

#include <string.h>

#include "core/presence/follow.h"
#include "core/presence/wishes.h"
#include "core/sending/publish.h"

enum {
    ALIVE_MAX_DOUBLINGS = 4, /* of ALIVE_MS, while none comes back */
    TEXT_BYTES = 32768,      /* of a command, about */
    COMMANDS_PER_BEAT = 16,
    MOST_ON_THEIR_WAY =
        16,              /* commands that have not come back: changes are collected meanwhile */
    NOTED_AT_ONCE = 1024 /* buckets of a table under one hold of the lock */
};

bool processes_have_work(const struct presence *presence)
{
    return presence->manager->has_cluster &&
           (presence->first_unsent != NULL || presence->wants_all || presence->sends_all ||
            presence->is_sending_all || wishes_exist(presence) || presence->n_processes > 0 ||
            presence->is_learning || !presence->is_alone);
}

/* --- texts ----------------------------------------------------------------------------------- */

/* publish_text() must follow. */
static void begin_command(struct buffer *buffer, struct presence *presence, const char *what)
{
    manager_assert_locked(presence->manager);
    buffer_init(buffer, &presence->manager->memory);
    buffer_add_text(buffer, "{\"order\":\"" PRESENCE_COMMAND);
    buffer_add_text(buffer, what);
    buffer_add_text(buffer, "\",\"process\":\"");
    buffer_add_text(buffer, presence->manager->process);
    buffer_add_text(buffer, "\",\"number\":");
    buffer_add_number(buffer, ++presence->n_commands);
    buffer_add_text(buffer, ",\"generation\":");
    buffer_add_number(buffer, presence->generation);
}

/* A process for which the member is new needs its state, too. A state that was set here gets the
 * position of this command. If no other process has the member, the state is sent with the
 * command: so a process to which the user is connected again, and that does not know that the user
 * was gone, may send the state to the others. */
static void add_state(struct buffer *buffer, const struct presence_member *member)
{
    bool is_known = member->state != NULL || member->state_position > 0;

    if (!presence_is_there(member) ||
        (!member->is_state_unsent && (member->sent_connections > 0 || !is_known)))
        return;
    buffer_add_text(buffer, ",\"state\":");
    buffer_add_text(buffer, member->state != NULL ? member->state : "null");
    if (member->state_position == STATE_SET_HERE)
        return;
    buffer_add_text(buffer, ",\"at\":");
    buffer_add_number(buffer, member->state_position);
}

/* For user_connected and user_disconnected. */
static void add_connection(struct buffer *buffer, const struct presence_member *member)
{
    buffer_add_text(buffer, ",\"last\":");
    buffer_add_number(buffer, member->last);
    if (member->sent_connections == 0)
        buffer_add_text(buffer, ",\"first\":true");
}

static void add_member(struct buffer *buffer, const struct presence_member *member)
{
    const struct presence_room *room = member->room;

    buffer_add_text(buffer, "{\"room\":");
    buffer_add_json_string(buffer, room->name, room->name_length);
    buffer_add_text(buffer, ",\"user\":");
    buffer_add_json_string(buffer, presence_user(member), member->user_length);
    buffer_add_text(buffer, ",\"n\":");
    buffer_add_number(buffer, member->n_connections);
    if (presence_own(member) == PRESENCE_LEAVING)
        buffer_add_text(buffer, ",\"leaving\":true");
    if (*room->name == '\0')
        add_connection(buffer, member);
    add_state(buffer, member);
    buffer_add_text(buffer, "}");
}

/* Ends the text and hands it to the carrier, and frees it. */
static bool publish_text(ws_manager *manager, struct buffer *buffer)
{
    bool is_sent;

    buffer_add_text(buffer, "}");
    is_sent = !buffer->failed &&
              publish_process_command(manager, buffer->data, buffer->length) == WS_OK;
    buffer_free(buffer);
    if (is_sent) {
        manager_lock(manager);
        manager->presence->n_taken = manager->presence->n_commands;
        manager_unlock(manager);
    }
    return is_sent;
}

static bool send_plain(ws_manager *manager, const char *what)
{
    struct buffer buffer;

    manager_lock(manager);
    begin_command(&buffer, manager->presence, what);
    manager_unlock(manager);
    return publish_text(manager, &buffer);
}

/* --- what is due ----------------------------------------------------------------------------- */

/* Writes the next members that are unsent; returns how many. They stay unsent until the carrier
 * has taken the command, so that nothing is lost if it does not. */
static size_t write_members(struct presence *presence, struct buffer *buffer)
{
    struct presence_member *member = presence->first_unsent;
    size_t n = 0;

    begin_command(buffer, presence, "");
    buffer_add_text(buffer, ",\"epoch\":\"");
    buffer_add_text(buffer, presence->epoch);
    buffer_add_text(buffer, "\",\"members\":[");
    for (; member != NULL && buffer->length < TEXT_BYTES && !buffer->failed; n++) {
        if (n > 0)
            buffer_add_text(buffer, ",");
        add_member(buffer, member);
        member->is_sending = true;
        member->sending_connections = presence_own(member);
        member->is_state_sending = member->is_state_unsent && presence_is_there(member);
        member->is_state_unsent &= !member->is_state_sending;
        member = member->next_unsent;
    }
    buffer_add_text(buffer, "]");
    return n;
}

/* The first n members were sent. What has changed meanwhile is sent next. */
static void note_sent(struct presence *presence, size_t n)
{
    for (; n > 0; n--) {
        struct presence_member *member = presence->first_unsent;

        presence_end_unsent(presence, member);
        member->is_sending = false;
        member->sent_connections = member->sending_connections;
        member->is_returning = member->room->is_followed;
        if (member->sent_connections == 0)
            presence_drop_forgotten(member);
        if (member->is_state_unsent || member->sent_connections != presence_own(member))
            presence_note_unsent(presence, member);
        else
            presence_free_if_unused(presence, member);
    }
    presence->is_alone = false;
}

/* Some may be gone meanwhile, so that nothing need be sent of them. */
static void note_not_sent(struct presence *presence, size_t n)
{
    struct presence_member *member = presence->first_unsent;

    for (; n > 0; n--) {
        struct presence_member *next = member->next_unsent;

        member->is_sending = false;
        member->is_state_unsent |= member->is_state_sending && presence_is_there(member);
        presence_drop_unsent(presence, member);
        presence_free_if_unused(presence, member);
        member = next;
    }
}

static bool send_members(ws_manager *manager)
{
    struct presence *presence = manager->presence;
    struct buffer buffer;
    bool is_sent;
    size_t n;

    manager_lock(manager);
    n = write_members(presence, &buffer);
    manager_unlock(manager);
    is_sent = publish_text(manager, &buffer);
    manager_lock(manager);
    if (is_sent)
        note_sent(presence, n);
    else
        note_not_sent(presence, n);
    manager_unlock(manager);
    return is_sent;
}

static void note_needed(void *node, void *user_data)
{
    presence_note_needed(user_data, node);
}

static void repeat_wish(void *node, void *user_data)
{
    wishes_repeat(user_data, node);
}

/* Notes all members, or rooms, as unsent. Others come and go meanwhile, and are noted as such. */
static void note_all(struct presence *presence, const struct name_table *table,
                     void (*note)(void *node, void *user_data))
{
    uint64_t position = 0;
    bool has_more = true;

    while (has_more) {
        manager_lock(presence->manager);
        for (int n = 0; has_more && n < NOTED_AT_ONCE; n++)
            has_more = name_table_walk(table, &position, note, presence);
        manager_unlock(presence->manager);
    }
}

/* Begins to send everything. What makes it necessary again meanwhile is not overlooked. */
static bool begin_all(ws_manager *manager)
{
    struct presence *presence = manager->presence;

    manager_lock(manager);
    presence->generation++;
    presence->sends_all = false;
    manager_unlock(manager);
    if (!send_plain(manager, "_begin")) {
        manager_lock(manager);
        presence->sends_all = true;
        manager_unlock(manager);
        return false;
    }
    note_all(presence, &presence->rooms, repeat_wish);
    note_all(presence, &presence->members, note_needed);
    manager_lock(manager);
    presence->is_sending_all = true;
    presence->is_alone = false;
    manager_unlock(manager);
    return true;
}

/* Takes the next rooms of which others are to be told something into the text. */
static void take_rooms(struct presence *presence, enum presence_wish wish,
                       struct buffer *buffer)
{
    const struct presence_room *room;

    buffer_add_text(buffer, ",\"rooms\":[");
    while (buffer->length < TEXT_BYTES && !buffer->failed &&
           (room = wishes_take(presence, wish)) != NULL) {
        if (buffer->data[buffer->length - 1] != '[')
            buffer_add_text(buffer, ",");
        buffer_add_json_string(buffer, room->name, room->name_length);
    }
    buffer_add_text(buffer, "]");
}

static bool send_rooms(ws_manager *manager, enum presence_wish wish, const char *what)
{
    struct presence *presence = manager->presence;
    struct buffer buffer;
    bool is_sent;

    manager_lock(manager);
    begin_command(&buffer, presence, what);
    take_rooms(presence, wish, &buffer);
    manager_unlock(manager);
    is_sent = publish_text(manager, &buffer);
    manager_lock(manager);
    wishes_settle(presence, is_sent);
    manager_unlock(manager);
    return is_sent;
}

static struct presence_process *next_wanted_process(struct presence *presence)
{
    for (size_t i = 0; i < PRESENCE_MAX_PROCESSES; i++)
        if (presence->processes[i].is_wanted)
            return &presence->processes[i];
    return NULL;
}

/* Asks one process for all that it has. */
static bool send_wanted_process(ws_manager *manager)
{
    struct presence *presence = manager->presence;
    struct presence_process *process;
    struct buffer buffer;
    bool is_sent;

    manager_lock(manager);
    process = next_wanted_process(presence);
    if (process == NULL) { /* it has died meanwhile */
        manager_unlock(manager);
        return true;
    }
    process->is_wanted = false;
    presence->n_wanted_processes--;
    begin_command(&buffer, presence, "_wanted");
    buffer_add_text(&buffer, ",\"of\":\"");
    buffer_add_text(&buffer, process->name);
    buffer_add_text(&buffer, "\"");
    manager_unlock(manager);
    is_sent = publish_text(manager, &buffer);
    if (!is_sent) {
        manager_lock(manager);
        presence->wants_all = true;
        manager_unlock(manager);
    }
    return is_sent;
}

/* Without that, the others notice it by the missing signs of life. */
void processes_say_leaving(ws_manager *manager)
{
    struct presence *presence;
    bool is_due;

    manager_lock(manager);
    presence = manager->presence;
    is_due = presence != NULL && !presence->is_alone && !presence->has_said_leaving;
    if (is_due)
        presence->has_said_leaving = true;
    manager_unlock(manager);
    if (is_due)
        send_plain(manager, "_leaving");
}

/* What is to be sent next. */
enum due {
    DUE_NOTHING,
    DUE_WANTS_ALL,
    DUE_WANTS_PROCESS,
    DUE_WANTED,
    DUE_ALL,
    DUE_REPEATED,
    DUE_MEMBERS,
    DUE_END,
    DUE_UNWANTED,
    DUE_ALIVE
};

static bool are_many_on_their_way(const struct presence *presence)
{
    return presence->n_taken >= presence->n_returned + MOST_ON_THEIR_WAY;
}

static enum due next_due_wish(const struct presence *presence)
{
    if (presence->wants_all)
        return DUE_WANTS_ALL;
    if (presence->n_wanted_processes > 0)
        return DUE_WANTS_PROCESS;
    return presence->wishes[WISH_WANTED].count > 0 ? DUE_WANTED : DUE_NOTHING;
}

static enum due next_due_own(const struct presence *presence)
{
    if (presence->sends_all)
        return DUE_ALL;
    if (presence->wishes[WISH_REPEATED].count > 0)
        return DUE_REPEATED;
    if (presence->first_unsent != NULL)
        return DUE_MEMBERS;
    if (presence->is_sending_all)
        return DUE_END;
    return presence->wishes[WISH_ENDED].count > 0 ? DUE_UNWANTED : DUE_NOTHING;
}

/* A sign of life is sent also if nothing else may be: when it comes back, nothing that was sent
 * before is on its way. */
static enum due next_due(ws_manager *manager)
{
    struct presence *presence = manager->presence;
    enum due due = DUE_NOTHING;

    manager_lock(manager);
    wishes_age(presence);
    if (!presence->is_doubting && !are_many_on_their_way(presence)) {
        due = next_due_wish(presence);
        if (due == DUE_NOTHING && !follow_learns(presence))
            due = next_due_own(presence);
    }
    if (due == DUE_NOTHING && presence->life_ms >= presence->alive_due_ms &&
        (presence->n_processes > 0 || !presence->is_alone))
        due = DUE_ALIVE;
    manager_unlock(manager);
    return due;
}

/* Before it is sent, as it may come back at once. As long as the stream stands still the carrier is
 * given fewer and fewer. */
static bool send_alive(ws_manager *manager)
{
    struct presence *presence = manager->presence;
    uint32_t n_doublings;

    manager_lock(manager);
    n_doublings = presence->n_alive_sent > 0 ? presence->n_alive_sent - 1 : 0;
    if (n_doublings > ALIVE_MAX_DOUBLINGS)
        n_doublings = ALIVE_MAX_DOUBLINGS;
    presence->alive_due_ms = presence->life_ms + ((uint64_t)ALIVE_MS << n_doublings);
    presence->n_alive_sent++;
    manager_unlock(manager);
    if (send_plain(manager, "_alive"))
        return true;
    manager_lock(manager);
    presence->alive_due_ms = presence->life_ms;
    if (presence->n_alive_sent > 0)
        presence->n_alive_sent--;
    manager_unlock(manager);
    return false;
}

/* Sends what a flag of `presence` asks for. Another thread may set the flag again meanwhile. */
static bool send_flagged(ws_manager *manager, bool *flag, const char *what)
{
    manager_lock(manager);
    *flag = false;
    manager_unlock(manager);
    if (send_plain(manager, what))
        return true;
    manager_lock(manager);
    *flag = true;
    manager_unlock(manager);
    return false;
}

static bool send_due(ws_manager *manager, enum due due)
{
    struct presence *presence = manager->presence;

    switch (due) {
    case DUE_NOTHING:
        break;
    case DUE_WANTS_ALL:
        return send_flagged(manager, &presence->wants_all, "_wanted");
    case DUE_WANTS_PROCESS:
        return send_wanted_process(manager);
    case DUE_WANTED:
        return send_rooms(manager, WISH_WANTED, "_wanted");
    case DUE_ALL:
        return begin_all(manager);
    case DUE_REPEATED:
        return send_rooms(manager, WISH_REPEATED, "_repeated");
    case DUE_MEMBERS:
        return send_members(manager);
    case DUE_END:
        return send_flagged(manager, &presence->is_sending_all, "_end");
    case DUE_UNWANTED:
        return send_rooms(manager, WISH_ENDED, "_unwanted");
    case DUE_ALIVE:
        return send_alive(manager);
    }
    return false;
}

/* Clients cause all commands except the signs of life, so they take only that part of the
 * carrier's queue which clients have. */
bool processes_send(const ws_loop *loop)
{
    for (int n = 0; n < COMMANDS_PER_BEAT; n++) {
        enum due due = next_due(loop->manager);
        struct account before = account_now();
        bool is_sent;

        if (due != DUE_ALIVE)
            account_set_client(loop->number);
        is_sent = send_due(loop->manager, due);
        account_set(before);
        if (!is_sent)
            return true;
    }
    return false;
}
