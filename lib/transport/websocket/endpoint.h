/* endpoint.h: the options and state that the WebSocket connections of one address share. */
#ifndef WS_TRANSPORT_WEBSOCKET_ENDPOINT_H
#define WS_TRANSPORT_WEBSOCKET_ENDPOINT_H

#include <stdatomic.h>

#include <openssl/evp.h>

#include <ws_manager/websocket.h>

#include "core/transport/transport_side.h"

struct ws_endpoint {
    ws_manager *manager;
    ws_endpoint_options options; /* subprotocols are the endpoint's own copies */
    EVP_MD *sha1;                /* fetched once: fetching costs more than a digest */
    _Atomic uint32_t refs;
};

ws_endpoint *endpoint_ref(ws_endpoint *endpoint);

#endif
