/* cors.h: lets pages of other origins use an endpoint (Fetch, "CORS protocol").
 * Not here: which origins are allowed (the application's allow_origin). */
#ifndef WS_TRANSPORT_HTTP_CORS_H
#define WS_TRANSPORT_HTTP_CORS_H

#include "transport/http/response.h"
#include "transport/shared/handshake.h"

/* Adds the fields with which a browser lets a page of another origin read the response, if the
 * application allows that origin. */
void cors_allow_origin(struct ws_handshake *handshake, const ws_endpoint *endpoint,
                       struct response *response);

/* Answers OPTIONS, the preflight that a browser sends before a request that a form could not make.
 * Frees the response. */
void cors_answer_options(ws_http *http, struct response *response);

#endif
