/* http_query.c: reads the parameters of a request's query, and percent-encoding. */
#include "base/http_query.h"

#include <stdbool.h>
#include <string.h>

#include "base/digits.h"

/* Decodes one character and moves *at behind it; -1 if its percent-encoding is wrong. */
static int decode_next(const char **at, const char *end, bool is_query)
{
    int byte = (unsigned char)**at;
    size_t length = 1;

    if (byte == '%') {
        byte = percent_encoded_byte(*at, (size_t)(end - *at));
        length = 3;
    } else if (byte == '+' && is_query) {
        byte = ' ';
    }
    *at += byte >= 0 ? length : 0;
    return byte;
}

static ptrdiff_t decode(const char *from, const char *end, bool is_query, char *to, size_t size)
{
    size_t length = 0;

    while (from < end) {
        int byte = decode_next(&from, end, is_query);

        if (byte < 0 || length + 1 >= size)
            return HTTP_QUERY_INVALID;
        to[length++] = (char)byte;
    }
    to[length] = '\0';
    return (ptrdiff_t)length;
}

static bool is_name(const char *from, const char *end, const char *name)
{
    while (from < end && *name != '\0')
        if (decode_next(&from, end, true) != (unsigned char)*name++)
            return false;
    return from == end && *name == '\0';
}

ptrdiff_t http_query_next(const char **query, const char *name, char *to, size_t size)
{
    while (**query != '\0') {
        const char *from = *query;
        const char *end = from + strcspn(from, "&");
        const char *equals = memchr(from, '=', (size_t)(end - from));
        const char *name_end = equals != NULL ? equals : end;

        *query = end + (*end == '&');
        if (is_name(from, name_end, name))
            return decode(equals != NULL ? equals + 1 : end, end, true, to, size);
    }
    return HTTP_QUERY_ABSENT;
}

ptrdiff_t http_path_decode(const char *path, size_t length, char *to, size_t size)
{
    return decode(path, path + length, false, to, size);
}
