/* output.h: what a WebSocket sends: what is queued for it, within its limits, and what the host writes
 * of that. Not here: the queue itself (output_queue.h). */
#ifndef WS_TRANSPORT_WEBSOCKET_OUTPUT_H
#define WS_TRANSPORT_WEBSOCKET_OUTPUT_H

#include "transport/websocket/websocket.h"

/* Whether so much waits for the client, or something for it and too much for all of the loop's
 * clients, that nothing more is queued that can be left out. */
bool websocket_is_full(const ws_websocket *websocket);

/* Queues bytes of ours, whole frames or an HTTP answer; when memory runs out the connection is
 * aborted. */
void websocket_push(ws_websocket *websocket, const void *bytes, size_t length);

/* Goes to a state and queues a close frame (WS_CLOSE_NO_STATUS: an empty one). */
void websocket_push_close(ws_websocket *websocket, uint16_t code, const char *reason,
                          size_t length, enum websocket_state state);

/* Drops what the host was not told to write yet. */
void websocket_drop_output(ws_websocket *websocket);

/* inner_transport's `send`. */
int websocket_send(struct connection *connection, ws_message *message);

#endif
