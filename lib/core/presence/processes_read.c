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
    static const char *const names[] = {"room", "user", "n", "state", "at", "leaving"};
    struct json_slice values[6];
    int result = WS_OK;

    *entry = (struct entry){.room = NULL};
    if (!json_members(text.text, text.length, names, values, 6) || values[0].text == NULL ||
        values[1].text == NULL)
        return WS_ERR_INVALID;
    if (!json_string(&manager->memory, values[0], &entry->room) ||
        !json_string(&manager->memory, values[1], &entry->user))
        result = WS_ERR_NO_MEMORY;
    else if (entry->room == NULL || (*entry->room != '\0' && !name_text_valid(entry->room)) ||
             entry->user == NULL || !name_text_valid(entry->user))
        result = WS_ERR_INVALID;
    entry->connections = (uint32_t)number_of(values[2], CONNECTIONS_MAX);
    if (entry->connections == 0 && is_true(values[5]))
        entry->connections = PRESENCE_LEAVING;
    if (values[3].text != NULL && values[3].length <= WS_PRESENCE_STATE_MAX)
        read_state(manager, command, values[3], values[4], entry);
    if (result != WS_OK)
        presence_command_free_entry(manager, entry);
    return result;
}
