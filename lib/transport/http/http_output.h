/* http_output.h: queues the bytes of a response, and gives them to the host. */
#ifndef WS_TRANSPORT_HTTP_HTTP_OUTPUT_H
#define WS_TRANSPORT_HTTP_HTTP_OUTPUT_H

#include "transport/http/http.h"

/* Queues frames and takes over the reference on success; false if memory ran out. */
bool http_push(ws_http *http, struct frames *frames);

/* Queues frames that were made for this client alone, and takes over the reference; NULL: memory
 * ran out for them. If memory runs out, the request is aborted. */
void http_push_own(ws_http *http, struct frames *frames);

/* Drops the output that the host has not been given yet. */
void http_drop_output(ws_http *http);

#endif
