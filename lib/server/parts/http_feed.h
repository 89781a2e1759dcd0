/* http_feed.h: takes a request's bytes as they arrive. Their syntax is checked before
 * http-parser sees them. */
#ifndef WS_SERVER_HTTP_FEED_H
#define WS_SERVER_HTTP_FEED_H

#include <stddef.h>

#include "server/parts/http_request.h"

/* Takes bytes and returns how many were used; `state` is the result. Stops at the end of a
 * request, and before a body, which may be refused. */
size_t http_request_feed(struct http_request *request, const char *data, size_t length);

#endif
