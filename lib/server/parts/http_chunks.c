/* http_chunks.c: checks that a chunked body follows RFC 9112 §7.1. */
#include "server/parts/http_chunks.h"

#include "base/http_text.h"

enum { SIZE_DIGITS = 16 }; /* readers would truncate a longer size differently */

enum {
    SIZE,
    EXTENSION_START, /* after blanks that follow the size */
    EXTENSION,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILERS
};

void http_chunks_begin(struct http_chunks *chunks)
{
    *chunks = (struct http_chunks){.state = SIZE};
}

static enum http_chunks_result fail(struct http_chunks *chunks, enum http_chunks_result result,
                                    const char *problem)
{
    chunks->problem = problem;
    return result;
}

static enum http_chunks_result go_to(struct http_chunks *chunks, int state)
{
    chunks->state = state;
    return HTTP_CHUNKS_MORE;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum http_chunks_result take_size(struct http_chunks *chunks, char c)
{
    int digit = hex_value(c);

    if (digit >= 0 && chunks->digits < SIZE_DIGITS) {
        chunks->digits++;
        chunks->size = chunks->size << 4 | (unsigned)digit;
        return HTTP_CHUNKS_MORE;
    }
    if (chunks->digits == 0 || digit >= 0)
        return fail(chunks, HTTP_CHUNKS_BAD, "a chunk's size is not a hexadecimal number");
    switch (c) {
    case '\r':
        return go_to(chunks, SIZE_LF);
    case ';':
        return go_to(chunks, EXTENSION);
    case ' ':
    case '\t':
        return go_to(chunks, EXTENSION_START);
    default:
        return fail(chunks, HTTP_CHUNKS_BAD, "a chunk's size is not a hexadecimal number");
    }
}

static enum http_chunks_result take_extension(struct http_chunks *chunks, char c)
{
    if (c == '\r')
        return go_to(chunks, SIZE_LF);
    return http_value_char(c)
               ? HTTP_CHUNKS_MORE
               : fail(chunks, HTTP_CHUNKS_BAD, "a control character in a chunk's extension");
}

/* A line with a chunk's size has ended. */
static enum http_chunks_result begin_data(struct http_chunks *chunks)
{
    chunks->digits = 0;
    if (chunks->size > HTTP_CHUNKS_DATA_LIMIT - chunks->total)
        return fail(chunks, HTTP_CHUNKS_TOO_MUCH_DATA, "the body is larger than 1 MiB");
    chunks->total += chunks->size;
    if (chunks->size > 0)
        return go_to(chunks, DATA);
    http_head_begin_trailers(&chunks->trailers);
    return go_to(chunks, TRAILERS);
}

static enum http_chunks_result take_trailer(struct http_chunks *chunks, char c)
{
    size_t used;

    switch (http_head_scan(&chunks->trailers, &c, 1, &used)) {
    case HTTP_SCAN_MORE:
        return HTTP_CHUNKS_MORE;
    case HTTP_SCAN_DONE:
        return HTTP_CHUNKS_DONE;
    default:
        return fail(chunks, HTTP_CHUNKS_BAD, chunks->trailers.problem);
    }
}

/* Takes one byte that is not data. */
static enum http_chunks_result take(struct http_chunks *chunks, char c)
{
    switch (chunks->state) {
    case SIZE:
        return take_size(chunks, c);
    case EXTENSION_START:
        if (c == ' ' || c == '\t')
            return HTTP_CHUNKS_MORE;
        return c == ';' ? go_to(chunks, EXTENSION)
                        : fail(chunks, HTTP_CHUNKS_BAD, "blanks after a chunk's size");
    case EXTENSION:
        return take_extension(chunks, c);
    case SIZE_LF:
        return c == '\n' ? begin_data(chunks)
                         : fail(chunks, HTTP_CHUNKS_BAD, "a CR without LF");
    case DATA_CR:
        return c == '\r' ? go_to(chunks, DATA_LF)
                         : fail(chunks, HTTP_CHUNKS_BAD, "a chunk is longer than its size");
    case DATA_LF:
        return c == '\n' ? go_to(chunks, SIZE)
                         : fail(chunks, HTTP_CHUNKS_BAD, "a CR without LF");
    default:
        return take_trailer(chunks, c);
    }
}

static bool is_extra(const struct http_chunks *chunks)
{
    return chunks->state == EXTENSION_START || chunks->state == EXTENSION ||
           chunks->state == TRAILERS;
}

/* Skips the chunk's data; returns how many bytes. */
static size_t skip_data(struct http_chunks *chunks, size_t length)
{
    size_t skipped = chunks->size < length ? (size_t)chunks->size : length;

    chunks->size -= skipped;
    if (chunks->size == 0)
        chunks->state = DATA_CR;
    return skipped;
}

enum http_chunks_result http_chunks_scan(struct http_chunks *chunks, const char *data,
                                         size_t length, size_t *used)
{
    enum http_chunks_result result = HTTP_CHUNKS_MORE;

    *used = 0;
    while (*used < length) {
        if (chunks->state == DATA) {
            *used += skip_data(chunks, length - *used);
            continue;
        }
        chunks->extra += is_extra(chunks);
        result = chunks->extra > HTTP_CHUNKS_EXTRA_LIMIT
                     ? fail(chunks, HTTP_CHUNKS_TOO_MUCH_EXTRA,
                            "the chunks' extensions and trailers are larger than 4 KiB")
                     : take(chunks, data[*used]);
        if (result == HTTP_CHUNKS_DONE)
            ++*used;
        if (result != HTTP_CHUNKS_MORE)
            return result;
        ++*used;
    }
    return result;
}
