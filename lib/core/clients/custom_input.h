/* custom_input.h: processes the messages that the application's own transports hand in with
 * ws_manager_receive(): whole messages, in a bounded queue for each connection. Not here:
 * WebSockets, whose unparsed bytes wait with their connection (transport/websocket/input.c). */
#ifndef WS_CORE_CLIENTS_CUSTOM_INPUT_H
#define WS_CORE_CLIENTS_CUSTOM_INPUT_H

#include "core/connections/connection.h"

/* Queues a copy of a message until its connection is served. Errors: WS_ERR_BACKPRESSURE (the
 * queue is full; ws_transport.resume is called when there is room), WS_ERR_CLOSED (the
 * connection is ending), WS_ERR_NO_MEMORY (the connection is doomed). */
int custom_input_add(struct custom_connection *custom, const void *data, size_t length,
                     bool is_text);

#endif
