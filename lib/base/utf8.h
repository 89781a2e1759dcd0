/* utf8.h: validates UTF-8 (RFC 3629) piece by piece, and the names and log lines made of it. */
#ifndef WS_BASE_UTF8_H
#define WS_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The state of a validation between two pieces; starts as {0}. */
struct utf8_state {
    uint8_t more; /* continuation bytes still to come */
    uint8_t low;  /* the next one must be at least `low` and at most `high` */
    uint8_t high;
};

/* Checks the next piece; false as soon as the text can no longer become valid. */
bool utf8_feed(struct utf8_state *state, const void *bytes, size_t length);

/* True if the text does not end within a character. */
static inline bool utf8_complete(const struct utf8_state *state)
{
    return state->more == 0;
}

bool utf8_valid(const void *bytes, size_t length);

/* True for 1 to WS_NAME_MAX bytes of UTF-8 with only the characters that a name may have
 * (types.h). */
bool name_valid(const char *name, size_t length);

/* name_valid() for a NUL-terminated text. False for NULL. */
bool name_text_valid(const char *name);

/* Makes a NUL-terminated text safe for a line of a log: replaces each character that a name may not
 * contain (types.h), and each byte that is not UTF-8, by '?'. The text does not get longer. */
void utf8_make_line(char *text);

#endif
