/* buffer.c: a growing text buffer that records a failed allocation and reports it at the end. */
#include "base/buffer.h"

#include <assert.h>
#include <string.h>

#include <ws_manager/error.h>

#include "base/digits.h"

void buffer_init(struct buffer *buffer, const ws_allocator *memory)
{
    *buffer = (struct buffer){.memory = memory};
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the buffer writes to `bytes`. */
void buffer_init_with(struct buffer *buffer, const ws_allocator *memory, char *bytes,
                      size_t size)
{
    *buffer =
        (struct buffer){.memory = memory, .data = bytes, .capacity = size, .is_borrowed = true};
}

void buffer_free(struct buffer *buffer)
{
    if (!buffer->is_borrowed)
        memory_free(buffer->memory, buffer->data);
    buffer_init(buffer, buffer->memory);
}

static bool reserve(struct buffer *buffer, size_t more)
{
    size_t capacity = buffer->capacity < 64 ? 64 : buffer->capacity;
    char *data;

    if (buffer->failed || more > SIZE_MAX / 4 - buffer->length) {
        buffer->failed = true;
        return false;
    }
    if (buffer->length + more <= buffer->capacity)
        return true;
    while (capacity < buffer->length + more)
        capacity *= 2;
    data = memory_realloc(buffer->memory, buffer->is_borrowed ? NULL : buffer->data, capacity);
    if (data == NULL) {
        buffer->failed = true;
        return false;
    }
    if (buffer->is_borrowed)
        memcpy(data, buffer->data, buffer->length);
    buffer->is_borrowed = false;
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

void buffer_add(struct buffer *buffer, const void *bytes, size_t length)
{
    if (length > 0 && reserve(buffer, length)) {
        memcpy(buffer->data + buffer->length, bytes, length);
        buffer->length += length;
    }
}

void buffer_add_text(struct buffer *buffer, const char *text)
{
    buffer_add(buffer, text, strlen(text));
}

void buffer_add_number(struct buffer *buffer, uint64_t number)
{
    char digits[DECIMAL_MAX];
    char *end = digits + sizeof digits;
    const char *first = decimal_before(end, number);

    buffer_add(buffer, first, (size_t)(end - first));
}

void buffer_remove(struct buffer *buffer, size_t at, size_t length)
{
    assert(at + length <= buffer->length);
    buffer->length -= length;
    memmove(buffer->data + at, buffer->data + at + length, buffer->length - at);
}

static void add_escaped(struct buffer *buffer, unsigned char byte)
{
    static const char hex[] = "0123456789abcdef";
    const char escape[6] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]};

    switch (byte) {
    case '"':
        buffer_add(buffer, "\\\"", 2);
        break;
    case '\\':
        buffer_add(buffer, "\\\\", 2);
        break;
    case '\n':
        buffer_add(buffer, "\\n", 2);
        break;
    default:
        buffer_add(buffer, escape, sizeof escape);
        break;
    }
}

void buffer_add_json_string(struct buffer *buffer, const char *text, size_t length)
{
    size_t plain = 0;

    buffer_add(buffer, "\"", 1);
    for (size_t at = 0; at < length; at++) {
        unsigned char byte = (unsigned char)text[at];

        if (byte >= 0x20 && byte != '"' && byte != '\\')
            continue;
        buffer_add(buffer, text + plain, at - plain);
        add_escaped(buffer, byte);
        plain = at + 1;
    }
    buffer_add(buffer, text + plain, length - plain);
    buffer_add(buffer, "\"", 1);
}

void buffer_add_json_string_or_null(struct buffer *buffer, const char *text)
{
    if (text != NULL)
        buffer_add_json_string(buffer, text, strlen(text));
    else
        buffer_add_text(buffer, "null");
}

char *buffer_take(struct buffer *buffer, size_t *length)
{
    char *data;

    assert(!buffer->is_borrowed);
    buffer_add(buffer, "", 1);
    if (buffer->failed) {
        buffer_free(buffer);
        return NULL;
    }
    data = buffer->data;
    if (length != NULL)
        *length = buffer->length - 1;
    buffer_init(buffer, buffer->memory);
    return data;
}

int buffer_finish(struct buffer *buffer, char **text, size_t *length)
{
    *text = buffer_take(buffer, length);
    return *text != NULL ? WS_OK : WS_ERR_NO_MEMORY;
}
