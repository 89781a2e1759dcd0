/* forks.c: counts fork() calls, in the child that each of them creates. */
#include "base/forks.h"

#include <pthread.h>
#include <stdatomic.h>

static _Atomic unsigned count;
static _Atomic bool is_watching;

static void count_in_child(void)
{
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
}

/* If two threads call this at the same time, the handler may be registered twice and each fork()
 * counts as two. That is harmless: counts are only compared for equality. */
bool forks_watch(void)
{
    if (atomic_load(&is_watching))
        return true;
    if (pthread_atfork(NULL, NULL, count_in_child) != 0)
        return false;
    atomic_store(&is_watching, true);
    return true;
}

unsigned forks_count(void)
{
    return atomic_load_explicit(&count, memory_order_relaxed);
}
