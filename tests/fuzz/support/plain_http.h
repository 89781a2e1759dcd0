/* plain_http.h: where a request ends and what its body is, for a reader that assumes correct syntax
 * and looks only for ends of lines. A request that a strict parser accepts must have the same
 * meaning here; a request that two readers end at different places can be smuggled past one of
 * them. Not for requests that no parser has accepted: it believes every size. */
#ifndef FUZZ_PLAIN_HTTP_H
#define FUZZ_PLAIN_HTTP_H

#include <stdbool.h>
#include <stddef.h>

struct plain_request {
    size_t start;    /* after empty lines */
    size_t head_end; /* after the head's empty line */
    size_t end;      /* of the request */
    size_t length;   /* of the body */
    char *body;      /* the caller frees it */
};

/* Fails the test if the bytes end before the request does. The body is chunked, or has
 * `content_length` bytes. */
void plain_request_read(struct plain_request *request, const char *bytes, size_t length,
                        bool is_chunked, size_t content_length);

/* The n-th field's name and value, NUL-terminated; false if there are fewer fields. Lines end at CR
 * LF, names at the first colon. */
bool plain_request_field(const struct plain_request *request, const char *bytes, size_t n,
                         char *name, char *value, size_t size);

#endif
