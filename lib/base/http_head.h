/* http_head.h: whether the bytes of a request's head are written as RFC 9112 demands, while they come
 * in. It runs before http-parser, which Debian builds without its strict checks, and says where the
 * head ends; what the head means is the parser's part.
 *
 * The example backend is built with this file too. */
#ifndef WS_BASE_HTTP_HEAD_H
#define WS_BASE_HTTP_HEAD_H

#include <stddef.h>
#include <stdint.h>

struct http_head {
    uint8_t state;
    uint8_t matched;     /* of the protocol's name and version */
    const char *problem; /* static; set with HTTP_SCAN_BAD */
};

enum http_scan {
    HTTP_SCAN_MORE, /* all bytes belong to the head, and more are needed */
    HTTP_SCAN_DONE, /* the head ends with the last byte that was used */
    HTTP_SCAN_BAD
};

/* Before the first byte of a request. Empty lines may come first (RFC 9112 §2.2). */
void http_head_begin(struct http_head *head);

/* Before the first byte of a chunked body's trailers, which are a head's fields and their end (RFC
 * 9112 §7.1.2). */
void http_head_begin_trailers(struct http_head *head);

/* Looks at bytes. *used says how many are well written, which are all of them unless the head ends or
 * fails before. Afterwards the head must be begun anew. */
enum http_scan http_head_scan(struct http_head *head, const char *data, size_t length,
                              size_t *used);

#endif
