/* error_response.h: answers a request with an error, in plain text. */
#ifndef WS_TRANSPORT_HTTP_ERROR_RESPONSE_H
#define WS_TRANSPORT_HTTP_ERROR_RESPONSE_H

#include "transport/http/response.h"
#include "transport/shared/refusal.h"

/* Answers, counts and logs a request that is refused because of its head or the client. Frees the
 * response, whose fields are part of the answer. */
void http_refuse(ws_http *http, struct response *response, const struct refusal *refusal,
                 const struct request *request);

/* Answers a request that failed later. `reason` NULL: the status' name. */
void http_fail(ws_http *http, struct response *response, int status, const char *reason);

#endif
