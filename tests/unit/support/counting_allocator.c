/* counting_allocator.c: an allocator that counts the live memory, by the size of the blocks. Not
 * here: memory that is not allocated through the library's allocator. */
#include "support/counting_allocator.h"

#include <malloc.h>
#include <stdlib.h>

/* The C library knows the size of each block, so nothing need be kept with it. Sanitizers return
 * blocks of exactly the requested size: these are counted as the C library would. */
static size_t block_size(void *block)
{
    size_t step = 2 * sizeof(size_t);
    size_t size;

    if (block == NULL)
        return 0;
    size = (malloc_usable_size(block) + sizeof(size_t) + step - 1) / step * step;
    return size > 2 * step ? size : 2 * step;
}

static size_t *by_size(struct counting_allocator *counting, size_t size)
{
    size_t step = size / BLOCK_STEP;

    return &counting->bytes_by_size[step < N_BLOCK_SIZES ? step : N_BLOCK_SIZES - 1];
}

static void came(struct counting_allocator *counting, void *block)
{
    size_t size = block_size(block);

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

static void *counted_malloc(size_t bytes, void *user_data)
{
    void *block = malloc(bytes);

    came(user_data, block);
    return block;
}

static void *counted_realloc(void *memory, size_t bytes, void *user_data)
{
    size_t before = block_size(memory);
    void *block = realloc(memory, bytes);

    if (block != NULL) {
        goes(user_data, before);
        came(user_data, block);
    }
    return block;
}

static void counted_free(void *memory, void *user_data)
{
    goes(user_data, block_size(memory));
    free(memory);
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
