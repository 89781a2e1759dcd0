/* requests.h: the HTTP requests of clients of Engine.IO: which session they are for, and what they
 * do with it. */
#ifndef WS_TRANSPORT_POLLING_REQUESTS_H
#define WS_TRANSPORT_POLLING_REQUESTS_H

#include "transport/http/response.h"
#include "transport/shared/handshake.h"

/* Begins a request of an endpoint of Engine.IO. It may take over the request's head (*request is
 * NULL then). `response` has the fields that every response of the endpoint has; frees it. */
void polling_request(ws_http *http, struct ws_handshake *handshake, struct response *response,
                     struct request **request);

#endif
