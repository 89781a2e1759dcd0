/* utf8.h: checking UTF-8 (RFC 3629), in pieces, and the names and lines that are made of it. */
#ifndef WS_BASE_UTF8_H
#define WS_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a check stands between two pieces: starts as {0}. */
struct utf8_state {
    uint8_t more; /* continuation bytes still to come */
    uint8_t low;  /* the next one must lie between low and high */
    uint8_t high;
};

/* Checks the next piece; false as soon as no continuation could make it valid. */
bool utf8_feed(struct utf8_state *state, const void *bytes, size_t length);

/* True when no character is unfinished. */
static inline bool utf8_complete(const struct utf8_state *state)
{
    return state->more == 0;
}

bool utf8_valid(const void *bytes, size_t length);

/* 1 to WS_NAME_MAX bytes of UTF-8, in which each character may stand in a line (types.h). */
bool name_valid(const char *name, size_t length);

/* name_valid() for a NUL-terminated text that may be NULL or too long. */
bool name_text_valid(const char *name);

/* Makes a NUL-terminated text fit for a line of a log: a '?' takes the place of each character that
 * has no place in a name (types.h), and of each byte that is not UTF-8. It gets no longer. */
void utf8_make_line(char *text);

#endif
