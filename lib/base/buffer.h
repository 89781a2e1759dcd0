/* buffer.h: a growing text buffer that remembers a failed allocation until the end.
 * Not here: what is written into it. */
#ifndef WS_BASE_BUFFER_H
#define WS_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

struct buffer {
    const ws_allocator *memory;
    char *data;
    size_t length;
    size_t capacity;
    bool failed; /* an allocation failed: the content is not to be used */
};

void buffer_init(struct buffer *buffer, const ws_allocator *memory);
void buffer_free(struct buffer *buffer);

void buffer_add(struct buffer *buffer, const void *bytes, size_t length);
void buffer_add_text(struct buffer *buffer, const char *text);
void buffer_add_number(struct buffer *buffer, uint64_t number);

/* A JSON string with its quotes; `text` is UTF-8. */
void buffer_add_json_string(struct buffer *buffer, const char *text, size_t length);

/* A JSON string, or null for NULL. */
void buffer_add_json_string_or_null(struct buffer *buffer, const char *text);

/* Hands the NUL-terminated content to the caller, who frees it; NULL if anything failed. The
 * buffer is empty afterwards. */
char *buffer_take(struct buffer *buffer, size_t *length);

#endif
