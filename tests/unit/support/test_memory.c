/* test_memory.c: an allocator that counts live blocks, and fails where a test wants it to. */
#include "support/test_memory.h"

#include <stdlib.h>

static bool refuse(struct test_memory *memory)
{
    long request = atomic_fetch_add(&memory->n_requests, 1);

    if (memory->fail_at == NEVER_FAIL || request < memory->fail_at ||
        (request > memory->fail_at && !memory->fail_after))
        return false;
    atomic_store(&memory->failed, true);
    return true;
}

static void *test_malloc(size_t bytes, void *user_data)
{
    struct test_memory *memory = user_data;
    void *block = refuse(memory) ? NULL : malloc(bytes);

    if (block != NULL)
        atomic_fetch_add(&memory->n_blocks, 1);
    return block;
}

static void *test_realloc(void *block, size_t bytes, void *user_data)
{
    struct test_memory *memory = user_data;

    return refuse(memory) ? NULL : realloc(block, bytes);
}

static void test_free(void *block, void *user_data)
{
    struct test_memory *memory = user_data;

    atomic_fetch_sub(&memory->n_blocks, 1);
    free(block);
}

void test_memory_init(struct test_memory *memory)
{
    *memory = (struct test_memory){
        .allocator = {.size = sizeof memory->allocator,
                      .malloc = test_malloc,
                      .realloc = test_realloc,
                      .free = test_free,
                      .user_data = memory},
        .fail_at = NEVER_FAIL,
    };
}

void test_memory_fail(struct test_memory *memory, long n, bool after)
{
    memory->fail_at = n;
    memory->fail_after = after;
    atomic_store(&memory->n_requests, 0);
    atomic_store(&memory->failed, false);
}
