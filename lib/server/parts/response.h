/* response.h: an answer, and its bytes on the wire.
 * The connection decides when they are sent. */
#ifndef WS_SERVER_RESPONSE_H
#define WS_SERVER_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "server/parts/buffer.h"
#include <ws_manager/server_http.h>

enum { RESPONSE_TYPE_BYTES = 128, RESPONSE_FIELDS_BYTES = 1280 };

struct response {
    int status;
    char content_type[RESPONSE_TYPE_BYTES];
    char fields[RESPONSE_FIELDS_BYTES]; /* further header lines */
    size_t fields_length;
    bool has_cache_control; /* among `fields`; else it is no-store */
    char *body;             /* NULL: none */
    size_t body_length;
    ws_server_free_body_callback *free_body; /* NULL: the body is static */
    int file;                                /* a body that is a file, -1: none */
    off_t file_length;
    size_t cost; /* of making it, besides its bytes, as in connection_turns.h */
};

/* One with status 500 and no body. */
void response_begin(struct response *response);
void response_free(struct response *response);

/* Takes over what the application answers; `response` is one that response_begin() made. After an
 * error it is 500 or 503, and what is the server's to free or close has been, unless it cannot be
 * found because `size` is impossible. */
int response_take(struct response *response, const ws_server_response *answer);

/* {"error":{"code":…,"message":…,"field":null}} with the usual code of the status; 503 instead when
 * memory is short. */
void response_set_error(struct response *response, int status, const char *message);

/* A copy of the text as body; 503 instead when memory is short. */
void response_set_text(struct response *response, int status, const char *content_type,
                       const char *text, size_t length);

/* Appends head and body to `out`, without the body of a file. False when memory is short; `out`
 * is then unchanged. */
bool response_write(const struct response *response, bool is_head, bool keep_alive,
                    bool is_http_1_0, struct byte_buffer *out);

#endif
