/* forks.c: counting, in a child, the fork() that made it. */
#include "base/forks.h"

#include <pthread.h>
#include <stdatomic.h>

static _Atomic unsigned count;
static _Atomic bool is_watching;

static void count_in_child(void)
{
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
}

/* Two threads that come here at once have each fork counted twice, which is as good. */
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
