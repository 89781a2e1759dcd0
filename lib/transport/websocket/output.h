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

/* Queues all messages of another queue, without checking the limits again. If memory runs out, the
 * connection is aborted. */
void websocket_push_queue(ws_websocket *websocket, struct output_queue *queue);

/* Queues a form of a message within the queue's limits. Results and references are as those of
 * builtin_transport's `send`. `form`: the message's own frames, another form that lives as long as
 * the message, or, with `is_new`, one reference of another form; NULL: memory ran out. */
int websocket_send_form(ws_websocket *websocket, ws_message *message, struct frames *form,
                        bool is_new);

/* The form of a framed message for this client: compressed, if that was negotiated. It lives as
 * long as the message. `frames`: the message's own, or another form of that kind (FORM_…). */
struct frames *websocket_form(const ws_websocket *websocket, ws_message *message,
                              struct frames *frames, int kind);

/* builtin_transport's `send`. */
int websocket_send(struct connection *connection, ws_message *message);

#endif
