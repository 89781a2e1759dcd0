/* user_command.h: commands for all connections of a user: posts them to the loops, at once or
 * when the cluster's stream brings them. Not here: what a loop does then
 * (clients/user_command_run.h). */
#ifndef WS_CORE_SENDING_USER_COMMAND_H
#define WS_CORE_SENDING_USER_COMMAND_H

#include <stdatomic.h>

#include "core/manager.h"

enum user_action {
    USER_DISCONNECT,
    USER_JOIN_ROOM,
    USER_LEAVE_ROOM,
    USER_REAUTHORIZE,
    N_USER_ACTIONS
};

/* A command as the loops get it: COMMAND_USER. Shared by all loops, and never changed. The
 * command's share is the user's on that loop, or for USER_JOIN_ROOM the room's, so that events
 * which are posted later are routed to the loop. */
struct user_command {
    _Atomic uint32_t refs;
    uint8_t action;      /* enum user_action */
    uint16_t code;       /* USER_DISCONNECT */
    const char *text;    /* the room, or the reason; "" for none */
    const char *user_id; /* "": all connections of the loop */
    char texts[];
};

/* Makes a command with one reference; NULL if memory ran out. `user_id` and `text` may be NULL. */
struct user_command *user_command_new(const ws_allocator *memory, enum user_action action,
                                      const char *user_id, uint16_t code, const char *text);

/* NULL does nothing. Any thread. */
void user_command_unref(const ws_manager *manager, struct user_command *command);

/* Carries out a command of the stream, whose text is a valid JSON object. WS_ERR_INVALID: it
 * lacks a member. WS_ERR_BACKPRESSURE, WS_ERR_NO_MEMORY: nothing was done. */
int user_command_carry_out(ws_manager *manager, const ws_cluster_event *event);

#endif
