/* doom.h: ends the connection of a client that is too slow or too fast, or for which memory ran
 * out: with which close code, and when nothing uses the connection. Not here: the limits
 * (slow_client.h, clients/rate_limit.h). */
#ifndef WS_CORE_CONNECTIONS_DOOM_H
#define WS_CORE_CONNECTIONS_DOOM_H

#include "core/connections/connection.h"

/* Marks the connection to be ended when the current command is done. */
void connection_doom(struct connection *connection, enum doom doom);

/* The close code and reason of a doom. */
uint16_t doom_code(enum doom doom);
const char *doom_reason(enum doom doom);

/* Dooms the connection after an allocation for its client failed: ending it is better than a
 * lost event or a request that is never answered. */
void connection_out_of_memory(struct connection *connection);

#endif
