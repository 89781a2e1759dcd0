/* http_head.h: checks the syntax of a request head (RFC 9112) while its bytes arrive, and finds
 * where the head ends. It runs before http-parser, which Debian builds without its strict
 * checks. Not here: the meaning of the head, which http-parser reads.
 *
 * The example backend is built with this file too. */
#ifndef WS_BASE_HTTP_HEAD_H
#define WS_BASE_HTTP_HEAD_H

#include <stddef.h>
#include <stdint.h>

struct http_head {
    uint8_t state;
    uint8_t matched;     /* characters of "HTTP/1.1" and CR that were read */
    const char *problem; /* why HTTP_SCAN_BAD was returned; static */
};

enum http_scan {
    HTTP_SCAN_MORE, /* all bytes belong to the head, and more are needed */
    HTTP_SCAN_DONE, /* the head ends with the last byte that was used */
    HTTP_SCAN_BAD   /* the syntax is wrong: see `problem` */
};

/* Prepares for a request. Empty lines may precede it (RFC 9112 §2.2). */
void http_head_begin(struct http_head *head);

/* Prepares for the trailers of a chunked body, which have the syntax of a head without its request
 * line (RFC 9112 §7.1.2). */
void http_head_begin_trailers(struct http_head *head);

/* Checks the next bytes. *used is the number of valid bytes that belong to the head: all of
 * them for HTTP_SCAN_MORE. After HTTP_SCAN_DONE or HTTP_SCAN_BAD, call http_head_begin() before
 * the next scan. */
enum http_scan http_head_scan(struct http_head *head, const char *data, size_t length,
                              size_t *used);

#endif
