/* processes_read.c: reads the commands about presence that processes send each other. */
#include "core/presence/processes_read.h"

#include <stdlib.h>
#include <string.h>

#include <ws_manager/presence.h>

#include "base/utf8.h"

/* Connections of a process have 24 bits; their sums fit too. */
enum { CONNECTIONS_MAX = 1 << 25 };

/* A number that is not negative, and in its range; otherwise 0. */
static uint64_t number_of(struct json_slice value, uint64_t most)
{
    unsigned long long number =
        value.text != NULL && *value.text != '-' ? strtoull(value.text, NULL, 10) : 0;

    return number <= most ? number : 0;
}

static bool is_true(struct json_slice value)
{
    return value.text != NULL && *value.text == 't';
}

bool presence_command_read(const ws_cluster_event *event, struct presence_command *command)
{
    static const char *const names[N_VALUES] = {"order", "process", "number", "generation",
                                                "epoch", "of",      "rooms",  "members"};
    struct json_slice process;

    if (!json_members(event->text, event->length, names, command->values, N_VALUES))
        return false;
    process = command->values[VALUE_PROCESS];
    if (process.text == NULL || process.length != EPOCH_LENGTH + 2)
        return false;
    memcpy(command->process, process.text + 1, EPOCH_LENGTH);
    command->process[EPOCH_LENGTH] = '\0';
    command->position = event->position;
    command->number = number_of(command->values[VALUE_NUMBER], UINT64_MAX);
    command->generation = (uint32_t)number_of(command->values[VALUE_GENERATION], UINT32_MAX);
    return epoch_valid(command->process);
}

void presence_command_free_entry(const ws_manager *manager, struct entry *entry)
{
    memory_free(&manager->memory, entry->room);
    memory_free(&manager->memory, entry->user);
}

/* A position in another stream means nothing: the process that has it will send the state again. */
static void read_state(const ws_manager *manager, const struct presence_command *command,
                       struct json_slice state, struct json_slice at, struct entry *entry)
{
    if (at.text != NULL &&
        !json_string_is(command->values[VALUE_EPOCH], manager->presence->epoch))
        return;
    entry->state = state;
    entry->at = at.text != NULL ? number_of(at, UINT64_MAX - 1) : command->position;
}

int presence_command_read_entry(const ws_manager *manager,
                                const struct presence_command *command, struct json_slice text,
                                struct entry *entry)
{
    enum { ROOM, USER, CONNECTIONS, STATE, AT, LAST, FIRST, LEAVING, N_MEMBERS };
    static const char *const names[N_MEMBERS] = {"room", "user", "n",     "state",
                                                 "at",   "last", "first", "leaving"};
    struct json_slice values[N_MEMBERS];
    int result = WS_OK;

    *entry = (struct entry){.room = NULL};
    if (!json_members(text.text, text.length, names, values, N_MEMBERS) ||
        values[ROOM].text == NULL || values[USER].text == NULL)
        return WS_ERR_INVALID;
    if (!json_string(&manager->memory, values[ROOM], &entry->room) ||
        !json_string(&manager->memory, values[USER], &entry->user))
        result = WS_ERR_NO_MEMORY;
    else if (entry->room == NULL || (*entry->room != '\0' && !name_text_valid(entry->room)) ||
             entry->user == NULL || !name_text_valid(entry->user))
        result = WS_ERR_INVALID;
    entry->connections = (uint32_t)number_of(values[CONNECTIONS], CONNECTIONS_MAX);
    if (entry->connections == 0 && is_true(values[LEAVING]))
        entry->connections = PRESENCE_LEAVING;
    entry->last = number_of(values[LAST], UINT64_MAX);
    entry->is_first = is_true(values[FIRST]);
    if (values[STATE].text != NULL && values[STATE].length <= WS_PRESENCE_STATE_MAX)
        read_state(manager, command, values[STATE], values[AT], entry);
    if (result != WS_OK)
        presence_command_free_entry(manager, entry);
    return result;
}
