/* closing.h: the orderly end of a WebSocket (RFC 6455 §7). */
#ifndef WS_TRANSPORT_WEBSOCKET_CLOSING_H
#define WS_TRANSPORT_WEBSOCKET_CLOSING_H

#include "transport/websocket/websocket.h"

/* Posts the end of an open connection. `state` is FAILED, PEER_CLOSED or EOF. `code` and
 * `reason` are passed to on_disconnect, and are those of our close frame if one is sent. */
void websocket_finish(ws_websocket *websocket, uint16_t code, const char *reason, size_t length,
                      enum websocket_state state);

/* Enters CLOSED without queueing anything; the host learns of it from the output list. */
void websocket_close_for_good(ws_websocket *websocket);

/* Closes a websocket that the core has released. */
void websocket_close(ws_websocket *websocket, uint16_t code, const char *reason, size_t length);

/* builtin_transport's `close`: the connection has left the manager. */
void websocket_closed_by_core(struct connection *connection, uint16_t code, const char *reason,
                              size_t length);

#endif
