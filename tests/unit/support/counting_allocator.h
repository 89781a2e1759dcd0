/* counting_allocator.h: an allocator that counts the live memory, by the size of the blocks. For
 * one thread. Not here: memory that is not allocated through the library's allocator. */
#ifndef SUPPORT_COUNTING_ALLOCATOR_H
#define SUPPORT_COUNTING_ALLOCATOR_H

#include <stddef.h>

#include <ws_manager/types.h>

enum { BLOCK_STEP = 16, N_BLOCK_SIZES = 64 };

struct counting_allocator {
    ws_allocator allocator;
    size_t bytes;      /* live, in the sizes of malloc(): with its own 8 bytes a block */
    size_t most_bytes; /* the maximum of `bytes` since this was last set */
    /* `bytes` by the blocks' size in steps of BLOCK_STEP; the last are all larger blocks. */
    size_t bytes_by_size[N_BLOCK_SIZES];
};

void counting_allocator_init(struct counting_allocator *counting);

#endif
