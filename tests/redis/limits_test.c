/* limits_test.c: full queues, a Redis that accepts no writes, and failing allocations. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "redis/support/node.h"
#include "redis/support/server.h"
#include "support/suite.h"

static struct server server;
static struct node ann;

static void begin(void)
{
    server_start(&server, NULL);
    node_init(&ann, "ann", server.uri);
}

static void end(void)
{
    node_close(&ann);
    server_end(&server);
}

START_TEST(the_queue_is_full)
{
    begin();
    ann.options.max_pending_events = 10;
    node_open(&ann);
    for (int i = 1; i <= 10; i++)
        ck_assert_int_eq(node_emit(&ann, i), WS_OK);
    ck_assert_int_eq(node_emit(&ann, 11), WS_ERR_BACKPRESSURE);
    ck_assert_uint_eq(node_stat(&ann, "refused"), 1);
    ck_assert_uint_eq(node_stat(&ann, "pending_events"), 10);
    node_expect(&ann, 1, 10);
    UNTIL(node_stat(&ann, "pending_events") == 0);
    ck_assert_uint_eq(node_stat(&ann, "pending_bytes"), 0);
    ck_assert_int_eq(node_emit(&ann, 11), WS_OK);
    node_expect(&ann, 11, 11);
    end();
}
END_TEST

START_TEST(the_queue_has_too_many_bytes)
{
    begin();
    ann.options.max_pending_bytes = 400;
    node_open(&ann);
    ck_assert_int_eq(node_emit(&ann, 1), WS_OK);
    ck_assert_int_eq(node_emit(&ann, 2), WS_ERR_BACKPRESSURE);
    node_expect(&ann, 1, 1);
    end();
}
END_TEST

/* The loop's queue for events of the stream is full: the reader waits, and asks to be called soon,
 * not at once. */
START_TEST(the_manager_is_full)
{
    bool has_waited = false;

    begin();
    ann.host.options.max_pending = 16;
    ann.options.heartbeat_interval_ms = 3600000;
    node_open(&ann);
    for (int i = 1; i <= 1000; i++)
        ck_assert_int_eq(node_emit(&ann, i), WS_OK);
    while (ann.n_got < 1000) {
        uint64_t before_ms = node_clock_ms();

        nodes_turn();
        ck_assert_uint_gt(ann.deadline_ms, before_ms);
        has_waited = has_waited || ann.deadline_ms <= node_clock_ms() + 10;
    }
    ck_assert(has_waited);
    node_expect(&ann, 1, 1000);
    end();
}
END_TEST

START_TEST(redis_has_no_memory)
{
    begin();
    node_open(&ann);
    UNTIL(ann.connected);
    server_do(&server, "CONFIG SET maxmemory 1");
    for (int i = 1; i <= 10; i++)
        ck_assert_int_eq(node_emit(&ann, i), WS_OK);
    UNTIL(strstr(ann.state, "OOM") != NULL);
    ck_assert_int_eq(ann.connected, 1);
    ck_assert_uint_eq(node_stat(&ann, "pending_events"), 10);
    ck_assert_uint_le(ann.deadline_ms, node_clock_ms() + 2000);
    server_do(&server, "CONFIG SET maxmemory 0");
    node_expect(&ann, 1, 10);
    UNTIL(strcmp(ann.state, "connected") == 0);
    end();
}
END_TEST

START_TEST(redis_is_a_replica)
{
    begin();
    node_open(&ann);
    UNTIL(ann.connected);
    server_do(&server, "CONFIG SET replica-serve-stale-data yes");
    server_do(&server, "REPLICAOF 127.0.0.1 1");
    ck_assert_int_eq(node_emit(&ann, 1), WS_OK);
    UNTIL(strstr(ann.state, "READONLY") != NULL);
    ck_assert_int_eq(ann.connected, 0);
    server_do(&server, "REPLICAOF NO ONE");
    node_expect(&ann, 1, 1);
    end();
}
END_TEST

START_TEST(the_stream_is_bounded)
{
    begin();
    ann.options.max_stream_events = 1000;
    node_open(&ann);
    for (int i = 1; i <= 5000; i += 500) {
        for (int j = i; j < i + 500; j++)
            ck_assert_int_eq(node_emit(&ann, j), WS_OK);
        node_expect(&ann, i, i + 499);
    }
    ck_assert_int_lt(atoi(server_do(&server, "XLEN {wsmanager}:events")), 1200);
    end();
}
END_TEST

/* Each allocation fails once: those of the carrier, and those of the manager while it receives
 * events. */
START_TEST(every_allocation_fails_in_turn)
{
    int number = 0;

    begin();
    ann.options.heartbeat_interval_ms = 1;
    node_open(&ann);
    for (int n = 0; n < 40; n++) {
        test_memory_fail(&ann.memory, n % 20, n % 3 == 0);
        test_memory_fail(&ann.host.memory, n / 2, n % 3 == 1);
        for (int i = 0; i < 5; i++)
            number += node_emit(&ann, number + 1) == WS_OK;
        server_do(&server, "CLIENT KILL TYPE normal SKIPME yes");
        nodes_turn();
        nodes_turn();
        test_memory_fail(&ann.memory, NEVER_FAIL, false);
        test_memory_fail(&ann.host.memory, NEVER_FAIL, false);
        UNTIL(node_stat(&ann, "pending_events") == 0);
    }
    UNTIL(node_stat(&ann, "position") == (uint64_t)number);
    end();
}
END_TEST

/* Each allocation of the carrier fails once while it fetches what a client missed: nothing is
 * lost. */
START_TEST(every_allocation_fails_while_fetching)
{
    enum { N = 50, AFTER = 10 };
    struct client back = {0};
    ws_connect_options options;
    char after[64];

    begin();
    ann.host.options.history_events = 1;
    node_open(&ann);
    for (int i = 1; i <= N; i++)
        ck_assert_int_eq(node_emit_asking(&ann, i, NULL, 0), WS_OK);
    UNTIL(ann.n_stored == N && ann.n_got == N);
    snprintf(after, sizeof after, "%.10s.%d", ann.stored_id, AFTER);
    for (int n = 0; n < 20; n++) {
        back = (struct client){.host = &ann.host, .name = "back"};
        client_options(&back, &options);
        options.after = after;
        ann.skipped_ms += 60000; /* events that were fetched before are dropped */
        nodes_turn();
        test_memory_fail(&ann.memory, n, false);
        ck_assert_int_eq(
            ws_manager_connect(ann.host.manager, ann.host.loop, &options, &back.id), WS_OK);
        UNTIL((ann.skipped_ms += 200, back.n_messages == 1 + N - AFTER + 1));
        ck_assert_ptr_nonnull(strstr(back.messages[1 + N - AFTER], "\"complete\":true"));
        test_memory_fail(&ann.memory, NEVER_FAIL, false);
        client_lose(&back);
        client_free(&back);
    }
    ck_assert_uint_ge(node_stat(&ann, "fetched"), 20 * N - 20);
    end();
}
END_TEST

START_TEST(options_are_checked)
{
    ws_redis_options options;
    ws_redis *redis;

    begin();
    ck_assert_int_eq(ws_manager_new(&ann.host.options, &ann.host.manager), WS_OK);
#define REFUSED(assignment)                                                                    \
    options = ann.options;                                                                     \
    options.assignment;                                                                        \
    ck_assert_int_eq(ws_redis_new(ann.host.manager, &options, 0, &redis), WS_ERR_INVALID)
    REFUSED(watch = NULL);
    REFUSED(wake = NULL);
    REFUSED(uri = "rediss://h?ca=/nonexistent.pem");
    REFUSED(uri = NULL);
    REFUSED(key = "a b");
    REFUSED(key = "{a}");
    REFUSED(key = NULL);
    REFUSED(node = "");
    REFUSED(max_stream_events = 0);
    REFUSED(max_pending_events = 0);
    REFUSED(max_pending_bytes = 0);
    REFUSED(preload_events = 0);
    REFUSED(heartbeat_interval_ms = 0);
    REFUSED(size = 1);
#undef REFUSED
    for (int n = 0; n < 8; n++) {
        test_memory_fail(&ann.memory, n, false);
        ck_assert_int_eq(ws_redis_new(ann.host.manager, &ann.options, 0, &redis),
                         WS_ERR_NO_MEMORY);
        ck_assert_int_eq(ann.memory.n_blocks, 0);
    }
    ck_assert_int_eq(ws_loop_new(ann.host.manager, NULL, 0, &ann.host.loop), WS_OK);
    test_memory_fail(&ann.memory, NEVER_FAIL, false);
    ck_assert_int_eq(ws_redis_new(ann.host.manager, &ann.options, 0, &redis), WS_ERR_ALREADY);
    ck_assert_int_eq(ws_redis_get_stats(NULL, NULL, NULL), WS_ERR_INVALID);
    ck_assert_int_eq(ws_redis_get_metrics(NULL, NULL, NULL), WS_ERR_INVALID);
    ck_assert_int_eq(ws_redis_get_nodes(NULL, NULL, NULL), WS_ERR_INVALID);
    ws_redis_free(NULL);
    host_close(&ann.host);
    ck_assert_int_eq(ann.memory.n_blocks, 0);
    server_end(&server);
}
END_TEST

int main(void)
{
    return suite_run("redis-limits",
                     (const TTest *const[]){
                         the_queue_is_full, the_queue_has_too_many_bytes, the_manager_is_full,
                         redis_has_no_memory, redis_is_a_replica, the_stream_is_bounded,
                         every_allocation_fails_in_turn, every_allocation_fails_while_fetching,
                         options_are_checked, NULL});
}
