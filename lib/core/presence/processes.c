/* processes.c: takes what other processes send of presence. */
#include "core/presence/processes.h"

#include <stdlib.h>
#include <string.h>

#include <ws_manager/presence.h>

#include "base/json_text.h"
#include "base/utf8.h"
#include "core/presence/beat.h"
#include "core/presence/processes_send.h"
#include "core/presence/states.h"

enum {
    MISSED_MAX = 3,
    NO_PROCESS = PRESENCE_MAX_PROCESSES,
    NUMBER_MAX = 1 << 25 /* connections of a process have 24 bits; their sums fit too */
};

/* --- parts ----------------------------------------------------------------------------------- */

static struct presence_part **find_part(struct presence_member *member, uint32_t process)
{
    struct presence_part **link = &member->parts;

    while (*link != NULL && (*link)->process != process)
        link = &(*link)->next;
    return link;
}

/* A process that began late, or has missed something, may not know the state of a user that is there. It
 * learns it from the others on which the user is. If there are none that know it, any other says it. */
static void tell_state(struct presence *presence, struct presence_member *member)
{
    const struct presence_part *part = member->parts;

    while (part != NULL && !part->knows_state)
        part = part->next;
    if (part != NULL || member->parts == NULL || presence_own(member) > 0 ||
        member->state_position == 0 || member->state_position == STATE_SET_HERE)
        return;
    member->is_state_unsent = true;
    presence_note_unsent(presence, member);
}

/* Sets the number of connections that a process has of a member. */
static int set_part(struct presence *presence, struct presence_member *member, uint32_t process,
                    uint32_t connections)
{
    const ws_allocator *memory = &presence->manager->memory;
    struct presence_part **link = find_part(member, process);
    struct presence_part *part = *link;
    bool was_there = presence_is_there(member);

    if (part == NULL && connections > 0) {
        part = *link = memory_zalloc(memory, sizeof *part);
        if (part == NULL)
            return WS_ERR_NO_MEMORY;
        part->process = (uint8_t)process;
    }
    if (part != NULL) {
        member->n_elsewhere += connections;
        member->n_elsewhere -= part->connections;
        part->connections = connections;
        part->generation = presence->processes[process].generation;
    }
    if (part != NULL && connections == 0) {
        *link = part->next;
        memory_free(memory, part);
        tell_state(presence, member);
    }
    presence_note(presence, member, was_there);
    return WS_OK;
}

/* The parts of a process that were not sent again; `generation` 0: all. */
struct sweep {
    struct presence *presence;
    uint32_t process;
    uint32_t generation;
    bool has_removed;
};

static void sweep_member(void *node, void *user_data)
{
    struct sweep *sweep = user_data;
    struct presence_part *part = *find_part(node, sweep->process);

    if (part == NULL || (sweep->generation != 0 && part->generation == sweep->generation))
        return;
    sweep->has_removed = true;
    set_part(sweep->presence, node, sweep->process, 0);
}

/* A member that is freed may make the table shrink, which moves others within it, so that some are not
 * visited: the next walk finds them. */
static void sweep(struct presence *presence, uint32_t process, uint32_t generation)
{
    struct sweep sweep = {presence, process, generation, true};

    while (sweep.has_removed) {
        uint64_t position = 0;

        sweep.has_removed = false;
        while (name_table_walk(&presence->members, &position, sweep_member, &sweep))
            continue;
    }
}

/* --- processes ------------------------------------------------------------------------------- */

static uint32_t find_process(const struct presence *presence, const char *name)
{
    uint32_t process = 0;

    while (process < PRESENCE_MAX_PROCESSES &&
           strcmp(presence->processes[process].name, name) != 0)
        process++;
    return process;
}

/* Finds a process, or adds it; NO_PROCESS if there are too many. One that is new may have sent something
 * before, for which it is asked, unless it begins to send everything. */
static uint32_t know_process(struct presence *presence, const char *name, bool is_begin)
{
    uint32_t process = find_process(presence, name);

    if (process == NO_PROCESS) {
        process = find_process(presence, "");
        if (process == NO_PROCESS)
            return NO_PROCESS;
        strcpy(presence->processes[process].name, name);
        presence->processes[process].generation = 0;
        presence->processes[process].is_wanted = !is_begin;
        presence->n_wanted_processes += !is_begin;
        presence->n_processes++;
    }
    presence->processes[process].n_missed = 0;
    return process;
}

/* A sign of life of this process came back: the others should have sent one too. Several that the
 * carrier had to keep come back in a row, and only the first of them counts. */
static void count_missed(struct presence *presence)
{
    if (presence->n_alive_sent == 0)
        return;
    presence->n_alive_sent = 0;
    if (presence->alive_due_ms > presence->clock_ms + ALIVE_MS)
        presence->alive_due_ms = presence->clock_ms + ALIVE_MS;
    for (uint32_t i = 0; i < PRESENCE_MAX_PROCESSES; i++) {
        struct presence_process *process = &presence->processes[i];

        if (*process->name == '\0' || ++process->n_missed < MISSED_MAX)
            continue;
        sweep(presence, i, 0);
        presence->n_wanted_processes -= process->is_wanted;
        *process = (struct presence_process){.generation = 0};
        presence->n_processes--;
    }
}

/* --- orders ---------------------------------------------------------------------------------- */

enum { PROCESS, NUMBER, GENERATION, EPOCH, OF, ROOMS, MEMBERS, ORDER, N_NAMES };

struct order {
    char process[EPOCH_SIZE];
    uint64_t number;
    uint32_t generation;
    uint64_t position; /* in the stream */
    struct json_slice values[N_NAMES];
};

/* A number that is not negative, and in its range; otherwise 0. */
static uint64_t number_of(struct json_slice value, uint64_t most)
{
    unsigned long long number =
        value.text != NULL && *value.text != '-' ? strtoull(value.text, NULL, 10) : 0;

    return number <= most ? number : 0;
}

static bool read_order(const ws_cluster_event *event, struct order *order)
{
    static const char *const names[N_NAMES] = {"process", "number", "generation", "epoch",
                                               "of",      "rooms",  "members",    "order"};
    struct json_slice process;

    if (!json_members(event->text, event->length, names, order->values, N_NAMES))
        return false;
    process = order->values[PROCESS];
    if (process.text == NULL || process.length != EPOCH_LENGTH + 2)
        return false;
    memcpy(order->process, process.text + 1, EPOCH_LENGTH);
    order->process[EPOCH_LENGTH] = '\0';
    order->position = event->position;
    order->number = number_of(order->values[NUMBER], UINT64_MAX);
    order->generation = (uint32_t)number_of(order->values[GENERATION], UINT32_MAX);
    return epoch_valid(order->process);
}

/* A member of an order. */
struct entry {
    char *room;
    char *user;
    uint32_t connections;
    struct json_slice state; /* {NULL}: as it was */
    uint64_t at;             /* the position of the order that set the state */
};

static void free_entry(const ws_manager *manager, struct entry *entry)
{
    memory_free(&manager->memory, entry->room);
    memory_free(&manager->memory, entry->user);
}

/* A position in another stream means nothing: the process that has it will send the state again. */
static void read_state(const ws_manager *manager, const struct order *order,
                       struct json_slice state, struct json_slice at, struct entry *entry)
{
    if (at.text != NULL && !json_string_is(order->values[EPOCH], manager->presence->epoch))
        return;
    entry->state = state;
    entry->at = at.text != NULL ? number_of(at, UINT64_MAX - 1) : order->position;
}

/* WS_ERR_INVALID, WS_ERR_NO_MEMORY; then there is nothing to free. */
static int read_entry(const ws_manager *manager, const struct order *order,
                      struct json_slice text, struct entry *entry)
{
    static const char *const names[] = {"room", "user", "n", "state", "at"};
    struct json_slice values[5];
    int result = WS_OK;

    *entry = (struct entry){.room = NULL};
    if (!json_members(text.text, text.length, names, values, 5) || values[0].text == NULL ||
        values[1].text == NULL)
        return WS_ERR_INVALID;
    if (!json_string(&manager->memory, values[0], &entry->room) ||
        !json_string(&manager->memory, values[1], &entry->user))
        result = WS_ERR_NO_MEMORY;
    else if (entry->room == NULL || (*entry->room != '\0' && !name_text_valid(entry->room)) ||
             entry->user == NULL || !name_text_valid(entry->user))
        result = WS_ERR_INVALID;
    entry->connections = (uint32_t)number_of(values[2], NUMBER_MAX);
    if (values[3].text != NULL && values[3].length <= WS_PRESENCE_STATE_MAX)
        read_state(manager, order, values[3], values[4], entry);
    if (result != WS_OK)
        free_entry(manager, entry);
    return result;
}

static bool has_state(const struct presence_member *member, struct json_slice state)
{
    if (member->state == NULL)
        return state.length == 4 && memcmp(state.text, "null", 4) == 0;
    return state.length == member->state_length &&
           memcmp(state.text, member->state, state.length) == 0;
}

/* Whether a state replaces the member's: the one whose order has the highest position counts, on every
 * process. An order of this process that is on its way, or to be sent, will have a higher one. */
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

/* Notes which processes know the member's state after an order: each one on which the user is reads it,
 * and the one that has sent it knows what it says. */
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
        if (result == WS_OK)
            member->state_position = entry->at;
    }
    note_knowledge(member, process, entry);
    tell_state(presence, member);
    return result;
}

/* Takes back what the stream had of a user that is gone there: it may be here again, of which the stream
 * will learn. */
static void end_state(struct presence *presence, struct presence_member *member)
{
    if (member->n_elsewhere > 0 || member->returned_connections > 0 ||
        member->state_position == STATE_SET_HERE)
        return;
    member->state_position = 0;
    if (member->state == NULL)
        return;
    presence_replace_state(presence, member, NULL, 0);
    member->has_new_state = true;
    presence_note(presence, member, presence_is_there(member));
}

/* An order of this process has come back, so every process has what it says. If a state was set while it
 * was on its way, those for which the member is new do not know it. */
static void note_returned(struct presence *presence, struct presence_member *member,
                          const struct entry *entry)
{
    bool is_new = member->returned_connections == 0 && entry->connections > 0;

    member->returned_connections = entry->connections;
    if (member->state_position != STATE_SET_HERE && entry->at < member->state_position &&
        (is_new || entry->state.text != NULL))
        presence_note_needed(presence, member);
    tell_state(presence, member);
}

static int apply_to_member(struct presence *presence, uint32_t process,
                           struct presence_member *member, const struct entry *entry)
{
    bool is_own = process == NO_PROCESS;
    int result = WS_OK;

    if (entry->state.text != NULL && presence_is_there(member))
        result = apply_state(presence, member, process, entry);
    if (is_own && result == WS_OK)
        note_returned(presence, member, entry);
    if (result == WS_OK)
        end_state(presence, member);
    return result;
}

/* `process`: NO_PROCESS for this one. The lock is held. */
static int apply(ws_manager *manager, uint32_t process, const struct entry *entry)
{
    struct presence *presence = manager->presence;
    struct presence_room *room;
    struct presence_member *member;
    int result = presence_open_for_others(manager, entry->room, &room);

    if (result != WS_OK)
        return result;
    room->n_kept++; /* stays when its last member is freed */
    member = presence_find_member(presence, room, entry->user);
    if (member == NULL && process != NO_PROCESS && entry->connections > 0)
        result = presence_add_member(presence, room, entry->user, &member);
    if (result == WS_OK && member != NULL && process != NO_PROCESS)
        result = set_part(presence, member, process, entry->connections);
    member = presence_find_member(presence, room, entry->user);
    if (member != NULL && result == WS_OK)
        result = apply_to_member(presence, process, member, entry);
    member = presence_find_member(presence, room, entry->user);
    if (member != NULL)
        presence_free_if_unused(presence, member);
    room->n_kept--;
    presence_drop_room(presence, room);
    return result;
}

/* What exceeds a limit of this process is left out here. */
static int apply_members(ws_manager *manager, uint32_t process, const struct order *order)
{
    struct json_slice members = order->values[MEMBERS];
    struct json_walk walk;
    struct json_slice value;
    struct entry entry;
    int result = WS_OK;

    if (members.text == NULL || !json_elements_begin(&walk, members.text, members.length))
        return WS_ERR_INVALID;
    while (result == WS_OK && json_elements_next(&walk, &value)) {
        result = read_entry(manager, order, value, &entry);
        if (result != WS_OK)
            break;
        result = apply(manager, process, &entry);
        free_entry(manager, &entry);
        if (result == WS_ERR_LIMIT)
            result = WS_OK;
    }
    return result;
}

/* Another process needs what this one has of a room. */
static int send_room(ws_manager *manager, struct json_slice name)
{
    struct presence *presence = manager->presence;
    struct presence_room *room;
    char *text;
    int result = WS_ERR_INVALID;

    if (!json_string(&manager->memory, name, &text))
        return WS_ERR_NO_MEMORY;
    if (text != NULL && (*text == '\0' || name_text_valid(text)))
        result = presence_open_for_others(manager, text, &room);
    memory_free(&manager->memory, text);
    if (result != WS_OK)
        return result;
    for (struct presence_member *member = room->first; member != NULL; member = member->next)
        presence_note_needed(presence, member);
    presence_drop_room(presence, room);
    return WS_OK;
}

/* Or of several rooms, or of all. What exceeds a limit of this process is left out. */
static int send_wanted(ws_manager *manager, const struct order *order)
{
    struct json_slice rooms = order->values[ROOMS];
    struct json_walk walk;
    struct json_slice name;
    int result = WS_OK;

    if (rooms.text == NULL) {
        manager->presence->sends_all |= order->values[OF].text == NULL ||
                                        json_string_is(order->values[OF], manager->process);
        return WS_OK;
    }
    if (!json_elements_begin(&walk, rooms.text, rooms.length))
        return WS_ERR_INVALID;
    while (result == WS_OK && json_elements_next(&walk, &name)) {
        result = send_room(manager, name);
        if (result == WS_ERR_LIMIT)
            result = WS_OK;
    }
    return result;
}

static int of_this_process(ws_manager *manager, const struct order *order)
{
    struct presence *presence = manager->presence;

    if (order->number > presence->n_returned && order->number <= presence->n_orders)
        presence->n_returned = order->number;
    if (json_string_is(order->values[ORDER], PRESENCE_ORDER "_alive"))
        count_missed(presence);
    if (json_string_is(order->values[ORDER], PRESENCE_ORDER))
        return apply_members(manager, NO_PROCESS, order);
    return WS_OK;
}

static int of_another(ws_manager *manager, const struct order *order)
{
    struct presence *presence = manager->presence;
    struct json_slice name = order->values[ORDER];
    bool is_begin = json_string_is(name, PRESENCE_ORDER "_begin");
    bool is_wanted = json_string_is(name, PRESENCE_ORDER "_wanted");
    uint32_t process = know_process(presence, order->process, is_begin);

    if (is_wanted)
        return send_wanted(manager, order);
    if (process == NO_PROCESS)
        return WS_OK;
    presence->processes[process].generation = order->generation;
    if (json_string_is(name, PRESENCE_ORDER))
        return apply_members(manager, process, order);
    if (json_string_is(name, PRESENCE_ORDER "_end"))
        sweep(presence, process, order->generation);
    return WS_OK;
}

int presence_order_carry_out(ws_manager *manager, const ws_cluster_event *event)
{
    struct posting posting;
    struct order order;
    int result = WS_ERR_NO_MEMORY;

    if (!read_order(event, &order))
        return WS_ERR_INVALID;
    posting_begin(&posting, manager);
    if (presence_get(manager) != NULL)
        result = strcmp(order.process, manager->process) == 0 ? of_this_process(manager, &order)
                                                              : of_another(manager, &order);
    presence_find_keeper(&posting);
    posting_end(&posting);
    return result;
}

struct gap {
    struct presence *presence;
    bool is_other_stream; /* the positions of states mean nothing in it */
};

/* After a gap, the states of users who are not here come again, or were removed meanwhile. One that was
 * set here is sent again, because its order may not come back. */
static void doubt_state(void *node, void *user_data)
{
    const struct gap *gap = user_data;
    struct presence *presence = gap->presence;
    struct presence_member *member = node;

    member->returned_connections = 0;
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

/* The lock is held. */
static void doubt_states(struct presence *presence)
{
    const ws_manager *manager = presence->manager;
    struct gap gap = {presence, strcmp(presence->epoch, manager->epoch) != 0};
    uint64_t position = 0;

    memcpy(presence->epoch, manager->epoch, sizeof presence->epoch);
    while (name_table_walk(&presence->members, &position, doubt_state, &gap))
        continue;
}

void presence_gap(ws_manager *manager)
{
    struct presence *presence;
    struct posting posting;

    posting_begin(&posting, manager);
    presence = manager->presence;
    if (presence != NULL) {
        doubt_states(presence);
        presence->n_returned = presence->n_taken; /* what is on its way may not come back */
        presence->n_alive_sent = 0;
        presence->alive_due_ms = presence->clock_ms;
    }
    if (presence != NULL && (!presence->is_alone || presence->n_processes > 0)) {
        presence->wants_all = presence->sends_all = true;
        presence_want_all(presence);
        presence_find_keeper(&posting);
    }
    posting_end(&posting);
}
