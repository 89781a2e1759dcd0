/* assertions_test.c: in builds with assertions, internal functions notice that the manager's
 * lock is not held, or that another thread is within the loop; a release build has none of
 * them. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clients/disconnect.h"
#include "core/connections/connection.h"
#include "support/host.h"
#include "support/suite.h"

#ifdef NDEBUG
enum { HAS_ASSERTIONS = false };
#else
enum { HAS_ASSERTIONS = true };
#endif

static struct host host;

/* Whether a function aborts, called in a child. */
static bool aborts(void (*function)(void))
{
    pid_t child = fork();
    int status;

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        if (freopen("/dev/null", "w", stderr) != NULL)
            function();
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) || status == 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void on_another_thread(void *(*function)(void *data))
{
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, function, NULL), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

/* --- the lock -------------------------------------------------------------------------------- */

static void find(void)
{
    connection_find(host.manager, 0);
}

static void find_locked(void)
{
    manager_lock(host.manager);
    find();
    manager_unlock(host.manager);
}

static void log_locked(void)
{
    manager_lock(host.manager);
    manager_log(host.manager, WS_LOG_DEBUG, "under the lock");
}

static void *find_on_thread(void *data)
{
    (void)data;
    find();
    return NULL;
}

static void find_while_another_thread_holds_it(void)
{
    manager_lock(host.manager);
    on_another_thread(find_on_thread);
}

static void find_in_a_child(void)
{
    if (aborts(find_locked))
        find();
}

START_TEST(the_lock)
{
    host_open(&host);
    ck_assert(!aborts(find_locked));
    ck_assert_int_eq(aborts(find), HAS_ASSERTIONS);
    ck_assert_int_eq(aborts(find_while_another_thread_holds_it), HAS_ASSERTIONS);
    ck_assert_int_eq(aborts(log_locked), HAS_ASSERTIONS);
    host_close(&host);
}
END_TEST

START_TEST(a_child_holds_what_the_parent_held)
{
    host_open(&host);
    manager_lock(host.manager);
    ck_assert(!aborts(find));
    manager_unlock(host.manager);
    ck_assert(!aborts(find_in_a_child));
    host_close(&host);
}
END_TEST

static struct lock lock;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static bool was_free;

static void *take_it_meanwhile(void *data)
{
    (void)data;
    lock_acquire(&lock);
    lock_assert_held(&lock);
    was_free = true;
    pthread_cond_signal(&condition);
    lock_release(&lock);
    return NULL;
}

START_TEST(it_is_another_threads_while_one_waits)
{
    pthread_t thread;

    ck_assert(lock_init(&lock));
    lock_acquire(&lock);
    ck_assert_int_eq(pthread_create(&thread, NULL, take_it_meanwhile, NULL), 0);
    while (!was_free)
        lock_wait(&lock, &condition);
    lock_assert_held(&lock);
    lock_release(&lock);
    lock_assert_not_held(&lock);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    lock_destroy(&lock);
}
END_TEST

/* --- the loop -------------------------------------------------------------------------------- */

/* ws_loop_run() would report another thread, in builds with checks. */
static void *run_on_thread(void *data)
{
    (void)data;
    loop_busy(host.loop);
    loop_idle(host.loop);
    return NULL;
}

static void run_while_another_thread_is_inside(void)
{
    loop_busy(host.loop);
    on_another_thread(run_on_thread);
}

static void run_within(void)
{
    loop_busy(host.loop);
    run_on_thread(NULL);
    loop_idle(host.loop);
}

static void hand_to_another_thread(void)
{
    run_within();
    on_another_thread(run_on_thread);
    run_within();
}

START_TEST(two_threads_in_a_loop)
{
    host_open(&host);
    ck_assert(!aborts(run_within));
    ck_assert(!aborts(hand_to_another_thread));
    ck_assert_int_eq(aborts(run_while_another_thread_is_inside), HAS_ASSERTIONS);
    host_close(&host);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_lock,
        a_child_holds_what_the_parent_held,
        it_is_another_threads_while_one_waits,
        two_threads_in_a_loop,
        NULL,
    };

    return suite_run("assertions", tests);
}
