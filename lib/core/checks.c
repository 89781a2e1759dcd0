/* checks.c: finds wrong use of threads, signals, fork() and the order of freeing. */
#include "core/checks.h"

#if WS_CHECKS

#include <stdarg.h>
#include <stdio.h>

#include "base/forks.h"
#include "base/memory.h"

/* Not manager_log(): this thread may hold the lock. A callback that logs and is wrong itself is not
 * called again. */
__attribute__((format(printf, 3, 4))) static void report(const ws_manager *manager, int level,
                                                         const char *format, ...)
{
    static _Thread_local volatile bool is_reporting;
    char line[256];
    va_list arguments;

    if (manager->options.log == NULL || is_reporting)
        return;
    is_reporting = true;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    manager->options.log(level, line, manager->options.user_data);
    is_reporting = false;
}

int checks_call(const ws_manager *manager, const char *what)
{
    uintptr_t holder = atomic_load_explicit(&manager->lock.holder, memory_order_acquire);

    if (memory_is_in_allocator()) {
        report(manager, WS_LOG_ERROR,
               "%s within the allocator, or in a signal handler that interrupted it: a handler "
               "must only wake a thread",
               what);
        return WS_ERR_MISUSE;
    }
    if (holder == 0)
        return WS_OK;
    if (holder == thread_self()) {
        report(
            manager, WS_LOG_ERROR,
            "%s in a signal handler that interrupted the library: a handler must only wake a "
            "thread",
            what);
        return WS_ERR_MISUSE;
    }
    if (atomic_load_explicit(&manager->lock.holder_forks, memory_order_relaxed) !=
        forks_count()) {
        report(manager, WS_LOG_ERROR,
               "%s in the child of a fork() during which another thread used the manager: this "
               "child may only call exec()",
               what);
        return WS_ERR_FORKED;
    }
    return WS_OK;
}

static bool is_in_use(const ws_loop *loop)
{
    uintptr_t inside = atomic_load_explicit(&loop->inside, memory_order_relaxed);

    return inside != 0 && inside != thread_self();
}

bool checks_loop_unused(ws_loop *loop, const char *function)
{
    if (!is_in_use(loop))
        return true;
    report(loop->manager, WS_LOG_ERROR,
           "%s() was called while another thread uses the loop: it did nothing, because a loop "
           "and its connections belong to one thread",
           function);
    return false;
}

bool checks_loop(ws_loop *loop, const char *function)
{
    uintptr_t owner = atomic_load_explicit(&loop->owner, memory_order_relaxed);

    if (!checks_loop_unused(loop, function))
        return false;
    if (owner != 0 && owner != thread_self() &&
        !atomic_exchange_explicit(&loop->has_strayed, true, memory_order_relaxed))
        report(
            loop->manager, WS_LOG_WARN,
            "%s() was called on another thread than ws_loop_run(): a loop and its connections "
            "belong to one thread",
            function);
    return true;
}

void checks_own_loop(ws_loop *loop)
{
    atomic_store_explicit(&loop->owner, thread_self(), memory_order_relaxed);
}

bool checks_loop_free(ws_loop *loop)
{
    if (is_in_use(loop)) {
        report(loop->manager, WS_LOG_ERROR,
               "ws_loop_free() was called while another thread uses the loop: it is not freed");
        return false;
    }
    if (loop->busy > 0) {
        report(loop->manager, WS_LOG_ERROR,
               "ws_loop_free() was called within a callback of the loop: it is not freed");
        return false;
    }
    if (loop->n_hosted > 0) {
        report(
            loop->manager, WS_LOG_ERROR,
            "ws_loop_free() was called before %u WebSockets or HTTP requests of the loop were "
            "freed: it is not freed",
            loop->n_hosted);
        return false;
    }
    return true;
}

void checks_count(ws_loop *loop, int change)
{
    loop->n_hosted += (unsigned)change;
}

bool checks_manager_free(ws_manager *manager)
{
    if (!atomic_exchange_explicit(&manager->is_freed, true, memory_order_relaxed))
        return true;
    report(manager, WS_LOG_ERROR, "ws_manager_free() was called before for this manager");
    return false;
}

#endif
