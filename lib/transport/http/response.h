/* response.h: composes a response: its head, and a short body. */
#ifndef WS_TRANSPORT_HTTP_RESPONSE_H
#define WS_TRANSPORT_HTTP_RESPONSE_H

#include "base/buffer.h"
#include "transport/http/http.h"

/* The methods that an endpoint knows. */
#define HTTP_METHODS "GET, HEAD, POST, OPTIONS"

/* A response that is being composed, on the stack. */
struct response {
    int status;
    size_t n_fields;
    struct buffer fields; /* names and values, each NUL-terminated */
};

/* The head of a response, kept for ws_http_response(). */
struct response_head {
    int status;
    size_t n_headers;
    ws_header headers[]; /* then their texts */
};

void response_init(struct response *response, const ws_http *http, int status);

/* Adds a field. */
void response_add(struct response *response, const char *name, const char *value);

/* Queues the whole response, with `length` bytes of body, which is not sent for HEAD. If memory
 * runs out, the request is aborted. Frees the response. */
void response_send(struct response *response, ws_http *http, const void *body, size_t length);

/* Queues the head of a stream; what follows is for the caller to queue. The connection is not kept
 * alive afterwards, except by a host that writes the head itself. Frees the response. */
void response_stream(struct response *response, ws_http *http);

#endif
