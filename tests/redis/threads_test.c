/* threads_test.c: several threads emit while one runs the carrier and others read its statistics;
 * each thread's events stay in order, and the host is woken. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "redis/support/node.h"
#include "redis/support/server.h"
#include "support/suite.h"

enum { THREADS = 4, EACH = 2000 };

static struct server server;
static struct node ann;
static atomic_uint n_wakes;
static atomic_uint n_running;

static void wake(void *user_data)
{
    (void)user_data;
    atomic_fetch_add(&n_wakes, 1);
}

static void *emit(void *data)
{
    int thread = (int)(size_t)data;

    for (int i = 0; i < EACH; i++) {
        char *text;

        while (node_emit(&ann, thread * EACH + i) == WS_ERR_BACKPRESSURE)
            usleep(1000);
        if (i % 100 != 0)
            continue;
        if (ws_redis_get_stats(ann.redis, &text, NULL) == WS_OK)
            ws_redis_free_text(ann.redis, text);
        if (ws_redis_get_nodes(ann.redis, &text, NULL) == WS_OK)
            ws_redis_free_text(ann.redis, text);
    }
    atomic_fetch_sub(&n_running, 1);
    return NULL;
}

START_TEST(each_thread_s_events_stay_in_order)
{
    int next[THREADS] = {0};
    pthread_t threads[THREADS];

    server_start(&server, NULL);
    node_init(&ann, "ann", server.uri);
    ann.options.wake = wake;
    ann.options.max_pending_events = 500;
    ann.options.heartbeat_interval_ms = 10;
    node_open(&ann);
    UNTIL(ann.connected);
    atomic_store(&n_running, THREADS);
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, emit, (void *)i), 0);
    UNTIL(atomic_load(&n_running) == 0);
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    UNTIL(ann.n_got == (size_t)(THREADS * EACH));
    for (size_t i = 0; i < ann.n_got; i++)
        ck_assert_int_eq(ann.got[i] % EACH, next[ann.got[i] / EACH]++);
    ck_assert_uint_gt(atomic_load(&n_wakes), 0);
    UNTIL(node_stat(&ann, "stored") == (uint64_t)THREADS * EACH);
    node_close(&ann);
    server_end(&server);
}
END_TEST

int main(void)
{
    return suite_run("redis-threads",
                     (const TTest *const[]){each_thread_s_events_stay_in_order, NULL});
}
