/* processes_rooms.c: the rooms whose members other processes need to know of this one. */
#include "core/presence/processes_rooms.h"

#include <assert.h>

#include "base/utf8.h"
#include "core/presence/processes_states.h"

/* The bit of a process among those that need a room; NO_PROCESS has none. */
static uint64_t bit_of(uint32_t process)
{
    return process < PRESENCE_MAX_PROCESSES ? (uint64_t)1 << process : 0;
}

static void note_wanted(struct presence *presence, struct presence_room *room, uint32_t process)
{
    uint64_t bit = bit_of(process);

    assert(bit != 0);
    room->wanted_by |= bit;
    if (presence->processes[process].is_sending)
        room->repeated_by |= bit;
}

/* Another process needs what this one has of a room. An empty room is kept for it within the
 * limit. */
static int send_room(ws_manager *manager, uint32_t process, const char *name)
{
    uint64_t most = manager->options.max_presence_bytes;
    struct presence *presence = manager->presence;
    struct presence_room *room;
    int result = presence_open_for_others(manager, name, &room);

    if (result != WS_OK)
        return result;
    if (process != NO_PROCESS && (most == 0 || presence->bytes <= most))
        note_wanted(presence, room, process);
    presence_visit_members(presence, room, &room->to_send, presence_note_needed);
    presence_drop_room(presence, room);
    return WS_OK;
}

static int repeat_room(ws_manager *manager, uint32_t process, const char *name)
{
    struct presence *presence = manager->presence;
    struct presence_room *room = presence_find_room(presence, name);

    if (room == NULL || (room->wanted_by & bit_of(process)) == 0)
        return send_room(manager, process, name);
    note_wanted(presence, room, process);
    return WS_OK;
}

static int release_room(ws_manager *manager, uint32_t process, const char *name)
{
    struct presence *presence = manager->presence;
    struct presence_room *room = presence_find_room(presence, name);

    if (room != NULL)
        processes_rooms_forget(presence, room, bit_of(process), 0);
    return WS_OK;
}

bool processes_rooms_forget(struct presence *presence, struct presence_room *room,
                            uint64_t dead, uint64_t ended)
{
    uint64_t before = room->wanted_by;

    manager_assert_locked(presence->manager);
    room->wanted_by &= ~dead & ~(ended & ~room->repeated_by);
    room->repeated_by &= ~dead;
    if (room->wanted_by == before)
        return false;
    presence_drop_room(presence, room);
    return true;
}

/* --- commands -------------------------------------------------------------------------------- */

enum { ROOMS_AT_ONCE = 64 /* under one hold of the lock */ };

typedef int room_handler(ws_manager *manager, uint32_t process, const char *name);

static int handle_room(ws_manager *manager, uint32_t process, struct json_slice name,
                       room_handler *handle)
{
    char *text;
    int result = WS_ERR_INVALID;

    if (!json_string(&manager->memory, name, &text))
        return WS_ERR_NO_MEMORY;
    if (text != NULL && (*text == '\0' || name_text_valid(text)))
        result = handle(manager, process, text);
    memory_free(&manager->memory, text);
    return result == WS_ERR_LIMIT ? WS_OK : result;
}

static int handle_rooms(ws_manager *manager, uint32_t process,
                        const struct presence_command *command, room_handler *handle)
{
    struct json_slice rooms = command->values[VALUE_ROOMS];
    struct json_walk walk;
    struct json_slice name;
    int result = WS_OK;
    unsigned n = 0;

    manager_assert_locked(manager);
    if (rooms.text == NULL || !json_elements_begin(&walk, rooms.text, rooms.length))
        return WS_ERR_INVALID;
    while (result == WS_OK && json_elements_next(&walk, &name)) {
        result = handle_room(manager, process, name, handle);
        if (++n % ROOMS_AT_ONCE == 0)
            manager_relock(manager);
    }
    return result;
}

int processes_rooms_wanted(ws_manager *manager, uint32_t process,
                           const struct presence_command *command)
{
    struct json_slice of = command->values[VALUE_OF];

    if (command->values[VALUE_ROOMS].text != NULL)
        return handle_rooms(manager, process, command, send_room);
    manager->presence->sends_all |= of.text == NULL || json_string_is(of, manager->process);
    return WS_OK;
}

int processes_rooms_repeated(ws_manager *manager, uint32_t process,
                             const struct presence_command *command)
{
    return handle_rooms(manager, process, command, repeat_room);
}

int processes_rooms_unwanted(ws_manager *manager, uint32_t process,
                             const struct presence_command *command)
{
    return handle_rooms(manager, process, command, release_room);
}
