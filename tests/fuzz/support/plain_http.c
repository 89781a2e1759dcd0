/* plain_http.c: where a request ends and what its body is, for a lenient reader. */
#include "fuzz/support/plain_http.h"

#include <stdlib.h>
#include <string.h>

#include <check.h>

static size_t behind(const char *bytes, size_t length, size_t from, const char *text)
{
    const char *at = memmem(bytes + from, length - from, text, strlen(text));

    ck_assert_ptr_nonnull(at);
    return (size_t)(at - bytes) + strlen(text);
}

static void add(struct plain_request *request, const char *bytes, size_t length, size_t at,
                size_t more)
{
    ck_assert_uint_le(more, length - at);
    memcpy(request->body + request->length, bytes + at, more);
    request->length += more;
}

static size_t read_chunks(struct plain_request *request, const char *bytes, size_t length)
{
    size_t at = request->head_end;

    for (;;) {
        size_t size = (size_t)strtoull(bytes + at, NULL, 16);

        at = behind(bytes, length, at, "\r\n");
        if (size == 0)
            break;
        add(request, bytes, length, at, size);
        at = behind(bytes, length, at + size, "\r\n");
    }
    /* Trailers end like a head, and there may be none. */
    return behind(bytes, length, at - 2, "\r\n\r\n");
}

void plain_request_read(struct plain_request *request, const char *bytes, size_t length,
                        bool is_chunked, size_t content_length)
{
    *request = (struct plain_request){.body = malloc(length + 1)};
    ck_assert_ptr_nonnull(request->body);
    while (length - request->start >= 2 && memcmp(bytes + request->start, "\r\n", 2) == 0)
        request->start += 2;
    request->head_end = behind(bytes, length, request->start, "\r\n\r\n");
    if (is_chunked) {
        request->end = read_chunks(request, bytes, length);
    } else {
        add(request, bytes, length, request->head_end, content_length);
        request->end = request->head_end + content_length;
    }
}

static void copy(char *to, const char *from, size_t length, size_t size)
{
    ck_assert_uint_lt(length, size);
    memcpy(to, from, length);
    to[length] = '\0';
}

bool plain_request_field(const struct plain_request *request, const char *bytes, size_t n,
                         char *name, char *value, size_t size)
{
    size_t at = behind(bytes, request->head_end, request->start, "\r\n");
    size_t end = behind(bytes, request->head_end, at, "\r\n");
    size_t colon;

    for (; n > 0 && end < request->head_end; n--) {
        at = end;
        end = behind(bytes, request->head_end, at, "\r\n");
    }
    if (end - at == 2)
        return false;
    colon = behind(bytes, end, at, ":");
    copy(name, bytes + at, colon - 1 - at, size);
    end -= 2;
    while (colon < end && strchr(" \t", bytes[colon]) != NULL)
        colon++;
    while (end > colon && strchr(" \t", bytes[end - 1]) != NULL)
        end--;
    copy(value, bytes + colon, end - colon, size);
    return true;
}
