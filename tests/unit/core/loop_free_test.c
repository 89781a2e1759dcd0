/* loop_free_test.c: ws_loop_free() while another thread is waking the loop. Not here: the end of
 * the loop's connections (loop_test.c). */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <ws_manager/ws_manager.h>

#include "support/suite.h"

static ws_manager *manager;

static int take(ws_message *message, void *transport_data)
{
    (void)message;
    (void)transport_data;
    return WS_OK;
}

static void forget(uint16_t code, const char *reason, size_t length, void *transport_data)
{
    (void)code;
    (void)reason;
    (void)length;
    (void)transport_data;
}

static _Atomic bool in_wake, may_return, has_returned, was_returned_when_freed;

static void slow_wake(void *user_data)
{
    (void)user_data;
    atomic_store(&in_wake, true);
    while (!atomic_load(&may_return))
        sched_yield();
    atomic_store(&has_returned, true);
}

static void *emit_one(void *argument)
{
    (void)argument;
    ws_manager_emit_stock_low(manager, "1", 1);
    return NULL;
}

static void *free_loop(void *argument)
{
    ws_loop_free(argument);
    atomic_store(&was_returned_when_freed, atomic_load(&has_returned));
    return NULL;
}

/* Once ws_loop_free() has returned, the loop's `wake` is no longer running: the host may close
 * its eventfd. */
START_TEST(freeing_a_loop_waits_for_threads_that_wake_it)
{
    static const ws_transport transport = {
        .size = sizeof transport, .send = take, .close = forget};
    ws_connect_options connect_options;
    ws_conn_id id;
    ws_loop_options options;
    pthread_t emitter, owner;
    ws_loop *loop;

    ck_assert_int_eq(ws_manager_new(NULL, &manager), WS_OK);
    ws_loop_options_init(&options);
    options.wake = slow_wake;
    atomic_store(&may_return, true);
    ck_assert_int_eq(ws_loop_new(manager, &options, 0, &loop), WS_OK);
    ws_connect_options_init(&connect_options);
    connect_options.transport = &transport;
    ck_assert_int_eq(ws_manager_connect(manager, loop, &connect_options, &id), WS_OK);
    ws_loop_run(loop, 0);
    atomic_store(&in_wake, false);
    atomic_store(&may_return, false);
    atomic_store(&has_returned, false);
    ck_assert_int_eq(pthread_create(&emitter, NULL, emit_one, NULL), 0);
    while (!atomic_load(&in_wake))
        sched_yield();
    ck_assert_int_eq(pthread_create(&owner, NULL, free_loop, loop), 0);
    for (int i = 0; i < 2000; i++)
        sched_yield(); /* gives a ws_loop_free() that does not wait the time to return */
    atomic_store(&may_return, true);
    pthread_join(emitter, NULL);
    pthread_join(owner, NULL);
    ck_assert(atomic_load(&was_returned_when_freed));
    ws_manager_free(manager);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {freeing_a_loop_waits_for_threads_that_wake_it, NULL};

    return suite_run("loop_free", tests);
}
