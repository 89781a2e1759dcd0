/* lock_test.c: the manager's lock is handed over in the middle of work that takes long. */
#include "base/lock.h"

#include <sched.h>

#include "support/suite.h"

enum { WAITERS = 8 };

static struct lock lock;
static unsigned n_served; /* guarded by the lock */

static void *wait_for_lock(void *user_data)
{
    (void)user_data;
    lock_acquire(&lock);
    n_served++;
    lock_release(&lock);
    return NULL;
}

/* Returns when a thread waits for the lock, which the caller holds. */
static void await_waiter(void)
{
    while (pthread_mutex_trylock(&lock.gate) == 0) {
        pthread_mutex_unlock(&lock.gate);
        sched_yield();
    }
}

START_TEST(a_waiter_has_the_lock_after_one_step)
{
    pthread_t threads[WAITERS];

    ck_assert(lock_init(&lock));
    n_served = 0;
    for (size_t i = 0; i < WAITERS; i++) {
        unsigned before;

        lock_acquire(&lock);
        before = n_served;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, wait_for_lock, NULL), 0);
        await_waiter();
        lock_release(&lock);
        lock_let_others(&lock);
        lock_acquire(&lock);
        ck_assert_uint_eq(n_served, before + 1);
        lock_release(&lock);
    }
    for (size_t i = 0; i < WAITERS; i++)
        pthread_join(threads[i], NULL);
    lock_destroy(&lock);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_waiter_has_the_lock_after_one_step, NULL};

    return suite_run("lock", tests);
}
