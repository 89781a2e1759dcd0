/* utf8.c: checking UTF-8 (RFC 3629), in pieces, and the names that are made of it. */
#include "base/utf8.h"

#include <string.h>

#include <ws_manager/types.h>

/* The first byte of a character says how many follow and, for some, narrows the second: no
 * overlong forms, no surrogates, nothing above U+10FFFF (RFC 3629 §4). */
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
        return true; /* `bytes` may be NULL, to which nothing may be added */
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
        /* Nearly all text is ASCII: eight bytes at a time. */
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

bool name_valid(const char *name, size_t length)
{
    if (length < 1 || length > WS_NAME_MAX || !utf8_valid(name, length))
        return false;
    for (size_t at = 0; at < length; at++) {
        unsigned char byte = (unsigned char)name[at];

        if (byte < 0x20 || byte == 0x7f)
            return false;
        if (byte == 0xc2 && (unsigned char)name[at + 1] < 0xa0)
            return false;
    }
    return true;
}

bool name_text_valid(const char *name)
{
    return name != NULL && name_valid(name, strnlen(name, WS_NAME_MAX + 1));
}
