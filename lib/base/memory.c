/* memory.c: calls to the host's allocator. */
#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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
    return memory->malloc(bytes, memory->user_data);
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
    return block == NULL ? memory_alloc(memory, bytes)
                         : memory->realloc(block, bytes, memory->user_data);
}

void memory_free(const ws_allocator *memory, void *block)
{
    if (block != NULL)
        memory->free(block, memory->user_data);
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
