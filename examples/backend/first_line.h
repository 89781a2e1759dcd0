/* first_line.h: the beginning of a request's first line, as it came: for the log, and for those who
 * are answered before their head is understood. Parsing is http_request.h. */
#ifndef BACKEND_FIRST_LINE_H
#define BACKEND_FIRST_LINE_H

#include <stdbool.h>
#include <stddef.h>

enum { FIRST_LINE_KEPT = 128 };

/* All zero: nothing has come. */
struct first_line {
    char text[FIRST_LINE_KEPT + 1];
    size_t length; /* of what is kept; there may be NULs in it */
    bool is_complete;
};

/* Bytes of the request came. Empty lines before the first are no part of it (RFC 9112, 2.2). */
void first_line_add(struct first_line *line, const char *bytes, size_t length);

/* Whether enough has come to tell the method HEAD from others. */
static inline bool first_line_has_method(const struct first_line *line)
{
    return line->is_complete || line->length >= sizeof "HEAD";
}

/* Whether the method is HEAD, to whose answers no body belongs (RFC 9110, 9.3.2). */
bool first_line_is_head(const struct first_line *line);

enum first_line_protocol { FIRST_LINE_OTHER, FIRST_LINE_TLS, FIRST_LINE_HTTP_2 };

/* Which protocol begins so, of those that are mistaken for HTTP/1.1. */
enum first_line_protocol first_line_protocol(const struct first_line *line);

/* How much of `text` may be shown: method and path, without the query, where tokens are. Nothing of
 * what does not begin with a method in capitals and a blank: it may be anything. */
int first_line_shown(const struct first_line *line);

#endif
