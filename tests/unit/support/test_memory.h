/* test_memory.h: an allocator that counts live blocks, and fails where a test wants it to. It may
 * be used by several threads. */
#ifndef SUPPORT_TEST_MEMORY_H
#define SUPPORT_TEST_MEMORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <ws_manager/manager.h>

enum { NEVER_FAIL = -1 };

struct test_memory {
    ws_allocator allocator;
    _Atomic long n_blocks;   /* live */
    _Atomic long n_requests; /* calls of malloc and realloc since the last test_memory_fail() */
    _Atomic bool failed;     /* a request was refused since then */
    long fail_at;            /* number of the request that fails, from 0; NEVER_FAIL: none */
    bool fail_after;         /* all later requests fail too */
};

void test_memory_init(struct test_memory *memory);

/* Lets the n-th request from now on fail (0: the next), and with `after` all later ones. */
void test_memory_fail(struct test_memory *memory, long n, bool after);

#endif
