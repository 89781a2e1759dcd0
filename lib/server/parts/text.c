/* text.c: checks and conversions of short texts: characters, numbers, percent-encoding, queries.
 * UTF-8 is checked by lib/base/utf8.h. */
#include "server/parts/text.h"

#include <string.h>

#include "base/http_query.h"

size_t text_character_count(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text++)
        if (((unsigned char)*text & 0xC0) != 0x80)
            count++;
    return count;
}

bool text_has_control(const char *text, bool allow_lines)
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;

        if (allow_lines && (byte == '\n' || byte == '\t'))
            continue;
        if (byte < 0x20 || byte == 0x7F)
            return true;
        if (byte == 0xC2 && (unsigned char)text[1] < 0xA0)
            return true;
    }
    return false;
}

bool text_parse_number(const char *text, int64_t min, int64_t max, int64_t *value)
{
    int64_t number = 0;

    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        int digit = *text - '0';

        if (digit < 0 || digit > 9 || number > (INT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    if (number < min || number > max)
        return false;
    *value = number;
    return true;
}

bool text_percent_decode(const char *text, size_t length, char *decoded, size_t size)
{
    ptrdiff_t decoded_length = http_path_decode(text, length, decoded, size);

    return decoded_length >= 0 && strlen(decoded) == (size_t)decoded_length;
}

enum text_parameter text_next_parameter(const char **query, const char *name, char *value,
                                        size_t size)
{
    ptrdiff_t length = http_query_next(query, name, value, size);

    if (length == HTTP_QUERY_ABSENT)
        return TEXT_PARAMETER_ABSENT;
    return length >= 0 && strlen(value) == (size_t)length ? TEXT_PARAMETER_FOUND
                                                          : TEXT_PARAMETER_BAD;
}
