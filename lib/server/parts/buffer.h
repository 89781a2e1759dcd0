/* buffer.h: a growing run of bytes that is appended at one end and consumed at the other.
 * lib/base/buffer.h is for texts, which only grow and are handed over as a whole. */
#ifndef WS_SERVER_BUFFER_H
#define WS_SERVER_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/* All zero is an empty buffer. The live bytes are data[start] to data[end - 1]. */
struct byte_buffer {
    char *data;
    size_t start;
    size_t end;
    size_t capacity;
};

/* Makes room for `more` bytes, so that appending them cannot fail and moves nothing. */
bool byte_buffer_reserve(struct byte_buffer *buffer, size_t more);

/* Appends `length` bytes. False when memory is short; the buffer is then unchanged. */
bool byte_buffer_append(struct byte_buffer *buffer, const void *bytes, size_t length);

/* Drops the first `length` live bytes. An empty buffer frees its memory if that is large. */
void byte_buffer_consume(struct byte_buffer *buffer, size_t length);

/* Forgets the content but keeps a small allocation for the next use. */
void byte_buffer_reset(struct byte_buffer *buffer);

/* Frees the memory of an empty buffer. */
void byte_buffer_trim(struct byte_buffer *buffer);

void byte_buffer_free(struct byte_buffer *buffer);

static inline size_t byte_buffer_length(const struct byte_buffer *buffer)
{
    return buffer->end - buffer->start;
}

static inline char *byte_buffer_bytes(const struct byte_buffer *buffer)
{
    return buffer->data + buffer->start;
}

#endif
