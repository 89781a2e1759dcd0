/* memory.h: the host's allocator, as the library calls it.
 * Not here: pools and reference counts, which live with what they count. */
#ifndef WS_BASE_MEMORY_H
#define WS_BASE_MEMORY_H

#include <stddef.h>

#include <ws_manager/types.h>

/* Each may return NULL; `bytes` is never 0. */
void *memory_alloc(const ws_allocator *memory, size_t bytes);
void *memory_zalloc(const ws_allocator *memory, size_t bytes);
void *memory_realloc(const ws_allocator *memory, void *block, size_t bytes);

/* NULL does nothing. */
void memory_free(const ws_allocator *memory, void *block);

/* A NUL-terminated copy of `length` bytes. */
char *memory_copy_text(const ws_allocator *memory, const char *text, size_t length);

/* Room for one more element in an array of *capacity elements, `count` of them used: grows it
 * by half (at least to `first`). Returns the array, moved or not, or NULL with the old one
 * untouched. */
void *memory_grow(const ws_allocator *memory, void *array, size_t element_bytes, size_t count,
                  size_t first, size_t *capacity);

/* The allocator with which options are filled in by default. */
void memory_allocator_init(ws_allocator *memory);

#endif
