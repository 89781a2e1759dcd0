/* base64.c: strict base64 with padding (RFC 4648 §4). OpenSSL's decoder is not used: it skips
 * white space and does not say how many bytes the padding stands for. */
#include "base/base64.h"

#include <string.h>

/* The value of a character; 64 if it is not of the alphabet. */
static unsigned value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (unsigned)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (unsigned)(c - 'a') + 26;
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0') + 52;
    return c == '+' ? 62 : c == '/' ? 63 : 64;
}

/* Decodes four characters, of which the last n_padding are '='. */
static bool decode_four(const char *text, size_t n_padding, uint8_t *to)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < 4; i++) {
        unsigned value = i < 4 - n_padding ? value_of(text[i]) : 0;

        if (value == 64)
            return false;
        bits = bits << 6 | value;
    }
    if ((n_padding == 1 && (bits & 0xff) != 0) || (n_padding == 2 && (bits & 0xffff) != 0))
        return false;
    for (size_t i = 0; i < 3 - n_padding; i++)
        to[i] = (uint8_t)(bits >> (16 - 8 * i));
    return true;
}

bool base64_decode(const char *text, size_t length, uint8_t *to, size_t *n)
{
    const uint8_t *begin = to;

    if (length % 4 != 0)
        return false;
    for (; length > 0; text += 4, length -= 4) {
        size_t n_padding = 0;

        if (length == 4 && text[3] == '=')
            n_padding = text[2] == '=' ? 2 : 1;
        if (!decode_four(text, n_padding, to))
            return false;
        to += 3 - n_padding;
    }
    *n = (size_t)(to - begin);
    return true;
}

void base64_add(struct buffer *buffer, const void *bytes, size_t length)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *from = bytes;

    while (length > 0) {
        size_t n = length < 3 ? length : 3;
        uint32_t bits = (uint32_t)from[0] << 16 | (n > 1 ? (uint32_t)from[1] << 8 : 0) |
                        (n > 2 ? from[2] : 0);
        char four[4] = {alphabet[bits >> 18], alphabet[bits >> 12 & 63],
                        alphabet[bits >> 6 & 63], alphabet[bits & 63]};

        if (n < 3)
            memset(four + 1 + n, '=', 3 - n);
        buffer_add(buffer, four, sizeof four);
        from += n;
        length -= n;
    }
}
