/* command.h: executes the commands of an inbox, on the loop's thread. */
#ifndef WS_CORE_LOOP_COMMAND_H
#define WS_CORE_LOOP_COMMAND_H

#include "core/loop_state.h"

/* Executes a command, or continues it, within *budget (in deliveries), which is reduced by the
 * cost. True when the command is done. */
bool command_carry_out(ws_loop *loop, struct command *command, uint32_t *budget);

/* Frees what a command of the loop owns, except its pins. A second call does nothing. */
void command_release(ws_loop *loop, struct command *command);

/* Gives back a command's pins. The manager's lock is held. */
void command_unpin(ws_manager *manager, const struct command *command);

#endif
