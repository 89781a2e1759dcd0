/* fault_memory.c: the process's malloc(), calloc() and realloc(), one of whose calls fails. The
 * program's functions take precedence over glibc's for every library that it loads; glibc's are
 * available by another name. */
#include "faults/fault_memory.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);
void __libc_free(void *block);

static long left = NEVER_FAIL; /* requests before the one that fails */
static bool fails_after;
static bool failed;
static long n_blocks;

static bool refuse(void)
{
    if (failed && fails_after) {
        errno = ENOMEM;
        return true;
    }
    if (left == NEVER_FAIL || left-- > 0)
        return false;
    failed = true;
    errno = ENOMEM;
    return true;
}

static void *counted(void *block)
{
    n_blocks += block != NULL;
    return block;
}

void *malloc(size_t bytes)
{
    return refuse() ? NULL : counted(__libc_malloc(bytes));
}

void *calloc(size_t count, size_t bytes)
{
    return refuse() ? NULL : counted(__libc_calloc(count, bytes));
}

void *realloc(void *block, size_t bytes)
{
    if (refuse())
        return NULL;
    return block != NULL ? __libc_realloc(block, bytes) : counted(__libc_malloc(bytes));
}

void free(void *block)
{
    n_blocks -= block != NULL;
    __libc_free(block);
}

void fault_memory_fail(long n, bool after)
{
    left = n;
    fails_after = after;
    failed = false;
}

bool fault_memory_failed(void)
{
    return failed;
}

long fault_memory_blocks(void)
{
    return n_blocks;
}
