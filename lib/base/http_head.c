/* http_head.c: checks the syntax of a request head (RFC 9112) byte by byte. */
#include "base/http_head.h"

#include <stdbool.h>

#include "base/http_text.h"

enum {
    /* Each state names what the next byte belongs to. */
    BEFORE,       /* the method's first character, or an empty line before the request */
    BEFORE_LF,    /* the LF of that empty line */
    METHOD,       /* the rest of the method */
    TARGET_START, /* the target's first character */
    TARGET,       /* the rest of the target */
    VERSION,      /* "HTTP/1.1" and the CR, of which `matched` characters were read */
    LINE_LF,      /* the LF that ends a line */
    LINE_START,   /* the first character of a field's name, or the CR of the last, empty line */
    NAME,         /* the rest of a field's name */
    VALUE,        /* a field's value */
    END_LF,       /* the LF of the last, empty line */
    END           /* nothing: the head is complete */
};

void http_head_begin(struct http_head *head)
{
    *head = (struct http_head){.state = BEFORE};
}

void http_head_begin_trailers(struct http_head *head)
{
    *head = (struct http_head){.state = LINE_START};
}

static bool fail(struct http_head *head, const char *problem)
{
    head->problem = problem;
    return false;
}

static bool go_to(struct http_head *head, uint8_t state)
{
    head->state = state;
    return true;
}

static bool take_line_feed(struct http_head *head, char c, uint8_t next)
{
    return c == '\n' ? go_to(head, next) : fail(head, "a CR is not followed by LF");
}

static bool take_target(struct http_head *head, char c)
{
    if (c == ' ')
        return go_to(head, VERSION);
    if (c == '\r' || c == '\n')
        return fail(head, "the request line has no HTTP version");
    return http_target_char(c) || fail(head, "the target contains a control character");
}

/* A '0' in the pattern matches any digit. Whether the version is supported is checked by the
 * caller. */
static bool take_version(struct http_head *head, char c)
{
    static const char pattern[] = "HTTP/0.0\r";
    char expected = pattern[head->matched];

    if (expected == '0' ? c < '0' || c > '9' : c != expected)
        return fail(head, "the request line does not end with an HTTP version");
    head->matched++;
    return pattern[head->matched] != '\0' || go_to(head, LINE_LF);
}

static bool take_line_start(struct http_head *head, char c)
{
    if (c == '\r')
        return go_to(head, END_LF);
    if (c == ' ' || c == '\t')
        return fail(head, "a header continues on the next line"); /* §5.2 */
    return http_token_char(c) ? go_to(head, NAME) : fail(head, "a header name is not a token");
}

static bool take_name(struct http_head *head, char c)
{
    if (c == ':')
        return go_to(head, VALUE);
    if (c == ' ' || c == '\t')
        return fail(head, "white space in or after a header name"); /* §5.1 */
    return http_token_char(c) || fail(head, "a header name is not a token");
}

static bool take_value(struct http_head *head, char c)
{
    if (c == '\r')
        return go_to(head, LINE_LF);
    if (c == '\n')
        return fail(head,
                    "a line ends with LF instead of CR LF"); /* §2.2 lets a server refuse it */
    return http_value_char(c) || fail(head, "a header value contains a control character");
}

/* Takes one byte; false if the grammar does not allow it here. */
static bool take(struct http_head *head, char c)
{
    switch (head->state) {
    case BEFORE:
        if (c == '\r')
            return go_to(head, BEFORE_LF);
        return http_token_char(c) ? go_to(head, METHOD) : fail(head, "not an HTTP request");
    case BEFORE_LF:
        return take_line_feed(head, c, BEFORE);
    case METHOD:
        if (c == ' ')
            return go_to(head, TARGET_START);
        return http_token_char(c) || fail(head, "not an HTTP request");
    case TARGET_START:
        return http_target_char(c) ? go_to(head, TARGET)
                                   : fail(head, "the request has no target");
    case TARGET:
        return take_target(head, c);
    case VERSION:
        return take_version(head, c);
    case LINE_LF:
        return take_line_feed(head, c, LINE_START);
    case LINE_START:
        return take_line_start(head, c);
    case NAME:
        return take_name(head, c);
    case VALUE:
        return take_value(head, c);
    default:
        return take_line_feed(head, c, END);
    }
}

enum http_scan http_head_scan(struct http_head *head, const char *data, size_t length,
                              size_t *used)
{
    for (size_t at = 0; at < length; at++) {
        if (!take(head, data[at])) {
            *used = at;
            return HTTP_SCAN_BAD;
        }
        if (head->state == END) {
            *used = at + 1;
            return HTTP_SCAN_DONE;
        }
    }
    *used = length;
    return HTTP_SCAN_MORE;
}
