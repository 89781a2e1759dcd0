/* http_request.h: one HTTP/1.x request: its parts, and the memory that they take. Its bytes are
 * taken by http_feed.h; answers are response.h. */
#ifndef WS_SERVER_HTTP_REQUEST_H
#define WS_SERVER_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <http_parser.h>

#include "base/http_head.h"

#include "server/parts/buffer.h"
#include "server/parts/first_line.h"
#include "server/parts/http_chunks.h"
#include <ws_manager/server_http.h>

enum {
    HTTP_HEAD_LIMIT = WS_SERVER_HEAD_MAX,
    HTTP_FIELD_LIMIT = 256,
    HTTP_BODY_LIMIT = HTTP_CHUNKS_DATA_LIMIT
};

enum http_request_state {
    HTTP_AWAITING, /* no byte yet */
    HTTP_IN_HEAD,
    HTTP_HEAD_DONE, /* the head is complete; the next byte begins a body */
    HTTP_IN_BODY,
    HTTP_COMPLETE,    /* the request is complete */
    HTTP_HANDED_OVER, /* the head is complete; what follows is not HTTP */
    HTTP_FAILED       /* answer with `failure_status` and close */
};

/* The part of a head that is being received. */
enum head_part { PART_NONE, PART_TARGET, PART_NAME, PART_VALUE };

/* Offsets into `text`, which may move while the head comes in. */
struct http_field {
    size_t name;
    size_t value;
};

struct http_request {
    http_parser parser;
    enum http_request_state state;
    struct first_line first_line;
    struct http_head head;
    size_t head_bytes; /* so far */
    struct http_chunks chunks;
    enum head_part part;
    struct byte_buffer text; /* the target, then names and values, each NUL-terminated */
    struct http_field *fields;
    size_t n_fields;
    size_t fields_capacity;
    size_t path;  /* offset into `text`, of the target's path, NUL-terminated */
    size_t query; /* of its query; "" if there is none */
    struct byte_buffer body;
    bool keep_alive;
    bool is_admitted;      /* set once the head was checked: the request may be answered */
    bool expects_continue; /* the client waits for "100 Continue" before it sends the body */
    const char *scheme;    /* set by the connection: the client's scheme; NULL: unknown */
    int failure_status;
    const char *failure_message;

    /* Called when the head is complete; true hands the connection over to another protocol. */
    bool (*hands_over)(const struct http_request *request, void *user_data);
    void *user_data;
};

void http_request_init(struct http_request *request,
                       bool (*hands_over)(const struct http_request *request, void *user_data),
                       void *user_data);

/* Prepares for the next request on the same connection, for which nothing is kept: many connections
 * may be idle. */
void http_request_reset(struct http_request *request);

void http_request_free(struct http_request *request);

/* The memory of what was received of the head. */
static inline size_t http_request_head_bytes(const struct http_request *request)
{
    return request->text.capacity + request->fields_capacity * sizeof *request->fields;
}

/* Whether the head was complete, even if the request failed. */
bool http_request_has_head(const struct http_request *request);

/* Valid from the end of the head until reset. */
const char *http_request_target(const struct http_request *request);
const char *http_request_path(const struct http_request *request);
const char *http_request_query(const struct http_request *request);
const char *http_request_field_name(const struct http_request *request, size_t index);
const char *http_request_field_value(const struct http_request *request, size_t index);

/* The first header of that name in any case, NULL if there is none. */
const char *http_request_header(const struct http_request *request, const char *name);

#endif
