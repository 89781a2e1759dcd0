/* http_method.h: what the method of a request says. */
#ifndef BACKEND_HTTP_METHOD_H
#define BACKEND_HTTP_METHOD_H

#include <stdbool.h>
#include <string.h>

#include <ws_manager/server_http.h>

static inline bool http_method_is(const ws_server_request *request, const char *method)
{
    return strcmp(ws_server_request_method(request), method) == 0;
}

/* Whether it is GET or HEAD. */
static inline bool http_method_is_read(const ws_server_request *request)
{
    return http_method_is(request, "GET") || http_method_is(request, "HEAD");
}

#endif
