/* request.h: a client's request head, parsed by http-parser or passed by the host. Not here:
 * whether it is a valid opening handshake (handshake_check.h). */
#ifndef WS_TRANSPORT_SHARED_REQUEST_H
#define WS_TRANSPORT_SHARED_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include <http_parser.h>

#include <ws_manager/websocket.h>

#include "base/buffer.h"
#include "base/http_head.h"
#include "transport/shared/unfinished.h"

enum { REQUEST_MAX_HEADERS = 256, REQUEST_LINE_KEPT = 128 };

struct request_header {
    size_t name; /* offsets in text */
    size_t value;
};

struct request {
    struct http_head head; /* checks the bytes before http-parser gets them */
    http_parser parser;
    struct buffer text; /* the target, then names and values, each NUL-terminated */
    struct request_header *headers;
    size_t n_headers;
    size_t headers_capacity;
    bool has_too_many; /* more headers came than are allowed */
    size_t head_bytes; /* used so far */
    enum { REQUEST_START, REQUEST_TARGET, REQUEST_NAME, REQUEST_VALUE, REQUEST_COMPLETE } piece;
    char line[REQUEST_LINE_KEPT + 1]; /* how the request begins, even if it is not HTTP */
    size_t line_length;               /* of what is kept, which may contain NULs */
    bool line_complete;
    bool is_get;
    uint32_t http_major;
    uint32_t http_minor;
    struct unfinished unfinished; /* for the transport that reads it from bytes */
};

struct request *request_new(const ws_allocator *memory);

/* NULL does nothing. */
void request_free(struct request *request);

/* The memory that it takes. */
size_t request_bytes(const struct request *request);

enum request_result {
    REQUEST_MORE, /* all bytes are used; the head is not complete */
    REQUEST_DONE, /* the head is complete; bytes after it are not used */
    REQUEST_TOO_LARGE,
    REQUEST_BAD,
    REQUEST_BAD_VERSION,
    REQUEST_NO_MEMORY
};

/* Parses bytes of the head; *used is the number of bytes used. */
enum request_result request_feed(struct request *request, const char *data, size_t length,
                                 size_t max_head_bytes, size_t *used);

/* Fills in a request that the host has parsed, under the same limits and grammar as one that is
 * parsed from bytes: REQUEST_DONE, _TOO_LARGE, _BAD or _NO_MEMORY. The size of the head is that
 * of its shortest form. */
enum request_result request_fill(struct request *request, const char *method,
                                 uint32_t http_major, uint32_t http_minor, const char *target,
                                 const ws_header *headers, size_t n_headers,
                                 size_t max_head_bytes);

/* Whether the method is HEAD, even before the head is complete. */
bool request_is_head(const struct request *request);

/* Returns what was wrong with the bytes of a head that was REQUEST_BAD; NULL if that is not
 * known. */
const char *request_problem(const struct request *request);

/* Returns the path in the target, up to the query or the end; it may be empty. NULL if there is
 * none, or if the target names a host other than the request's (http_target.h). */
const char *request_path(const struct request *request);

const char *request_target(const struct request *request);

/* Returns the value of the n-th header of that name (case-insensitive), counted from 0; NULL if
 * there are fewer. */
const char *request_header(const struct request *request, const char *name, size_t n);

/* Returns the value of the first header of that name at or after index *at, and sets *at to its
 * index; NULL if there is none. With it, reading all headers of a name takes one pass. */
const char *request_next_header(const struct request *request, const char *name, size_t *at);

/* True if the comma-separated list in all headers of that name contains the token (RFC 9110
 * §5.6.1), compared exactly or, with any_case, case-insensitively. */
bool request_header_lists(const struct request *request, const char *name, const char *token,
                          bool any_case);

#endif
