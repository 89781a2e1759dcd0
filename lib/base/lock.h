/* lock.h: a mutex that a thread can give to others in the middle of long work. In builds with
 * assertions or checks it records which thread holds it, so that internal functions can assert that
 * the lock is or is not held. */
#ifndef WS_BASE_LOCK_H
#define WS_BASE_LOCK_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <pthread.h>

#include "base/checked.h"
#include "base/forks.h"

/* Identifies the calling thread; never 0. In the child of a fork() the value is that of the
 * thread that called fork(). */
static inline uintptr_t thread_self(void)
{
    return (uintptr_t)pthread_self();
}

struct lock {
    pthread_mutex_t mutex;
    pthread_mutex_t gate; /* of threads that wait for `mutex`: held by the first one */
#if WS_CHECKS || !defined(NDEBUG)
    /* thread_self() of the thread that holds the lock; 0: none. Only that thread writes it. It
     * is atomic because assertions and checks read it without the lock. */
    _Atomic uintptr_t holder;
#endif
#if WS_CHECKS
    _Atomic unsigned holder_forks; /* forks_count() when it took the lock: in that process */
#endif
};

static inline void lock_set_holder(struct lock *lock, uintptr_t thread)
{
#if WS_CHECKS
    atomic_store_explicit(&lock->holder_forks, forks_count(), memory_order_relaxed);
#endif
#if WS_CHECKS || !defined(NDEBUG)
    atomic_store_explicit(&lock->holder, thread, memory_order_release);
#else
    (void)lock;
    (void)thread;
#endif
}

/* False if the system has no resources for a mutex. */
static inline bool lock_init(struct lock *lock)
{
    lock_set_holder(lock, 0);
    if (pthread_mutex_init(&lock->mutex, NULL) != 0)
        return false;
    if (pthread_mutex_init(&lock->gate, NULL) == 0)
        return true;
    pthread_mutex_destroy(&lock->mutex);
    return false;
}

static inline void lock_destroy(struct lock *lock)
{
    pthread_mutex_destroy(&lock->gate);
    pthread_mutex_destroy(&lock->mutex);
}

static inline void lock_acquire(struct lock *lock)
{
    if (pthread_mutex_trylock(&lock->mutex) != 0) {
        pthread_mutex_lock(&lock->gate);
        pthread_mutex_lock(&lock->mutex);
        pthread_mutex_unlock(&lock->gate);
    }
    lock_set_holder(lock, thread_self());
}

static inline void lock_release(struct lock *lock)
{
    lock_set_holder(lock, 0);
    pthread_mutex_unlock(&lock->mutex);
}

/* pthread_cond_wait(): releases the lock while it waits. */
static inline void lock_wait(struct lock *lock, pthread_cond_t *condition)
{
    lock_set_holder(lock, 0);
    pthread_cond_wait(condition, &lock->mutex);
    lock_set_holder(lock, thread_self());
}

/* Asserts that the calling thread holds the lock. */
static inline void lock_assert_held(const struct lock *lock)
{
    (void)lock;
    assert(atomic_load_explicit(&lock->holder, memory_order_relaxed) == thread_self());
}

/* Asserts that the calling thread does not hold the lock. */
static inline void lock_assert_not_held(const struct lock *lock)
{
    (void)lock;
    assert(atomic_load_explicit(&lock->holder, memory_order_relaxed) != thread_self());
}

/* Between lock_release() and lock_acquire(): returns when the thread that waits for the lock, if
 * there is one, has it. A mutex alone is not handed over: the thread that gave it back takes it
 * again before the waiter runs. In 4,000 steps of 75 us a waiter had it after 27 to 189 ms; with
 * this, after a step. */
static inline void lock_let_others(struct lock *lock)
{
    lock_assert_not_held(lock);
    pthread_mutex_lock(&lock->gate);
    pthread_mutex_unlock(&lock->gate);
}

#endif
