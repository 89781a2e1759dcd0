/* request_reader.h: reads a client's HTTP requests, one after the other, from its bytes. Not here:
 * what is answered (client.c). */
#ifndef HTTP_HOST_REQUEST_READER_H
#define HTTP_HOST_REQUEST_READER_H

#include <stdbool.h>
#include <stddef.h>

#include <http_parser.h>

#include <ws_manager/ws_manager.h>

enum { READER_HEAD_BYTES = 16384, READER_HEADERS = 64 };

struct request_reader {
    http_parser parser;
    char text[READER_HEAD_BYTES]; /* the target, then names and values, each NUL-terminated */
    size_t length;
    size_t names[READER_HEADERS]; /* offsets in text */
    size_t values[READER_HEADERS];
    size_t n_headers;
    enum { READER_TARGET, READER_NAME, READER_VALUE } piece; /* that is arriving */

    /* The head, when it is complete; the texts are the reader's until the next request. */
    const char *method;
    ws_header headers[READER_HEADERS];

    /* Called for the parts of a request; false from on_head: nothing more is read. */
    bool (*on_head)(struct request_reader *reader);
    void (*on_body)(struct request_reader *reader, const char *bytes, size_t length);
    void (*on_end)(struct request_reader *reader);
    void *user_data;
};

void request_reader_init(struct request_reader *reader);

static inline const char *request_reader_target(const struct request_reader *reader)
{
    return reader->text;
}

/* Whether the client wants another protocol on its connection. */
static inline bool request_reader_upgrades(const struct request_reader *reader)
{
    return reader->parser.upgrade != 0;
}

/* Reads bytes up to the end of a request; returns how many were used, or -1 if they are no HTTP
 * or the head is too large. */
ptrdiff_t request_reader_feed(struct request_reader *reader, const char *bytes, size_t length);

#endif
