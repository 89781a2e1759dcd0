/* input.h: a client's bytes after the handshake: they wait at their connection, bounded, until its
 * turn (core/clients/input.h), and are parsed and carried out then. So nothing that was parsed or inflated
 * ever waits. */
#ifndef WS_TRANSPORT_WEBSOCKET_INPUT_H
#define WS_TRANSPORT_WEBSOCKET_INPUT_H

#include "transport/websocket/websocket.h"

/* Whether so much waits that nothing more is taken. */
bool websocket_input_is_full(const ws_websocket *websocket);

/* Keeps a copy of bytes until the connection is served; thrown away when it reads no more. */
void websocket_input_add(ws_websocket *websocket, const void *data, size_t length);

/* The client sends no more: the connection ends, after what waits. */
void websocket_input_eof(ws_websocket *websocket);

#endif
