/* user_command_run.h: carries out commands for all connections of a user, on a loop's thread, in
 * turns. Not here: how they get into the inbox (sending/user_command.h). */
#ifndef WS_CORE_CLIENTS_USER_COMMAND_RUN_H
#define WS_CORE_CLIENTS_USER_COMMAND_RUN_H

#include "core/connections/connection.h"

/* Begins or continues COMMAND_USER. Reduces *budget by the cost. True when it is done for all
 * connections. */
bool user_command_run(ws_loop *loop, struct command *command, uint32_t *budget);

/* Begins or continues to ask the application again about each room of a connection; `n_before`
 * as in struct reauthorization. Reduces *budget by the cost. True when all rooms are done. */
bool connection_reauthorize(struct connection *connection, uint32_t n_before, uint32_t *budget);

#endif
