/* input.h: a client's bytes after the handshake. They wait at their connection, in a bounded
 * buffer, until its turn (core/clients/input.h), and are parsed and processed then: nothing
 * that was parsed or inflated ever waits. */
#ifndef WS_TRANSPORT_WEBSOCKET_INPUT_H
#define WS_TRANSPORT_WEBSOCKET_INPUT_H

#include "transport/websocket/websocket.h"

/* Fails the connection (RFC 6455 §7.1.7), which is open or closing. WS_CLOSE_POLICY_VIOLATION
 * counts as a flood of frames. */
void websocket_fail(ws_websocket *websocket, uint16_t code, const char *text);

/* Whether the buffer is full, so that no more bytes are accepted. */
bool websocket_input_is_full(const ws_websocket *websocket);

/* Buffers a copy of bytes until the connection is served; discards them if the connection reads
 * no more. */
void websocket_input_add(ws_websocket *websocket, const void *data, size_t length);

/* The client sends no more: ends the connection after the buffered bytes are processed. */
void websocket_input_eof(ws_websocket *websocket);

#endif
