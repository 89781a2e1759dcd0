/* processes_read.h: reads the commands about presence that processes send each other. Not here:
 * what they do (processes.c). */
#ifndef WS_CORE_PRESENCE_PROCESSES_READ_H
#define WS_CORE_PRESENCE_PROCESSES_READ_H

#include "base/json_text.h"
#include "core/presence/state.h"

/* The parts of a command that are not in every command, or are not read yet: {NULL} if absent. */
enum presence_value {
    VALUE_NAME,
    VALUE_PROCESS,
    VALUE_NUMBER,
    VALUE_GENERATION,
    VALUE_EPOCH,
    VALUE_OF,
    VALUE_ROOMS,
    VALUE_MEMBERS,
    N_VALUES
};

struct presence_command {
    char process[EPOCH_SIZE];
    uint64_t number;
    uint32_t generation;
    uint64_t position; /* in the stream */
    struct json_slice values[N_VALUES];
};

/* A member of a command. */
struct entry {
    char *room; /* owned, as `user` is */
    char *user;
    uint32_t connections;
    bool is_first;   /* the process has not sent the user before, or not since it left */
    ws_conn_id last; /* of the whole service: as member->last, at the process */
    struct json_slice state; /* {NULL}: as it was */
    uint64_t at;             /* the position of the command that set the state */
};

/* Reads a command, whose text is a valid JSON object; false if it lacks something. */
bool presence_command_read(const ws_cluster_event *event, struct presence_command *command);

/* Reads one of a command's members, which is freed by presence_command_free_entry().
 * WS_ERR_INVALID, WS_ERR_NO_MEMORY: there is nothing to free. */
int presence_command_read_entry(const ws_manager *manager,
                                const struct presence_command *command, struct json_slice text,
                                struct entry *entry);
void presence_command_free_entry(const ws_manager *manager, struct entry *entry);

#endif
