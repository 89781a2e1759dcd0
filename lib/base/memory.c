/* memory.c: calls to the host's allocator. */
#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

#if WS_CHECKS
/* A signal handler on the same thread reads it. */
static _Thread_local volatile unsigned n_allocator_calls;
#endif

static inline void count_calls(int change)
{
#if WS_CHECKS
    n_allocator_calls += (unsigned)change;
#else
    (void)change;
#endif
}

bool memory_is_in_allocator(void)
{
#if WS_CHECKS
    return n_allocator_calls > 0;
#else
    return false;
#endif
}

static void *system_malloc(size_t bytes, void *user_data)
{
    (void)user_data;
    return malloc(bytes);
}

static void *system_realloc(void *block, size_t bytes, void *user_data)
{
    (void)user_data;
    return realloc(block, bytes);
}

static void system_free(void *block, void *user_data)
{
    (void)user_data;
    free(block);
}

void memory_allocator_init(ws_allocator *memory)
{
    *memory = (ws_allocator){
        .size = sizeof *memory,
        .malloc = system_malloc,
        .realloc = system_realloc,
        .free = system_free,
    };
}

void *memory_alloc(const ws_allocator *memory, size_t bytes)
{
    void *block;

    count_calls(1);
    block = memory->malloc(bytes, memory->user_data);
    count_calls(-1);
    return block;
}

void *memory_zalloc(const ws_allocator *memory, size_t bytes)
{
    void *block = memory_alloc(memory, bytes);

    if (block != NULL)
        memset(block, 0, bytes);
    return block;
}

void *memory_realloc(const ws_allocator *memory, void *block, size_t bytes)
{
    void *moved;

    if (block == NULL)
        return memory_alloc(memory, bytes);
    count_calls(1);
    moved = memory->realloc(block, bytes, memory->user_data);
    count_calls(-1);
    return moved;
}

void memory_free(const ws_allocator *memory, void *block)
{
    if (block == NULL)
        return;
    count_calls(1);
    memory->free(block, memory->user_data);
    count_calls(-1);
}

char *memory_copy_text(const ws_allocator *memory, const char *text, size_t length)
{
    char *copy = memory_alloc(memory, length + 1);

    if (copy != NULL) {
        memcpy(copy, text, length);
        copy[length] = '\0';
    }
    return copy;
}

void *memory_grow(const ws_allocator *memory, void *array, size_t element_bytes, size_t count,
                  size_t first, size_t *capacity)
{
    size_t wanted = *capacity + *capacity / 2;
    void *grown;

    if (count < *capacity)
        return array;
    if (wanted < first)
        wanted = first;
    if (wanted <= count)
        wanted = count + 1;
    if (wanted > SIZE_MAX / element_bytes)
        return NULL;
    grown = memory_realloc(memory, array, wanted * element_bytes);
    if (grown != NULL)
        *capacity = wanted;
    return grown;
}
