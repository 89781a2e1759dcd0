/* http_framing.h: whether a request's head leaves no doubt about where the request ends and for whom
 * it is (RFC 9112 §3.2, §6). What another server on the way may read in two ways is refused. */
#ifndef BACKEND_HTTP_FRAMING_H
#define BACKEND_HTTP_FRAMING_H

#include "http_request.h"

/* 0, or the status of the refusal and, in *message, the reason. */
int http_framing_check(const struct http_request *request, const char **message);

#endif
