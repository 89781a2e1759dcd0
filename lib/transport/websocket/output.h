/* output.h: queues a WebSocket's output within its limits, and gives it to the host.
 * Not here: the queue itself (output_queue.h). */
#ifndef WS_TRANSPORT_WEBSOCKET_OUTPUT_H
#define WS_TRANSPORT_WEBSOCKET_OUTPUT_H

#include "transport/websocket/websocket.h"

/* Whether optional output must be dropped: the client's queue is full, or it is not empty and
 * the sum of the loop's queues is above its limit. */
bool websocket_is_full(const ws_websocket *websocket);

/* Queues the transport's own bytes: whole frames or an HTTP answer. If memory runs out, the
 * connection is aborted. */
void websocket_push(ws_websocket *websocket, const void *bytes, size_t length);

/* Enters a state and queues a close frame (WS_CLOSE_NO_STATUS: an empty one). */
void websocket_push_close(ws_websocket *websocket, uint16_t code, const char *reason,
                          size_t length, enum websocket_state state);

/* Drops the queued messages that the host was not given to write yet. */
void websocket_drop_output(ws_websocket *websocket);

/* inner_transport's `send`. */
int websocket_send(struct connection *connection, ws_message *message);

#endif
