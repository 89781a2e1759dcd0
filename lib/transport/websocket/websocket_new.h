/* websocket_new.h: the transport's interface for the core. */
#ifndef WS_TRANSPORT_WEBSOCKET_WEBSOCKET_NEW_H
#define WS_TRANSPORT_WEBSOCKET_WEBSOCKET_NEW_H

#include "core/transport/transport_side.h"

/* Set in the manager's `builtin` when it gets an endpoint. */
extern const struct builtin_transport websocket_transport;

#endif
