/* http_response.h: an answer, and its bytes on the wire.
 * The connection decides when they are sent. */
#ifndef BACKEND_HTTP_RESPONSE_H
#define BACKEND_HTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <cjson/cJSON.h>

#include "buffer.h"

struct http_response {
    int status;
    const char *content_type;
    char fields[1280]; /* further header lines */
    size_t fields_length;
    const char *body; /* NULL: none */
    size_t body_length;
    char *owned_body; /* `body` if it must be freed; NULL if it is static */
    int file;         /* a body that is a file, -1: none */
    off_t file_length;
    size_t cost;    /* of making it, besides its bytes, as in http_turns.h */
    bool later;     /* no answer yet: the request must be answered again later */
    bool cacheable; /* has its own Cache-Control among `fields`; else it is no-store */
};

void http_response_init(struct http_response *response);
void http_response_free(struct http_response *response);

/* Adds a header line; `value` must have no control characters. */
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

/* Appends head and body to `out`, without the body of a file. False when memory is short; `out`
 * is then unchanged. */
bool http_response_write(const struct http_response *response, bool is_head, bool keep_alive,
                         bool is_http_1_0, struct byte_buffer *out);

#endif
