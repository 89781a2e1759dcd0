/* named_rooms.h: adds clients to the rooms that they named when they connected. */
#ifndef WS_CORE_CLIENTS_NAMED_ROOMS_H
#define WS_CORE_CLIENTS_NAMED_ROOMS_H

#include "core/connections/connection.h"

/* Begins to add a connection that has become live to its rooms: the first ones at once, the others
 * in turns with the input of the loop's clients. Returns the cost of the first ones. Does nothing
 * for a connection without a recovery, or one that has ended. */
uint32_t named_rooms_begin(struct connection *connection);

#endif
