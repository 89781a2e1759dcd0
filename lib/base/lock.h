/* lock.h: a mutex that knows which thread holds it, in builds with assertions: internal functions
 * that need the lock check that they have it. */
#ifndef WS_BASE_LOCK_H
#define WS_BASE_LOCK_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <pthread.h>

/* The calling thread, never 0. It is the same thread in the child of its fork(). */
static inline uintptr_t thread_self(void)
{
    return (uintptr_t)pthread_self();
}

struct lock {
    pthread_mutex_t mutex;
#ifndef NDEBUG
    /* A thread_self(), set and cleared by that thread alone; 0: nobody's. Atomic, since whoever
     * checks it need not hold the lock. */
    _Atomic uintptr_t holder;
#endif
};

static inline void lock_set_holder(struct lock *lock, uintptr_t thread)
{
#ifndef NDEBUG
    atomic_store_explicit(&lock->holder, thread, memory_order_relaxed);
#else
    (void)lock;
    (void)thread;
#endif
}

/* False if the system refuses it. */
static inline bool lock_init(struct lock *lock)
{
    lock_set_holder(lock, 0);
    return pthread_mutex_init(&lock->mutex, NULL) == 0;
}

static inline void lock_destroy(struct lock *lock)
{
    pthread_mutex_destroy(&lock->mutex);
}

static inline void lock_acquire(struct lock *lock)
{
    pthread_mutex_lock(&lock->mutex);
    lock_set_holder(lock, thread_self());
}

static inline void lock_release(struct lock *lock)
{
    lock_set_holder(lock, 0);
    pthread_mutex_unlock(&lock->mutex);
}

/* pthread_cond_wait(): others may hold the lock meanwhile. */
static inline void lock_wait(struct lock *lock, pthread_cond_t *condition)
{
    lock_set_holder(lock, 0);
    pthread_cond_wait(condition, &lock->mutex);
    lock_set_holder(lock, thread_self());
}

/* The calling thread holds it. */
static inline void lock_assert_held(const struct lock *lock)
{
    (void)lock;
    assert(atomic_load_explicit(&lock->holder, memory_order_relaxed) == thread_self());
}

/* The calling thread does not. */
static inline void lock_assert_not_held(const struct lock *lock)
{
    (void)lock;
    assert(atomic_load_explicit(&lock->holder, memory_order_relaxed) != thread_self());
}

#endif
