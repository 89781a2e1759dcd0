/* memory.h: calls to the host's allocator.
 * Not here: pools and reference counts, which are kept by the modules that need them. */
#ifndef WS_BASE_MEMORY_H
#define WS_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include <ws_manager/types.h>

/* Each returns NULL if memory ran out. `bytes` must not be 0. */
void *memory_alloc(const ws_allocator *memory, size_t bytes);
void *memory_zalloc(const ws_allocator *memory, size_t bytes);
void *memory_realloc(const ws_allocator *memory, void *block, size_t bytes);

/* In builds with checks: whether this thread is within the allocator, which a signal may have
 * interrupted. Other builds: false. */
bool memory_is_in_allocator(void);

/* Does nothing for NULL. */
void memory_free(const ws_allocator *memory, void *block);

/* Returns a NUL-terminated copy of `length` bytes; NULL if memory ran out. */
char *memory_copy_text(const ws_allocator *memory, const char *text, size_t length);

/* Makes room for one more element in an array of *capacity elements, of which `count` are used. A
 * full array grows by half, to at least `first` elements. Returns the array, which may have moved;
 * NULL if memory ran out, and then the array is unchanged. */
void *memory_grow(const ws_allocator *memory, void *array, size_t element_bytes, size_t count,
                  size_t first, size_t *capacity);

/* Sets up the default allocator: malloc(), realloc() and free(). */
void memory_allocator_init(ws_allocator *memory);

#endif
