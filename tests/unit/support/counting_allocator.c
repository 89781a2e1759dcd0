/* counting_allocator.c: an allocator that counts the live memory, by the size of the blocks. Not
 * here: memory that is not allocated through the library's allocator. */
#include "support/counting_allocator.h"

#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Before each block is its size. malloc_usable_size() would not do: malloc() splits off at least
 * 32 bytes, so a block that takes the place of a slightly larger one is larger than others of the
 * same size, and what a test measures would depend on all that was allocated before. */
struct counted {
    alignas(max_align_t) size_t size;
};

/* As the C library would allocate it: with its own 8 bytes, in steps of 16, and at least 32. */
static size_t size_of(size_t bytes)
{
    size_t step = 2 * sizeof(size_t);
    size_t size = (bytes + sizeof(size_t) + step - 1) / step * step;

    return size > 2 * step ? size : 2 * step;
}

static size_t *by_size(struct counting_allocator *counting, size_t size)
{
    size_t step = size / BLOCK_STEP;

    return &counting->bytes_by_size[step < N_BLOCK_SIZES ? step : N_BLOCK_SIZES - 1];
}

static void came(struct counting_allocator *counting, size_t size)
{
    counting->bytes += size;
    if (counting->bytes > counting->most_bytes)
        counting->most_bytes = counting->bytes;
    *by_size(counting, size) += size;
}

static void goes(struct counting_allocator *counting, size_t size)
{
    counting->bytes -= size;
    *by_size(counting, size) -= size;
}

static void *counted_realloc(void *memory, size_t bytes, void *user_data)
{
    struct counted *before = memory != NULL ? (struct counted *)memory - 1 : NULL;
    size_t size_before = before != NULL ? before->size : 0;
    struct counted *block =
        bytes <= SIZE_MAX / 2 ? realloc(before, sizeof *block + bytes) : NULL;

    if (block == NULL)
        return NULL;
    if (before != NULL)
        goes(user_data, size_before);
    block->size = size_of(bytes);
    came(user_data, block->size);
    return block + 1;
}

static void *counted_malloc(size_t bytes, void *user_data)
{
    return counted_realloc(NULL, bytes, user_data);
}

static void counted_free(void *memory, void *user_data)
{
    struct counted *block = memory != NULL ? (struct counted *)memory - 1 : NULL;

    if (block == NULL)
        return;
    goes(user_data, block->size);
    free(block);
}

void counting_allocator_init(struct counting_allocator *counting)
{
    *counting = (struct counting_allocator){
        .allocator = {.size = sizeof counting->allocator,
                      .malloc = counted_malloc,
                      .realloc = counted_realloc,
                      .free = counted_free,
                      .user_data = counting},
    };
}
