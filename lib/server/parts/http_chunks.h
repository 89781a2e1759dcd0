/* http_chunks.h: checks that a chunked body follows RFC 9112 §7.1, while its bytes arrive.
 * Runs before http-parser, which Debian builds without its strict checks, and finds the end of
 * the body. The parser extracts the data. */
#ifndef WS_SERVER_HTTP_CHUNKS_H
#define WS_SERVER_HTTP_CHUNKS_H

#include <stddef.h>
#include <stdint.h>

#include "base/http_head.h"

struct http_chunks {
    int state;
    unsigned digits; /* of the chunk's size, so far */
    uint64_t size;   /* of the chunk, or what is left of it */
    uint64_t total;  /* of all chunks so far */
    size_t extra;    /* bytes of all extensions and trailers so far */
    struct http_head trailers;
    const char *problem; /* static; set on failure */
};

enum {
    HTTP_CHUNKS_DATA_LIMIT = 1024 * 1024,
    HTTP_CHUNKS_EXTRA_LIMIT = 4 * 1024 /* extensions and trailers are ignored */
};

enum http_chunks_result {
    HTTP_CHUNKS_MORE,
    HTTP_CHUNKS_DONE, /* the body ends with the last byte used */
    HTTP_CHUNKS_BAD,
    HTTP_CHUNKS_TOO_MUCH_DATA,
    HTTP_CHUNKS_TOO_MUCH_EXTRA
};

/* Call it before the first byte of a body. */
void http_chunks_begin(struct http_chunks *chunks);

/* Scans bytes. *used is how many are valid: all of them, unless the body ends or fails before. */
enum http_chunks_result http_chunks_scan(struct http_chunks *chunks, const char *data,
                                         size_t length, size_t *used);

#endif
