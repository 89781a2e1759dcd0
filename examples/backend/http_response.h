/* http_response.h: an answer of the backend, until the server takes it. */
#ifndef BACKEND_HTTP_RESPONSE_H
#define BACKEND_HTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <cjson/cJSON.h>
#include <http_parser.h> /* names of statuses */

#include <ws_manager/server_http.h>

enum { HTTP_RESPONSE_HEADERS = 12, HTTP_RESPONSE_VALUES = 1024 };

struct http_response {
    int status;
    const char *content_type;
    ws_header headers[HTTP_RESPONSE_HEADERS];
    size_t n_headers;
    char values[HTTP_RESPONSE_VALUES]; /* of these headers, each NUL-terminated */
    size_t values_length;
    const char *body; /* NULL: none */
    size_t body_length;
    char *owned_body; /* `body` if it must be freed; NULL if it is static */
    int file;         /* a body that is a file, -1: none */
    off_t file_length;
    size_t cost;      /* of making it, besides its bytes: ws_server_response::cost */
    bool is_deferred; /* the request is answered later, with another one */
};

void http_response_init(struct http_response *response);
void http_response_free(struct http_response *response);

/* Adds a header; the name is not copied, and `value` must have no control characters. */
void http_response_add_field(struct http_response *response, const char *name,
                             const char *value);

/* A JSON body; the tree stays the caller's. 503 instead when memory is short. */
void http_response_set_json(struct http_response *response, int status, const cJSON *json);

/* A copy of the text as body; 503 instead when memory is short. */
void http_response_set_text(struct http_response *response, int status,
                            const char *content_type, const char *text, size_t length);

/* {"error":{"code":…,"message":…,"field":…}}; `field` may be NULL. 503 instead when memory is
 * short. */
void http_response_set_error(struct http_response *response, int status, const char *code,
                             const char *message, const char *field);

/* An error with the usual code of its status. */
void http_response_set_status_error(struct http_response *response, int status,
                                    const char *message);

/* Hands it to the server, unless it is deferred. Nothing is left to free then. */
void http_response_send(struct http_response *response, ws_server_request *request);

/* Hands the answer of a deferred request to the server. Any thread. Nothing is left to free
 * then. */
void http_response_send_later(struct http_response *response, ws_server_ticket *ticket);

#endif
