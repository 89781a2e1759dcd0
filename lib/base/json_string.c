/* json_string.c: decodes a JSON string. cJSON is not used for this: each call of its parser writes
 * a global variable (the place of the last error), which is a data race between threads. */
#include <string.h>

#include "base/digits.h"
#include "base/json_text.h"

/* Reads the four hexadecimal digits at `at`. */
static unsigned read_hex4(const char *at)
{
    unsigned code = 0;

    for (int i = 0; i < 4; i++)
        code = code << 4 | (unsigned)hexadecimal_digit(at[i]);
    return code;
}

static char *write_utf8(char *to, unsigned code)
{
    if (code < 0x80) {
        *to++ = (char)code;
        return to;
    }
    if (code < 0x800) {
        *to++ = (char)(0xc0 | code >> 6);
    } else {
        if (code < 0x10000) {
            *to++ = (char)(0xe0 | code >> 12);
        } else {
            *to++ = (char)(0xf0 | code >> 18);
            *to++ = (char)(0x80 | (code >> 12 & 0x3f));
        }
        *to++ = (char)(0x80 | (code >> 6 & 0x3f));
    }
    *to++ = (char)(0x80 | (code & 0x3f));
    return to;
}

/* Reads the escape sequence at *at and moves *at behind it. In a valid text the second half of a
 * surrogate pair directly follows the first (RFC 8259 §7). */
static unsigned read_escape(const char **at)
{
    static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    const char *escape = *at + 1;
    const char *letter;
    unsigned code;

    if (*escape != 'u') {
        *at = escape + 1;
        letter = strchr(letters, *escape);
        return (unsigned char)(letter != NULL ? meanings[letter - letters] : *escape);
    }
    code = read_hex4(escape + 1);
    *at = escape + 5;
    if (code < 0xd800 || code > 0xdbff)
        return code;
    *at += 6;
    return 0x10000 + ((code - 0xd800) << 10) + (read_hex4(escape + 7) - 0xdc00);
}

/* Copies the text and decodes its escapes; false if it contains U+0000. `to` has room, because no
 * escape is shorter than the UTF-8 that it stands for. */
static bool write_without_escapes(const char *at, const char *end, char *to)
{
    while (at < end) {
        unsigned code;

        if (*at != '\\') {
            *to++ = *at++;
            continue;
        }
        code = read_escape(&at);
        if (code == 0)
            return false;
        to = write_utf8(to, code);
    }
    *to = '\0';
    return true;
}

bool json_string(const ws_allocator *memory, struct json_slice value, char **text)
{
    *text = NULL;
    if (value.text == NULL || value.text[0] != '"')
        return true;
    if (memchr(value.text, '\\', value.length) == NULL) {
        *text = memory_copy_text(memory, value.text + 1, value.length - 2);
        return *text != NULL;
    }
    *text = memory_alloc(memory, value.length - 1);
    if (*text == NULL)
        return false;
    if (!write_without_escapes(value.text + 1, value.text + value.length - 1, *text)) {
        memory_free(memory, *text);
        *text = NULL;
    }
    return true;
}
