/* slow_client.h: a client that reads more slowly than its queue fills. Not here: the queue and
 * its limit, which are the transport's (transport/websocket/output.c), and how the connection
 * ends (doom.h). */
#ifndef WS_CORE_CONNECTIONS_SLOW_CLIENT_H
#define WS_CORE_CONNECTIONS_SLOW_CLIENT_H

#include "core/connections/connection.h"

/* Whether a message for which the queue has no room is dropped and the connection stays;
 * otherwise the connection ends. It never stays without its welcome, which is sent before the
 * application knows the connection. */
bool slow_client_is_kept(struct connection *connection);

/* Notifies the application that the connection's queue has exceeded its limit, or has
 * drained. */
void connection_backpressure(struct connection *connection, bool is_high);

#endif
