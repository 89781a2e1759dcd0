/* utf8.c: validates UTF-8 (RFC 3629) piece by piece, and the names and log lines made of it. */
#include "base/utf8.h"

#include <string.h>

#include <ws_manager/types.h>

/* The first byte of a character determines how many bytes follow. For some first bytes it also
 * restricts the second byte, which excludes overlong forms, surrogates and values above U+10FFFF
 * (RFC 3629 §4). */
static bool start_character(struct utf8_state *state, uint8_t byte)
{
    state->low = 0x80;
    state->high = 0xbf;
    if (byte >= 0xc2 && byte <= 0xdf) {
        state->more = 1;
    } else if (byte >= 0xe0 && byte <= 0xef) {
        state->more = 2;
        if (byte == 0xe0)
            state->low = 0xa0;
        else if (byte == 0xed)
            state->high = 0x9f;
    } else if (byte >= 0xf0 && byte <= 0xf4) {
        state->more = 3;
        if (byte == 0xf0)
            state->low = 0x90;
        else if (byte == 0xf4)
            state->high = 0x8f;
    } else {
        return false;
    }
    return true;
}

bool utf8_feed(struct utf8_state *state, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    const uint8_t *end;

    if (length == 0)
        return true; /* `bytes` may be NULL, and arithmetic on NULL is undefined */
    end = at + length;
    while (at < end) {
        if (state->more > 0) {
            if (*at < state->low || *at > state->high)
                return false;
            state->low = 0x80;
            state->high = 0xbf;
            state->more--;
            at++;
            continue;
        }
        /* Nearly all text is ASCII, which is checked eight bytes at a time. */
        while (end - at >= 8) {
            uint64_t word;

            memcpy(&word, at, 8);
            if (word & UINT64_C(0x8080808080808080))
                break;
            at += 8;
        }
        while (at < end && *at < 0x80)
            at++;
        if (at < end && !start_character(state, *at++))
            return false;
    }
    return true;
}

bool utf8_valid(const void *bytes, size_t length)
{
    struct utf8_state state = {0};

    return utf8_feed(&state, bytes, length) && utf8_complete(&state);
}

/* --- names and lines ------------------------------------------------------------------------- */

/* The length in bytes of the first character; 0 if it is not UTF-8 or is cut off. */
static size_t character_length(const unsigned char *at, size_t left)
{
    struct utf8_state state = {0};
    size_t length = 0;

    do {
        if (length == left || !utf8_feed(&state, at + length, 1))
            return 0;
        length++;
    } while (!utf8_complete(&state));
    return length;
}

/* True if a character may occur in a line of text for people. Not allowed are characters that end
 * the line or are invisible (C0, DEL, C1, U+2028, U+2029), and characters that reorder the text
 * behind them (U+202A to U+202E, U+2066 to U+2069), because they can make one name look like
 * another. */
static bool fits_in_line(const unsigned char *at, size_t length)
{
    if (length == 1)
        return *at >= 0x20 && *at != 0x7f;
    if (length == 2)
        return at[0] != 0xc2 || at[1] >= 0xa0;
    if (length != 3 || at[0] != 0xe2)
        return true;
    return !(at[1] == 0x80 && at[2] >= 0xa8 && at[2] <= 0xae) &&
           !(at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9);
}

bool name_valid(const char *name, size_t length)
{
    const unsigned char *at = (const unsigned char *)name;
    const unsigned char *end = at + length;

    if (length < 1 || length > WS_NAME_MAX)
        return false;
    while (at < end) {
        /* Nearly all names are ASCII. */
        size_t step = *at < 0x80 ? 1 : character_length(at, (size_t)(end - at));

        if (step == 0 || !fits_in_line(at, step))
            return false;
        at += step;
    }
    return true;
}

bool name_text_valid(const char *name)
{
    return name != NULL && name_valid(name, strnlen(name, WS_NAME_MAX + 1));
}

void utf8_make_line(char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    const unsigned char *end = at + strlen(text);

    while (at < end) {
        size_t step = character_length(at, (size_t)(end - at));

        if (step > 0 && fits_in_line(at, step)) {
            memmove(text, at, step);
            text += step;
        } else {
            *text++ = '?';
        }
        at += step > 0 ? step : 1;
    }
    *text = '\0';
}
