/* process_commands.h: carries out the commands for all processes that the stream brings. A
 * command is an entry of the stream with WS_SCOPE_PROCESSES, named by its member "order": it takes
 * a position, but no client receives it. Not here: sending them (publish_process_command() in
 * sending/publish.h), and what each one does. */
#ifndef WS_CORE_CLUSTER_PROCESS_COMMANDS_H
#define WS_CORE_CLUSTER_PROCESS_COMMANDS_H

#include "core/manager.h"

/* A command's text is at most so long. */
enum { PROCESS_COMMAND_MAX_BYTES = 128 << 10 };

static inline bool is_process_command(const ws_cluster_event *event)
{
    return event->scope == WS_SCOPE_PROCESSES;
}

/* Carries out a command. One that is not valid, or that only newer processes know, is logged and
 * skipped. WS_ERR_BACKPRESSURE, WS_ERR_NO_MEMORY: nothing was done, to be tried again later. The
 * caller counts its position. The lock is not held. */
int process_command_carry_out(ws_manager *manager, const ws_cluster_event *event);

/* Before the manager starts anew with the newest events of a stream: carries out the commands
 * that it has missed, if all of them are among these events; *has_gap: they may not be.
 * WS_ERR_BACKPRESSURE, WS_ERR_NO_MEMORY: the next call continues with the command that failed. */
int process_commands_catch_up(ws_manager *manager, const char *epoch, uint64_t position,
                              const ws_cluster_event *events, size_t n_events, bool *has_gap);

/* Whether process_commands_catch_up() has carried out the commands up to this position of the
 * current epoch. */
bool process_commands_done(ws_manager *manager, uint64_t position);

/* Logs that an entry of the stream was skipped. The lines are limited, because another program may
 * write any number of such entries. */
void stream_log_skip(ws_manager *manager, uint64_t position, const char *why);

#endif
