/* buffer.h: a growing text buffer that records a failed allocation and reports it at the end, so
 * that callers need no check after each addition. Not here: the texts that are built with it. */
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
    bool failed;      /* an allocation failed: the content must not be used */
    bool is_borrowed; /* `data` is the memory of buffer_init_with() */
};

void buffer_init(struct buffer *buffer, const ws_allocator *memory);
void buffer_free(struct buffer *buffer);

/* Like buffer_init(), but allocates nothing while the text fits in these `size` bytes of the
 * caller, which must live as long as the buffer. buffer_take() must not be called. */
void buffer_init_with(struct buffer *buffer, const ws_allocator *memory, char *bytes,
                      size_t size);

/* After a failed allocation these do nothing. */
void buffer_add(struct buffer *buffer, const void *bytes, size_t length);
void buffer_add_text(struct buffer *buffer, const char *text);
void buffer_add_number(struct buffer *buffer, uint64_t number);

/* Removes bytes that are in the buffer. */
void buffer_remove(struct buffer *buffer, size_t at, size_t length);

/* Adds a JSON string with its quotes. `text` must be UTF-8. */
void buffer_add_json_string(struct buffer *buffer, const char *text, size_t length);

/* Adds a JSON string with its quotes, or null if `text` is NULL. */
void buffer_add_json_string_or_null(struct buffer *buffer, const char *text);

/* Returns the NUL-terminated content, which the caller frees with memory_free(); NULL if an
 * allocation failed. *length excludes the NUL; `length` may be NULL. The buffer is empty
 * afterwards. */
char *buffer_take(struct buffer *buffer, size_t *length);

/* buffer_take() into *text; WS_OK or WS_ERR_NO_MEMORY. */
int buffer_finish(struct buffer *buffer, char **text, size_t *length);

#endif
