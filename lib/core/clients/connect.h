/* connect.h: makes a registered connection live, on its loop's thread. Not here: registering it
 * (connection_start() in connections/connection.h). */
#ifndef WS_CORE_CLIENTS_CONNECT_H
#define WS_CORE_CLIENTS_CONNECT_H

#include "core/connections/connection.h"

/* Executes COMMAND_CONNECT: the welcome, on_connect, and the first of the rooms that the client
 * named. Takes over the command's recovery. Reduces *budget by the cost. */
void client_connect(struct connection *connection, struct command *command, uint32_t *budget);

#endif
