/* checks.h: finds what an application does wrong with threads, signals, fork() and the order of
 * freeing, if the build has checks (base/checked.h). It says so in one line of the log, and the
 * function does nothing. In other builds nothing is found.
 * Not here: what internal functions assert of each other (loop_assert_thread(),
 * lock_assert_held()). */
#ifndef WS_CORE_CHECKS_H
#define WS_CORE_CHECKS_H

#include <stdbool.h>

#include "base/checked.h"
#include "core/loop_state.h"

#if WS_CHECKS

/* For functions that any thread may call. `what` they do is a clause, such as "an event was
 * emitted". Returns WS_ERR_MISUSE if this thread is within the allocator or holds the manager's
 * lock, as in a signal handler that interrupted the library; WS_ERR_FORKED if a thread that the
 * child of a fork() does not have holds the lock; WS_OK otherwise. */
int checks_call(const ws_manager *manager, const char *what);

/* For functions of the loop's thread, whose name is `function`. False if another thread is inside
 * the library for this loop. A call on another thread than ws_loop_run() is reported once for each
 * loop, and the result is true: a host may hand a loop from one thread to another. */
bool checks_loop(ws_loop *loop, const char *function);

/* As checks_loop(), for functions that any thread may call after the loop's thread has ended, or
 * that hand the loop to this thread. */
bool checks_loop_unused(ws_loop *loop, const char *function);

/* The loop's thread is the calling one from now on. */
void checks_own_loop(ws_loop *loop);

/* False if the loop is in use or has WebSockets or HTTP requests. */
bool checks_loop_free(ws_loop *loop);

/* Counts a WebSocket or HTTP request that the host has made (1) or freed (-1). */
void checks_count(ws_loop *loop, int change);

/* False if the application has freed the manager before. */
bool checks_manager_free(ws_manager *manager);

#else

static inline int checks_call(const ws_manager *manager, const char *what)
{
    (void)manager;
    (void)what;
    return WS_OK;
}

static inline bool checks_loop(ws_loop *loop, const char *function)
{
    (void)loop;
    (void)function;
    return true;
}

static inline bool checks_loop_unused(ws_loop *loop, const char *function)
{
    (void)loop;
    (void)function;
    return true;
}

static inline void checks_own_loop(ws_loop *loop)
{
    (void)loop;
}

static inline bool checks_loop_free(ws_loop *loop)
{
    (void)loop;
    return true;
}

static inline void checks_count(ws_loop *loop, int change)
{
    (void)loop;
    (void)change;
}

static inline bool checks_manager_free(ws_manager *manager)
{
    (void)manager;
    return true;
}

#endif

#endif
