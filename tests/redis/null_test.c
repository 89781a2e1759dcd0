/* null_test.c: the rule for NULL (types.h), for each pointer of each function of the carrier. */
#include <ws_manager/redis.h>
#include <ws_manager/ws_manager.h>

#include "support/calls.h"
#include "support/suite.h"

#define REFUSES(function, ...) ck_assert_int_eq(CALLED(function)(__VA_ARGS__), WS_ERR_INVALID)
#define HAS_NO_EFFECT(function, ...) CALLED(function)(__VA_ARGS__)

static void watch(int fd, int events, void *user_data)
{
    (void)fd;
    (void)events;
    (void)user_data;
}

static void wake(void *user_data)
{
    (void)user_data;
}

static void check_uri(void)
{
    char text[64] = "";

    REFUSES(ws_redis_check_uri, NULL, text, sizeof text);
    REFUSES(ws_redis_check_uri, "redis://127.0.0.1", NULL, 1);
    ck_assert_int_eq(ws_redis_check_uri("redis://127.0.0.1", NULL, 0), WS_OK);
}

static void check_carrier(ws_manager *manager)
{
    ws_redis_options options;
    ws_redis *redis = NULL;
    char *text;

    HAS_NO_EFFECT(ws_redis_options_init_size, NULL, sizeof options);
    ws_redis_options_init(&options);
    REFUSES(ws_redis_new, manager, &options, 0, &redis);
    options.watch = watch;
    REFUSES(ws_redis_new, manager, &options, 0, &redis);
    options.wake = wake;
    REFUSES(ws_redis_new, NULL, &options, 0, &redis);
    REFUSES(ws_redis_new, manager, NULL, 0, &redis);
    REFUSES(ws_redis_new, manager, &options, 0, NULL);
    ck_assert_int_eq(ws_redis_new(manager, &options, 0, &redis), WS_OK);
    REFUSES(ws_redis_get_stats, redis, NULL, NULL);
    REFUSES(ws_redis_get_metrics, redis, NULL, NULL);
    REFUSES(ws_redis_get_nodes, redis, NULL, NULL);
    ws_redis_free_text(redis, NULL);
    ws_redis_free(redis);
    redis = NULL;
    options.uri = NULL;
    REFUSES(ws_redis_new, manager, &options, 0, &redis);
    ck_assert_ptr_null(redis);
    HAS_NO_EFFECT(ws_redis_free, NULL);
    HAS_NO_EFFECT(ws_redis_ready, NULL, 0, WS_REDIS_READ);
    ck_assert_uint_eq(CALLED(ws_redis_run)(NULL, 5), UINT64_MAX);
    REFUSES(ws_redis_get_stats, NULL, &text, NULL);
    REFUSES(ws_redis_get_metrics, NULL, &text, NULL);
    REFUSES(ws_redis_get_nodes, NULL, &text, NULL);
    HAS_NO_EFFECT(ws_redis_free_text, NULL, NULL);
    REFUSES(ws_redis_resolve_in_thread, NULL, "localhost", NULL);
    HAS_NO_EFFECT(ws_redis_lookup_done, NULL, NULL, "no");
}

START_TEST(null_is_refused_where_it_means_nothing)
{
    ws_manager *manager;

    ck_assert_int_eq(ws_manager_new(NULL, &manager), WS_OK);
    check_uri();
    check_carrier(manager);
    calls_expect_all(VERSION_SCRIPT);
    ws_manager_free(manager);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {null_is_refused_where_it_means_nothing, NULL};

    return suite_run("redis-null", tests);
}
