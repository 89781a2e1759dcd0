/* plain_http.h: where a request ends and what its body is, for a reader that believes that it is well
 * written and looks for nothing but ends of lines. What a strict parser accepts must come to the same
 * there; a request that two readers cut in two ways is one that can be smuggled past the other.
 *
 * Not for requests that no parser has accepted: it looks at no byte twice, and believes every size. */
#ifndef FUZZ_PLAIN_HTTP_H
#define FUZZ_PLAIN_HTTP_H

#include <stdbool.h>
#include <stddef.h>

struct plain_request {
    size_t start;    /* behind empty lines */
    size_t head_end; /* behind the head's empty line */
    size_t end;      /* of the request */
    size_t length;   /* of the body */
    char *body;      /* to be freed */
};

/* Fails the test if the bytes end before the request does. `is_chunked`, or that many bytes of body. */
void plain_request_read(struct plain_request *request, const char *bytes, size_t length,
                        bool is_chunked, size_t content_length);

/* The n-th field's name and value, NUL-terminated; false if there are fewer. Lines are cut at CR LF,
 * and fields at their first colon. */
bool plain_request_field(const struct plain_request *request, const char *bytes, size_t n,
                         char *name, char *value, size_t size);

#endif
