/* endpoint.h: the options and state that the connections of one address share: WebSockets, event
 * streams and clients of Socket.IO. */
#ifndef WS_TRANSPORT_SHARED_ENDPOINT_H
#define WS_TRANSPORT_SHARED_ENDPOINT_H

#include <stdatomic.h>

#include <openssl/evp.h>

#include <ws_manager/websocket.h>

#include "core/transport/transport_side.h"
#include "transport/shared/client_counts.h"

struct ws_endpoint {
    ws_manager *manager;
    ws_endpoint_options options;      /* subprotocols are the endpoint's own copies */
    struct socketio_config *socketio; /* with WS_PROTOCOL_SOCKETIO */
    void (*free_socketio)(ws_manager *manager, struct socketio_config *socketio);
    struct client_counts *clients; /* NULL: a client may have any number of sessions */
    EVP_MD *sha1;                  /* fetched once: fetching costs more than a digest */
    _Atomic uint32_t refs;
};

ws_endpoint *endpoint_ref(ws_endpoint *endpoint);

#endif
