/* http_head.c: whether the bytes of a request's head are written as RFC 9112 demands. */
#include "base/http_head.h"

#include <stdbool.h>

#include "base/http_text.h"

enum {
    BEFORE,       /* the request, or an empty line before it */
    BEFORE_LF,    /* the LF of such a line */
    METHOD,       /* after its first character */
    TARGET_START, /* its first character */
    TARGET,       /* after it */
    VERSION,      /* "HTTP/1.1" and the CR, of which `matched` were there */
    LINE_LF,      /* the LF of a line */
    LINE_START,   /* a field, or the end of the head */
    NAME,         /* of a field, after its first character */
    VALUE,        /* of a field */
    END_LF,       /* the LF of the head's end */
    END
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
    return c == '\n' ? go_to(head, next) : fail(head, "a CR without LF");
}

static bool take_target(struct http_head *head, char c)
{
    if (c == ' ')
        return go_to(head, VERSION);
    if (c == '\r' || c == '\n')
        return fail(head, "the request line has no version of HTTP");
    return http_target_char(c) || fail(head, "a control character in the target");
}

/* A '0' in the pattern stands for any digit: whether this version is spoken is not asked here. */
static bool take_version(struct http_head *head, char c)
{
    static const char pattern[] = "HTTP/0.0\r";
    char expected = pattern[head->matched];

    if (expected == '0' ? c < '0' || c > '9' : c != expected)
        return fail(head, "the request line does not end with a version of HTTP");
    head->matched++;
    return pattern[head->matched] != '\0' || go_to(head, LINE_LF);
}

static bool take_line_start(struct http_head *head, char c)
{
    if (c == '\r')
        return go_to(head, END_LF);
    if (c == ' ' || c == '\t')
        return fail(head, "a header continues on another line"); /* §5.2 */
    return http_token_char(c) ? go_to(head, NAME) : fail(head, "a header's name is no token");
}

static bool take_name(struct http_head *head, char c)
{
    if (c == ':')
        return go_to(head, VALUE);
    if (c == ' ' || c == '\t')
        return fail(head, "white space within or behind a header's name"); /* §5.1 */
    return http_token_char(c) || fail(head, "a header's name is no token");
}

static bool take_value(struct http_head *head, char c)
{
    if (c == '\r')
        return go_to(head, LINE_LF);
    if (c == '\n')
        return fail(head, "a line ends without CR"); /* §2.2 allows to take it, and not to */
    return http_value_char(c) || fail(head, "a control character in a header");
}

/* One byte; false if it can't stand there. */
static bool take(struct http_head *head, char c)
{
    switch (head->state) {
    case BEFORE:
        if (c == '\r')
            return go_to(head, BEFORE_LF);
        return http_token_char(c) ? go_to(head, METHOD) : fail(head, "this is no request");
    case BEFORE_LF:
        return take_line_feed(head, c, BEFORE);
    case METHOD:
        if (c == ' ')
            return go_to(head, TARGET_START);
        return http_token_char(c) || fail(head, "this is no request");
    case TARGET_START:
        return http_target_char(c) ? go_to(head, TARGET) : fail(head, "there is no target");
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
