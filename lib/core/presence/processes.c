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

/* Finds a process, or adds it; NO_PROCESS if there are too many. What one that is new has sent before
 * is asked for. */
static uint32_t know_process(struct presence *presence, const char *name, bool is_new_here)
{
    uint32_t process = find_process(presence, name);

    if (process == NO_PROCESS) {
        process = find_process(presence, "");
        if (process == NO_PROCESS)
            return NO_PROCESS;
        strcpy(presence->processes[process].name, name);
        presence->processes[process].generation = 0;
        presence->n_processes++;
        presence->wants_all |= is_new_here;
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
        *process = (struct presence_process){.generation = 0};
        presence->n_processes--;
    }
}

/* --- orders ---------------------------------------------------------------------------------- */

enum { PROCESS, GENERATION, ROOM, MEMBERS, ORDER, N_NAMES };

struct order {
    char process[EPOCH_SIZE];
    uint32_t generation;
    struct json_slice values[N_NAMES];
};

/* A number that is not negative, and in its range; otherwise 0. */
static uint32_t number_of(struct json_slice value)
{
    unsigned long long number =
        value.text != NULL && *value.text != '-' ? strtoull(value.text, NULL, 10) : 0;

    return number <= NUMBER_MAX ? (uint32_t)number : 0;
}

static bool read_order(const char *text, size_t length, struct order *order)
{
    static const char *const names[N_NAMES] = {"process", "generation", "room", "members",
                                               "order"};
    struct json_slice process;

    if (!json_members(text, length, names, order->values, N_NAMES))
        return false;
    process = order->values[PROCESS];
    if (process.text == NULL || process.length != EPOCH_LENGTH + 2)
        return false;
    memcpy(order->process, process.text + 1, EPOCH_LENGTH);
    order->process[EPOCH_LENGTH] = '\0';
    order->generation = number_of(order->values[GENERATION]);
    return epoch_valid(order->process);
}

/* A member of an order. */
struct entry {
    char *room;
    char *user;
    uint32_t connections;
    struct json_slice state;
};

static void free_entry(const ws_manager *manager, struct entry *entry)
{
    memory_free(&manager->memory, entry->room);
    memory_free(&manager->memory, entry->user);
}

/* WS_ERR_INVALID, WS_ERR_NO_MEMORY; then there is nothing to free. */
static int read_entry(const ws_manager *manager, struct json_slice text, struct entry *entry)
{
    static const char *const names[] = {"room", "user", "n", "state"};
    struct json_slice values[4];
    int result = WS_OK;

    *entry = (struct entry){.room = NULL};
    if (!json_members(text.text, text.length, names, values, 4) || values[0].text == NULL ||
        values[1].text == NULL)
        return WS_ERR_INVALID;
    if (!json_string(&manager->memory, values[0], &entry->room) ||
        !json_string(&manager->memory, values[1], &entry->user))
        result = WS_ERR_NO_MEMORY;
    else if (entry->room == NULL || (*entry->room != '\0' && !name_text_valid(entry->room)) ||
             entry->user == NULL || !name_text_valid(entry->user))
        result = WS_ERR_INVALID;
    entry->connections = number_of(values[2]);
    entry->state = values[3];
    if (result != WS_OK)
        free_entry(manager, entry);
    return result;
}

/* The state that was sent last counts, on every process: but not one that this process has replaced
 * since, and will send. */
static int apply_state(struct presence *presence, struct presence_member *member,
                       struct json_slice state)
{
    size_t length = state.length;
    bool is_none = length == 4 && memcmp(state.text, "null", 4) == 0;
    char *copy = NULL;

    if (length > WS_PRESENCE_STATE_MAX || member->is_state_unsent ||
        (is_none && member->state == NULL) ||
        (member->state != NULL && length == member->state_length &&
         memcmp(state.text, member->state, length) == 0))
        return WS_OK;
    if (!is_none) {
        copy = memory_copy_text(&presence->manager->memory, state.text, length);
        if (copy == NULL)
            return WS_ERR_NO_MEMORY;
    }
    presence_replace_state(presence, member, copy, is_none ? 0 : length);
    member->has_new_state = true;
    presence_note(presence, member, true);
    return WS_OK;
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
    if (member != NULL && result == WS_OK && presence_is_there(member) &&
        entry->state.text != NULL)
        result = apply_state(presence, member, entry->state);
    if (member != NULL)
        presence_free_if_unused(presence, member);
    room->n_kept--;
    presence_drop_room(presence, room);
    return result;
}

/* What exceeds a limit of this process is left out here. */
static int apply_members(ws_manager *manager, uint32_t process, struct json_slice members)
{
    struct json_walk walk;
    struct json_slice value;
    struct entry entry;
    int result = WS_OK;

    if (members.text == NULL || !json_elements_begin(&walk, members.text, members.length))
        return WS_ERR_INVALID;
    while (result == WS_OK && json_elements_next(&walk, &value)) {
        result = read_entry(manager, value, &entry);
        if (result != WS_OK)
            break;
        result = apply(manager, process, &entry);
        free_entry(manager, &entry);
        if (result == WS_ERR_LIMIT)
            result = WS_OK;
    }
    return result;
}

static void note_own(struct presence *presence, struct presence_room *room)
{
    for (struct presence_member *member = room->first; member != NULL; member = member->next) {
        if (presence_own(member) == 0)
            continue;
        member->is_state_unsent = member->state != NULL;
        presence_note_unsent(presence, member);
    }
}

/* Another process needs what this one has. */
static int send_wanted(ws_manager *manager, struct json_slice name)
{
    struct presence *presence = manager->presence;
    struct presence_room *room;
    char *text;
    int result = WS_ERR_INVALID;

    if (name.text == NULL) {
        presence->sends_all = true;
        return WS_OK;
    }
    if (!json_string(&manager->memory, name, &text))
        return WS_ERR_NO_MEMORY;
    if (text != NULL && (*text == '\0' || name_text_valid(text))) {
        result = presence_open_for_others(manager, text, &room);
        if (result == WS_OK) {
            note_own(presence, room);
            presence_drop_room(presence, room);
        }
    }
    memory_free(&manager->memory, text);
    return result == WS_ERR_LIMIT ? WS_OK : result;
}

static int of_this_process(ws_manager *manager, const struct order *order)
{
    if (json_string_is(order->values[ORDER], PRESENCE_ORDER "_alive"))
        count_missed(manager->presence);
    if (json_string_is(order->values[ORDER], PRESENCE_ORDER))
        return apply_members(manager, NO_PROCESS, order->values[MEMBERS]);
    return WS_OK;
}

static int of_another(ws_manager *manager, const struct order *order)
{
    struct presence *presence = manager->presence;
    struct json_slice name = order->values[ORDER];
    bool is_begin = json_string_is(name, PRESENCE_ORDER "_begin");
    bool is_wanted = json_string_is(name, PRESENCE_ORDER "_wanted");
    uint32_t process = know_process(presence, order->process, !is_begin && !is_wanted);

    if (is_wanted)
        return send_wanted(manager, order->values[ROOM]);
    if (process == NO_PROCESS)
        return WS_OK;
    presence->processes[process].generation = order->generation;
    if (json_string_is(name, PRESENCE_ORDER))
        return apply_members(manager, process, order->values[MEMBERS]);
    if (json_string_is(name, PRESENCE_ORDER "_end"))
        sweep(presence, process, order->generation);
    return WS_OK;
}

int presence_order_carry_out(ws_manager *manager, const char *text, size_t length)
{
    struct posting posting;
    struct order order;
    int result = WS_ERR_NO_MEMORY;

    if (!read_order(text, length, &order))
        return WS_ERR_INVALID;
    posting_begin(&posting, manager);
    if (presence_get(manager) != NULL)
        result = strcmp(order.process, manager->process) == 0 ? of_this_process(manager, &order)
                                                              : of_another(manager, &order);
    presence_find_keeper(&posting);
    posting_end(&posting);
    return result;
}

void presence_gap(ws_manager *manager)
{
    struct presence *presence;
    struct posting posting;

    posting_begin(&posting, manager);
    presence = manager->presence;
    if (presence != NULL && (!presence->is_alone || presence->n_processes > 0)) {
        presence->wants_all = presence->sends_all = true;
        presence->n_alive_sent = 0; /* they may not come back */
        presence->alive_due_ms = presence->clock_ms;
        presence_find_keeper(&posting);
    }
    posting_end(&posting);
}
