/* websocket_new.h: how the core knows the WebSockets. */
#ifndef WS_TRANSPORT_WEBSOCKET_WEBSOCKET_NEW_H
#define WS_TRANSPORT_WEBSOCKET_WEBSOCKET_NEW_H

#include "core/transport/transport_side.h"

/* A manager's, once it has an endpoint. */
extern const struct inner_transport websocket_transport;

#endif
