/* http_framing.h: checks that a request's head is unambiguous about the request's end and its
 * host (RFC 9112 §3.2, §6). What another server on the way may read differently is refused. */
#ifndef WS_SERVER_HTTP_FRAMING_H
#define WS_SERVER_HTTP_FRAMING_H

#include "server/parts/http_request.h"

/* 0, or the status of the refusal and, in *message, the reason. */
int http_framing_check(const struct http_request *request, const char **message);

#endif
