/* text.c: checks and conversions of short texts: characters, numbers, percent-encoding, queries.
 * UTF-8 is checked by lib/base/utf8.h. */
#include "text.h"

#include <string.h>

#include "base/digits.h"

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
    size_t out = 0;

    for (size_t i = 0; i < length; i++) {
        char byte = text[i];

        if (byte == '%') {
            int encoded = percent_encoded_byte(text + i, length - i);

            if (encoded < 0)
                return false;
            byte = (char)encoded;
            i += 2;
        }
        if (byte == '\0' || out + 1 >= size)
            return false;
        decoded[out++] = byte;
    }
    if (size == 0)
        return false;
    decoded[out] = '\0';
    return true;
}

enum text_parameter text_query_parameter(const char *query, const char *name, char *value,
                                         size_t size)
{
    size_t name_length = strlen(name);

    while (*query != '\0') {
        size_t length = strcspn(query, "&");

        if (length > name_length && query[name_length] == '=' &&
            strncmp(query, name, name_length) == 0)
            return text_percent_decode(query + name_length + 1, length - name_length - 1, value,
                                       size)
                       ? TEXT_PARAMETER_FOUND
                       : TEXT_PARAMETER_BAD;
        query += length;
        query += *query == '&' ? 1 : 0;
    }
    return TEXT_PARAMETER_ABSENT;
}
