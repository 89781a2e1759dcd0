/* outer_input.h: what the transports of the application handed in by ws_manager_receive() and is to
 * be carried out: whole messages, a bounded number for each connection.
 * Not here: WebSockets, whose bytes wait with their connection (transport/websocket/input.c). */
#ifndef WS_CORE_CLIENTS_OUTER_INPUT_H
#define WS_CORE_CLIENTS_OUTER_INPUT_H

#include "core/connections/connection.h"

/* Keeps a copy of a message until its connection is served. Errors: WS_ERR_BACKPRESSURE (too much
 * waits; ws_transport.resume is called when there is room), WS_ERR_CLOSED (is ending),
 * WS_ERR_NO_MEMORY (the connection is doomed). */
int outer_input_add(struct outer_connection *outer, const void *data, size_t length,
                    bool is_text);

#endif
