/* buffer.c: a growing run of bytes that is appended at one end and consumed at the other. */
#include "server/parts/buffer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SMALLEST_CAPACITY = 512, KEPT_CAPACITY = 4096 };

bool byte_buffer_reserve(struct byte_buffer *buffer, size_t more)
{
    size_t live = byte_buffer_length(buffer);
    size_t capacity = buffer->capacity > 0 ? buffer->capacity : SMALLEST_CAPACITY;
    char *data;

    if (more <= buffer->capacity - buffer->end)
        return true;
    if (more > SIZE_MAX / 2 - buffer->end)
        return false;
    /* Moving costs as much as the live bytes, so it waits until as many were consumed. */
    if (buffer->start > 0 && buffer->start >= live) {
        memmove(buffer->data, buffer->data + buffer->start, live);
        buffer->start = 0;
        buffer->end = live;
    }
    while (capacity < buffer->end + more)
        capacity *= 2;
    if (capacity == buffer->capacity)
        return true;
    data = realloc(buffer->data, capacity);
    if (data == NULL)
        return false;
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

bool byte_buffer_append(struct byte_buffer *buffer, const void *bytes, size_t length)
{
    if (length == 0)
        return true;
    if (!byte_buffer_reserve(buffer, length))
        return false;
    memcpy(buffer->data + buffer->end, bytes, length);
    buffer->end += length;
    return true;
}

void byte_buffer_consume(struct byte_buffer *buffer, size_t length)
{
    buffer->start += length;
    if (buffer->start == buffer->end)
        byte_buffer_reset(buffer);
}

void byte_buffer_reset(struct byte_buffer *buffer)
{
    if (buffer->capacity > KEPT_CAPACITY)
        byte_buffer_free(buffer);
    buffer->start = 0;
    buffer->end = 0;
}

void byte_buffer_trim(struct byte_buffer *buffer)
{
    if (byte_buffer_length(buffer) == 0)
        byte_buffer_free(buffer);
}

void byte_buffer_free(struct byte_buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct byte_buffer){0};
}
