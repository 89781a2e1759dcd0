/* processes.c: takes what other processes send of presence. Not here: the texts
 * (processes_read.c), and states (processes_states.c). */
#include "core/presence/processes.h"

#include <assert.h>
#include <string.h>

#include "base/utf8.h"
#include "core/presence/beat.h"
#include "core/presence/follow.h"
#include "core/presence/processes_rooms.h"
#include "core/presence/processes_send.h"
#include "core/presence/processes_states.h"

enum {
    SWEPT_AT_ONCE = 1024, /* buckets of a table under one hold of the lock */
    APPLIED_AT_ONCE = 64  /* members of a command: each may be announced to everyone */
};

/* --- parts ----------------------------------------------------------------------------------- */

static struct presence_part **find_part(struct presence_member *member, uint32_t process)
{
    struct presence_part **link = &member->parts;

    while (*link != NULL && (*link)->process != process)
        link = &(*link)->next;
    return link;
}

static uint32_t real_connections(uint32_t connections)
{
    return connections != PRESENCE_LEAVING ? connections : 0;
}

/* Sets the number of connections that a process has of a member, or PRESENCE_LEAVING. */
static int set_part(struct presence *presence, struct presence_member *member, uint32_t process,
                    uint32_t connections, const struct follow_news *news)
{
    const ws_allocator *memory = &presence->manager->memory;
    struct presence_part **link = find_part(member, process);
    struct presence_part *part = *link;
    bool was_there = presence_is_there(member);

    if (!was_there && connections > 0)
        presence_drop_forgotten(member);
    if (part == NULL && connections > 0) {
        part = *link = memory_zalloc(memory, sizeof *part);
        if (part == NULL)
            return WS_ERR_NO_MEMORY;
        part->process = (uint8_t)process;
    }
    if (part != NULL) {
        member->n_elsewhere += real_connections(connections);
        member->n_elsewhere -= real_connections(part->connections);
        part->connections = connections;
        part->generation = presence->processes[process].generation;
        part->last = news->connection;
    }
    if (part != NULL && connections == 0) {
        *link = part->next;
        memory_free(memory, part);
        processes_tell_state(presence, member);
    }
    follow_note(news, member);
    presence_note(presence, member, was_there);
    return WS_OK;
}

/* Parts that are to be forgotten: those of dead processes, and what another one has not sent
 * again. */
struct sweep {
    struct presence *presence;
    uint64_t dead;       /* a bit for each process */
    uint64_t ended;      /* the bit of `process`, if it has sent everything again */
    uint32_t process;    /* the other one; NO_PROCESS: none */
    uint32_t generation; /* of what it has sent */
    uint32_t stopping;   /* one whose users leave; NO_PROCESS: none */
    bool has_removed;
    struct posting posting; /* of some of the steps */
    int64_t time_ms;
};

static_assert(PRESENCE_MAX_PROCESSES <= 64, "each has a bit");

static const struct presence_part *find_swept(const struct sweep *sweep,
                                              const struct presence_member *member)
{
    const struct presence_part *part = member->parts;

    while (part != NULL && (sweep->dead >> part->process & 1) == 0 &&
           (part->process != sweep->process || part->generation == sweep->generation))
        part = part->next;
    return part;
}

/* Sets a part in place of its process. With its last part the member may be freed. */
static void sweep_part(struct sweep *sweep, struct presence_member *member,
                       const struct presence_part *part, uint32_t connections)
{
    const struct follow_news news = {
        .posting = &sweep->posting,
        .time_ms = sweep->time_ms,
        .process = sweep->presence->processes[part->process].name,
        .connection = part->last,
    };

    set_part(sweep->presence, member, part->process, connections, &news);
}

static void sweep_member(void *node, void *user_data)
{
    struct sweep *sweep = user_data;
    struct presence_member *member = node;
    const struct presence_part *part;
    bool has_more = true;

    while (has_more && (part = find_swept(sweep, member)) != NULL) {
        sweep->has_removed = true;
        has_more = member->parts->next != NULL;
        sweep_part(sweep, member, part, 0);
    }
}

/* The process has no connections any more, but its users may come back. */
static void let_member_leave(void *node, void *user_data)
{
    struct sweep *sweep = user_data;
    const struct presence_part *part = *find_part(node, sweep->stopping);

    if (part != NULL && part->connections != PRESENCE_LEAVING)
        sweep_part(sweep, node, part, PRESENCE_LEAVING);
}

static void sweep_room(void *node, void *user_data)
{
    struct sweep *sweep = user_data;

    sweep->has_removed |=
        processes_rooms_forget(sweep->presence, node, sweep->dead, sweep->ended);
}

/* At the process's next presence_begin nothing is repeated yet. */
static void end_repeating(void *node, void *user_data)
{
    const struct sweep *sweep = user_data;
    struct presence_room *room = node;

    room->repeated_by &= ~sweep->ended;
}

/* What is freed may make the table shrink, which moves others within it, so that some are not
 * visited: the next walk finds them. */
static void sweep_table(ws_manager *manager, const struct name_table *table,
                        void (*visit)(void *node, void *user_data), struct sweep *sweep)
{
    uint64_t position = 0;
    bool has_more = true;

    while (has_more) {
        posting_begin(&sweep->posting, manager);
        for (int n = 0; has_more && n < SWEPT_AT_ONCE; n++)
            has_more = name_table_walk(table, &position, visit, sweep);
        presence_find_keeper(&sweep->posting);
        posting_end(&sweep->posting);
        lock_let_others(&manager->lock);
        if (has_more || !sweep->has_removed)
            continue;
        has_more = true;
        sweep->has_removed = false;
        position = 0;
    }
}

static void sweep_all(ws_manager *manager, struct sweep *sweep)
{
    if (sweep->stopping != NO_PROCESS)
        sweep_table(manager, &sweep->presence->members, let_member_leave, sweep);
    if (sweep->dead == 0 && sweep->process == NO_PROCESS)
        return;
    sweep_table(manager, &sweep->presence->members, sweep_member, sweep);
    sweep_table(manager, &sweep->presence->rooms, sweep_room, sweep);
    sweep_table(manager, &sweep->presence->rooms, end_repeating, sweep);
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

/* Finds a process, or adds it; NO_PROCESS if there are too many. One that is new may have sent
 * something before, for which it is asked, unless it begins to send everything. */
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
 * carrier had to keep come back in a row, and only the first of them counts. Notes who is dead. */
static void count_missed(struct presence *presence, struct sweep *sweep)
{
    if (presence->n_alive_sent == 0)
        return;
    presence->n_alive_sent = 0;
    presence->n_signs += presence->n_signs < PRESENCE_MISSED_MAX;
    if (presence->alive_due_ms > presence->life_ms + ALIVE_MS)
        presence->alive_due_ms = presence->life_ms + ALIVE_MS;
    for (uint32_t i = 0; i < PRESENCE_MAX_PROCESSES; i++) {
        struct presence_process *process = &presence->processes[i];

        if (*process->name != '\0' && ++process->n_missed >= PRESENCE_MISSED_MAX)
            sweep->dead |= (uint64_t)1 << i;
    }
}

/* After their parts. */
static void forget_dead(ws_manager *manager, const struct sweep *sweep)
{
    struct presence *presence = manager->presence;

    if (sweep->dead == 0)
        return;
    manager_lock(manager);
    for (uint32_t i = 0; i < PRESENCE_MAX_PROCESSES; i++) {
        struct presence_process *process = &presence->processes[i];

        if ((sweep->dead >> i & 1) == 0)
            continue;
        presence->n_wanted_processes -= process->is_wanted;
        *process = (struct presence_process){.generation = 0};
        presence->n_processes--;
    }
    manager_unlock(manager);
}

/* --- commands -------------------------------------------------------------------------------- */

/* A command of this process has come back. */
static void note_streamed(struct presence_member *member, const struct entry *entry,
                          const struct follow_news *news)
{
    if (!member->room->is_followed)
        return;
    member->is_streamed = entry->connections > 0;
    if (entry->connections == member->sent_connections)
        member->is_returning = false;
    follow_note(news, member);
}

/* Applies an entry to a member, which may be freed then. */
static int apply_to(struct presence *presence, uint32_t process, struct presence_member *member,
                    const struct entry *entry, const struct follow_news *news)
{
    struct presence_room *room = member->room;
    int result = WS_OK;

    if (process == NO_PROCESS)
        note_streamed(member, entry, news);
    else
        result = set_part(presence, member, process, entry->connections, news);
    member = presence_find_member(presence, room, entry->user);
    if (member != NULL && result == WS_OK)
        result = processes_apply_state(presence, process, member, entry);
    member = presence_find_member(presence, room, entry->user);
    if (member != NULL)
        presence_free_if_unused(presence, member);
    return result;
}

/* `process`: NO_PROCESS for this one. The lock is held. */
static int apply(struct presence *presence, uint32_t process, const struct entry *entry,
                 const struct follow_news *news)
{
    struct presence_room *room;
    struct presence_member *member;
    int result;

    manager_assert_locked(presence->manager);
    result = presence_open_for_others(presence->manager, entry->room, &room);
    if (result != WS_OK)
        return result;
    room->n_kept++; /* stays when its last member is freed */
    member = presence_find_member(presence, room, entry->user);
    if (member == NULL && process != NO_PROCESS && entry->connections > 0)
        result = presence_add_member(presence, room, entry->user, &member);
    if (result == WS_OK && member != NULL)
        result = apply_to(presence, process, member, entry, news);
    room->n_kept--;
    presence_drop_room(presence, room);
    return result;
}

/* What exceeds a limit of this process is left out here. */
static int apply_members(struct posting *posting, uint32_t process,
                         const struct presence_command *command, int64_t time_ms)
{
    ws_manager *manager = posting->manager;
    struct json_slice members = command->values[VALUE_MEMBERS];
    struct json_walk walk;
    struct json_slice value;
    struct entry entry;
    int result = WS_OK;
    unsigned n = 0;

    if (members.text == NULL || !json_elements_begin(&walk, members.text, members.length))
        return WS_ERR_INVALID;
    while (result == WS_OK && json_elements_next(&walk, &value)) {
        result = presence_command_read_entry(manager, command, value, &entry);
        if (result != WS_OK)
            break;
        result = apply(manager->presence, process, &entry,
                       &(struct follow_news){posting, time_ms, command->process, entry.last,
                                             entry.is_first});
        presence_command_free_entry(manager, &entry);
        if (result == WS_ERR_LIMIT)
            result = WS_OK;
        if (++n % APPLIED_AT_ONCE == 0) { /* gives the lock back, and wakes loops */
            posting_end(posting);
            lock_let_others(&manager->lock);
            posting_begin(posting, manager);
        }
    }
    return result;
}

static bool is_named(const struct presence_command *command, const char *name)
{
    return json_string_is(command->values[VALUE_NAME], name);
}

static int of_this_process(struct posting *posting, const struct presence_command *command,
                           struct sweep *sweep)
{
    struct presence *presence = posting->manager->presence;

    if (command->number > presence->n_returned && command->number <= presence->n_commands)
        presence->n_returned = command->number;
    if (is_named(command, PRESENCE_COMMAND "_alive"))
        count_missed(presence, sweep);
    follow_asked(presence);
    if (is_named(command, PRESENCE_COMMAND))
        return apply_members(posting, NO_PROCESS, command, sweep->time_ms);
    return WS_OK;
}

static int of_another(struct posting *posting, const struct presence_command *command,
                      struct sweep *sweep)
{
    struct presence *presence = posting->manager->presence;
    bool is_begin = is_named(command, PRESENCE_COMMAND "_begin");
    uint32_t process = know_process(presence, command->process, is_begin);

    if (is_named(command, PRESENCE_COMMAND "_wanted"))
        return processes_rooms_wanted(posting->manager, process, command);
    if (process == NO_PROCESS)
        return WS_ERR_LIMIT;
    presence->processes[process].generation = command->generation;
    presence->processes[process].is_sending |= is_begin;
    if (is_named(command, PRESENCE_COMMAND)) {
        follow_told(presence);
        return apply_members(posting, process, command, sweep->time_ms);
    }
    if (is_named(command, PRESENCE_COMMAND "_repeated"))
        return processes_rooms_repeated(posting->manager, process, command);
    if (is_named(command, PRESENCE_COMMAND "_unwanted"))
        return processes_rooms_unwanted(posting->manager, process, command);
    if (is_named(command, PRESENCE_COMMAND "_end")) {
        presence->processes[process].is_sending = false;
        sweep->process = process;
        sweep->ended = (uint64_t)1 << process;
        sweep->generation = command->generation;
    }
    if (is_named(command, PRESENCE_COMMAND "_leaving"))
        sweep->stopping = process;
    return WS_OK;
}

static int carry_out(struct posting *posting, const struct presence_command *command,
                     struct sweep *sweep)
{
    ws_manager *manager = posting->manager;
    bool is_own = strcmp(command->process, manager->process) == 0;

    sweep->presence = presence_get(manager);
    if (sweep->presence == NULL)
        return WS_ERR_NO_MEMORY;
    return is_own ? of_this_process(posting, command, sweep)
                  : of_another(posting, command, sweep);
}

/* Commands come one after the other, so nothing changes among the others' parts during the
 * sweep. */
int presence_command_carry_out(ws_manager *manager, const ws_cluster_event *event)
{
    struct sweep sweep = {
        .process = NO_PROCESS, .stopping = NO_PROCESS, .time_ms = manager_clock(manager)};
    struct posting posting;
    struct presence_command command;
    int result;

    if (!presence_command_read(event, &command))
        return WS_ERR_INVALID;
    posting_begin(&posting, manager);
    result = carry_out(&posting, &command, &sweep);
    presence_find_keeper(&posting);
    posting_end(&posting);
    sweep_all(manager, &sweep);
    forget_dead(manager, &sweep);
    return result;
}

/* Until the states are doubted, nothing is sent of them. False if there is no presence. */
static bool begin_gap(ws_manager *manager)
{
    struct presence *presence;

    manager_lock(manager);
    if (follow_is_on(manager))
        follow_begin(manager);
    presence = manager->presence;
    if (presence != NULL)
        presence->is_doubting = true;
    manager_unlock(manager);
    return presence != NULL;
}

void presence_gap(ws_manager *manager)
{
    struct presence *presence;
    struct posting posting;

    if (!begin_gap(manager))
        return;
    processes_doubt_states(manager, manager_clock(manager));
    posting_begin(&posting, manager);
    presence = manager->presence;
    presence->is_doubting = false;
    presence->n_returned = presence->n_taken; /* what is on its way may not come back */
    presence->n_alive_sent = 0;
    presence->alive_due_ms = presence->life_ms;
    if (!presence->is_alone || presence->n_processes > 0)
        presence->wants_all = presence->sends_all = true;
    follow_ask_again(presence);
    presence_find_keeper(&posting);
    posting_end(&posting);
}
