/* closing.h: how a WebSocket ends in order (RFC 6455 §7). */
#ifndef WS_TRANSPORT_WEBSOCKET_CLOSING_H
#define WS_TRANSPORT_WEBSOCKET_CLOSING_H

#include "transport/websocket/websocket.h"

/* Posts the end of an open connection: state is FAILED, PEER_CLOSED or EOF; `code` and `reason` are
 * what on_disconnect gets, and our close frame if one is to come. */
void websocket_finish(ws_websocket *websocket, uint16_t code, const char *reason, size_t length,
                      enum websocket_state state);

/* Goes to CLOSED, with nothing more to queue: the host is to look at it. */
void websocket_close_for_good(ws_websocket *websocket);

/* inner_transport's `close`: the connection has left the manager. */
void websocket_closed_by_core(struct connection *connection, uint16_t code, const char *reason,
                              size_t length);

#endif
