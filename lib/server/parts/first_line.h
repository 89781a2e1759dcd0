/* first_line.h: the beginning of a request's first line, as received: for the log, and for
 * answers before the head is parsed. Parsing is http_request.h. */
#ifndef WS_SERVER_FIRST_LINE_H
#define WS_SERVER_FIRST_LINE_H

#include <stdbool.h>
#include <stddef.h>

enum { FIRST_LINE_KEPT = 128 };

/* All zero: nothing was received. */
struct first_line {
    char text[FIRST_LINE_KEPT + 1];
    size_t length; /* of the kept bytes, which may include NULs */
    bool is_complete;
    bool has_cr; /* before the first line, of an empty line */
};

/* Adds received bytes. Empty lines before the first line are skipped (RFC 9112 §2.2). */
void first_line_add(struct first_line *line, const char *bytes, size_t length);

/* Whether enough was received to tell the method HEAD from others. */
static inline bool first_line_has_method(const struct first_line *line)
{
    return line->is_complete || line->length >= sizeof "HEAD";
}

/* Whether the method is HEAD, whose answers have no body (RFC 9110 §9.3.2). */
bool first_line_is_head(const struct first_line *line);

enum first_line_protocol { FIRST_LINE_OTHER, FIRST_LINE_TLS, FIRST_LINE_HTTP_2 };

/* The protocol that begins like this, of those often sent to an HTTP/1.1 port by mistake. */
enum first_line_protocol first_line_protocol(const struct first_line *line);

/* How much of `text` may be shown: method and path, without the query, which may hold a token.
 * Nothing if it does not begin with a method in capitals and a blank: then it may be anything. */
int first_line_shown(const struct first_line *line);

#endif
