/* text.c: checks and conversions of short texts: UTF-8, numbers, percent-encoding, queries.
 * No JSON and no HTTP messages here. */
#include "text.h"

#include <string.h>

#include <ws_manager/types.h>

/* The length of the well-formed sequence at the start (Unicode, table 3-7), 0 if there is none.
 */
static size_t sequence_length(const unsigned char *bytes, size_t left)
{
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    size_t length;

    if (bytes[0] < 0x80)
        return 1;
    if (bytes[0] >= 0xC2 && bytes[0] <= 0xDF) {
        length = 2;
    } else if (bytes[0] >= 0xE0 && bytes[0] <= 0xEF) {
        length = 3;
        low = bytes[0] == 0xE0 ? 0xA0 : low;
        high = bytes[0] == 0xED ? 0x9F : high;
    } else if (bytes[0] >= 0xF0 && bytes[0] <= 0xF4) {
        length = 4;
        low = bytes[0] == 0xF0 ? 0x90 : low;
        high = bytes[0] == 0xF4 ? 0x8F : high;
    } else {
        return 0;
    }
    if (left < length || bytes[1] < low || bytes[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
    return length;
}

bool text_is_utf8(const char *text, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t at = 0;

    while (at < length) {
        size_t step = sequence_length(bytes + at, length - at);

        if (step == 0)
            return false;
        at += step;
    }
    return true;
}

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

/* The library's rule for names is the one rule. */
static bool fits_in_line(const char *character, size_t length)
{
    char name[5] = "";

    memcpy(name, character, length);
    return ws_name_is_valid(name) == 1;
}

void text_make_line(char *text)
{
    const char *at = text;
    size_t left = strlen(text);

    while (left > 0) {
        size_t step = sequence_length((const unsigned char *)at, left);

        if (step > 0 && fits_in_line(at, step)) {
            memmove(text, at, step);
            text += step;
        } else {
            *text++ = '?';
        }
        step = step > 0 ? step : 1;
        at += step;
        left -= step;
    }
    *text = '\0';
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

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return -1;
}

bool text_percent_decode(const char *text, size_t length, char *decoded, size_t size)
{
    size_t out = 0;

    for (size_t i = 0; i < length; i++) {
        char byte = text[i];

        if (byte == '%') {
            int high = length - i > 2 ? hex_digit(text[i + 1]) : -1;
            int low = length - i > 2 ? hex_digit(text[i + 2]) : -1;

            if (high < 0 || low < 0)
                return false;
            byte = (char)(high * 16 + low);
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
