/* polling_new.h: registers the transport with a loop, and opens sessions. */
#ifndef WS_TRANSPORT_POLLING_POLLING_NEW_H
#define WS_TRANSPORT_POLLING_POLLING_NEW_H

#include "transport/http/response.h"
#include "transport/shared/handshake.h"

/* Opens the session that an accepted GET request asks for, or refuses it. It may take over the
 * request (*request is NULL then). Frees the response. */
void polling_open(ws_http *http, const struct ws_handshake *handshake,
                  struct response *response, struct request **request);

#endif
