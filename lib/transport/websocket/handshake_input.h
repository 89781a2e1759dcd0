/* handshake_input.h: takes a request through the opening handshake, from its first byte to the
 * answer. Not here: which requests are valid (handshake_check.h), the application's decision
 * (handshake.h), and the bytes after the handshake (input.h).
 *
 * The host may end the connection from the callback in which it is asked. */
#ifndef WS_TRANSPORT_WEBSOCKET_HANDSHAKE_INPUT_H
#define WS_TRANSPORT_WEBSOCKET_HANDSHAKE_INPUT_H

#include "transport/websocket/websocket.h"

/* Takes bytes of the request's head, and answers when it is complete or invalid. Returns how many
 * bytes belong to the head. */
size_t handshake_receive(ws_websocket *websocket, const char *data, size_t length);

/* Takes a request that the host has parsed, and answers. */
void handshake_upgrade(ws_websocket *websocket, const char *method, uint32_t http_major,
                       uint32_t http_minor, const char *target, const ws_header *headers,
                       size_t n_headers);

#endif
