/* query.c: reads one parameter from the query of a request target. */
#include "transport/websocket/query.h"

#include <string.h>

#include "base/digits.h"

static ptrdiff_t decode(const char *from, size_t length, char *to)
{
    const char *end = from + length;
    char *start = to;

    while (from < end) {
        if (*from == '%') {
            int byte = percent_encoded_byte(from, (size_t)(end - from));

            if (byte < 0)
                return QUERY_BAD_ENCODING;
            *to++ = (char)byte;
            from += 3;
        } else {
            *to++ = (char)(*from == '+' ? ' ' : *from);
            from++;
        }
    }
    *to = '\0';
    return to - start;
}

ptrdiff_t query_parameter(const char *query, const char *name, char *to)
{
    while (*query != '\0') {
        size_t pair = strcspn(query, "&");
        const char *equals = memchr(query, '=', pair);
        size_t name_length = equals != NULL ? (size_t)(equals - query) : pair;
        ptrdiff_t decoded = decode(query, name_length, to);

        if (decoded >= 0 && (size_t)decoded == strlen(name) &&
            memcmp(to, name, (size_t)decoded) == 0)
            return equals != NULL ? decode(equals + 1, pair - name_length - 1, to)
                                  : decode(query, 0, to);
        query += pair;
        query += *query == '&';
    }
    return QUERY_ABSENT;
}
