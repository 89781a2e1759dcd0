/* drain_test.c: a drain that is spread over some time, and tells clients when to reconnect. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/crowd.h"
#include "support/suite.h"

enum { N = 100 };

static struct host host;
static struct client clients[N];
static ws_drain_options options;

static void begin(void)
{
    host_open(&host);
    for (size_t i = 0; i < N; i++)
        client_open(&host, &clients[i], "client", NULL);
    ws_drain_options_init(&options);
}

static void end(void)
{
    host_close(&host);
    for (size_t i = 0; i < N; i++)
        client_free(&clients[i]);
}

static size_t count_closed(void)
{
    size_t closed = 0;

    for (size_t i = 0; i < N; i++)
        closed += clients[i].n_closes > 0;
    return closed;
}

static void run_at(uint64_t now_ms)
{
    host.now_ms = now_ms;
    host_run(&host);
}

START_TEST(a_drain_is_spread_evenly)
{
    begin();
    options.spread_ms = 10000;
    ck_assert_int_eq(ws_manager_drain(host.manager, &options), WS_OK);
    run_at(0);
    ck_assert_uint_eq(count_closed(), 0);
    for (uint64_t passed_ms = 1000; passed_ms < 10000; passed_ms += 1000) {
        run_at(passed_ms);
        ck_assert_uint_eq(count_closed(), passed_ms / 100);
    }
    run_at(10000);
    ck_assert_uint_eq(count_closed(), N);
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 0);
    end();
}
END_TEST

START_TEST(clients_that_leave_meanwhile_do_not_delay_the_drain)
{
    begin();
    options.spread_ms = 1000;
    ck_assert_int_eq(ws_manager_drain(host.manager, &options), WS_OK);
    for (uint64_t passed_ms = 0; passed_ms <= 500; passed_ms += 50)
        run_at(passed_ms);
    for (size_t i = 0; i < N; i += 2)
        if (clients[i].n_closes == 0)
            client_lose(&clients[i]);
    run_at(1000);
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 0);
    /* Nothing is left to do. */
    ck_assert_uint_eq(ws_loop_run(host.loop, host.now_ms + 100), WS_NO_DEADLINE);
    end();
}
END_TEST

/* Checks "retry in N ms" in each reason, and that the times differ. */
START_TEST(clients_get_different_times_to_reconnect)
{
    unsigned long sum = 0;

    begin();
    options.reason = "restart";
    options.retry_spread_ms = 1000;
    ck_assert_int_eq(ws_manager_drain(host.manager, &options), WS_OK);
    host_run(&host);
    for (size_t i = 0; i < N; i++) {
        const char *number = clients[i].close_reason + strlen("restart; retry in ");
        char expected[64];
        unsigned long wait_ms = strtoul(number, NULL, 10);

        snprintf(expected, sizeof expected, "restart; retry in %lu ms", wait_ms);
        ck_assert_str_eq(clients[i].close_reason, expected);
        ck_assert_uint_eq(clients[i].close_code, 1012);
        ck_assert_uint_lt(wait_ms, 1000);
        sum += wait_ms;
    }
    /* 100 values evenly from 0 to 999: the odds against a sum outside of these bounds are a billion
     * to one. */
    ck_assert_uint_gt(sum, 30000);
    ck_assert_uint_lt(sum, 70000);
    end();
}
END_TEST

/* Closing costs more than a delivery: the host can read and write in between. */
START_TEST(a_turn_closes_a_part_of_a_crowd)
{
    struct crowd crowd;
    size_t turns = 0;

    crowd_open(&crowd, 2000);
    crowd_connect_all(&crowd, NULL);
    ck_assert_int_eq(ws_manager_drain(crowd.host.manager, NULL), WS_OK);
    for (size_t before = 0; crowd.n_closes < crowd.n; before = crowd.n_closes, turns++) {
        ws_loop_run(crowd.host.loop, crowd.host.now_ms);
        ck_assert_uint_gt(crowd.n_closes, before);
        ck_assert_uint_le(crowd.n_closes - before, 256);
    }
    ck_assert_uint_ge(turns, 8);
    crowd_close(&crowd);
}
END_TEST

static void expect_few_ends_in_a_turn(bool by_drain)
{
    enum { N_ROOMS = 100, COST = 32 + 2 * N_ROOMS, TURN = 8192 };
    struct crowd crowd;

    crowd_open(&crowd, 200);
    crowd_connect_all(&crowd, NULL);
    for (size_t i = 0; i < crowd.n; i++) {
        for (int number = 0; number < N_ROOMS; number++) {
            char room[64];

            snprintf(room, sizeof room, "%zu of client %d", i, number);
            crowd_join(&crowd.members[i], room);
        }
        host_run(&crowd.host);
    }
    for (size_t i = 0; i < crowd.n && !by_drain; i++)
        crowd_disconnect(&crowd.members[i]);
    if (by_drain)
        ck_assert_int_eq(ws_manager_drain(crowd.host.manager, NULL), WS_OK);
    for (size_t before = 0; crowd.n_closes < crowd.n; before = crowd.n_closes) {
        ws_loop_run(crowd.host.loop, crowd.host.now_ms);
        ck_assert_uint_gt(crowd.n_closes, before);
        ck_assert_uint_le(crowd.n_closes - before, TURN / COST + 1);
    }
    crowd_close(&crowd);
}

START_TEST(a_turn_ends_few_clients_that_are_in_many_rooms)
{
    expect_few_ends_in_a_turn(false);
    expect_few_ends_in_a_turn(true);
}
END_TEST

/* A host that comes late, or more clients than a tick of the timers closes: when the time is over,
 * the loop closes what is left without waiting for further ticks, a part in each turn. */
START_TEST(a_drain_ends_with_its_time)
{
    enum { MEMBERS = 3000 };
    static struct crowd crowd;

    crowd_open(&crowd, MEMBERS);
    crowd_connect_all(&crowd, NULL);
    ws_drain_options_init(&options);
    options.spread_ms = 1000;
    ck_assert_int_eq(ws_manager_drain(crowd.host.manager, &options), WS_OK);
    host_run(&crowd.host);
    crowd.host.now_ms += 1000;
    ck_assert_uint_eq(ws_loop_run(crowd.host.loop, crowd.host.now_ms), crowd.host.now_ms);
    ck_assert_uint_gt(crowd.n_closes, 0);
    ck_assert_uint_lt(crowd.n_closes, MEMBERS / 2);
    host_run(&crowd.host);
    ck_assert_uint_eq(crowd.n_closes, MEMBERS);
    crowd_close(&crowd);
}
END_TEST

START_TEST(invalid_drain_options_are_refused)
{
    char reason[124];

    begin();
    memset(reason, 'x', sizeof reason);
    reason[92] = '\0';
    options.reason = reason;
    ck_assert_int_eq(ws_manager_drain(host.manager, &options), WS_ERR_INVALID);
    options.retry_spread_ms = 0;
    options.code = 1005;
    ck_assert_int_eq(ws_manager_drain(host.manager, &options), WS_ERR_INVALID);
    options.code = 1001;
    reason[92] = 'x';
    reason[123] = '\0';
    ck_assert_int_eq(ws_manager_drain(host.manager, &options), WS_OK);
    host_run(&host);
    ck_assert_str_eq(clients[0].close_reason, reason);
    end();
}
END_TEST

START_TEST(the_default_code_is_service_restart)
{
    begin();
    ck_assert_int_eq(ws_manager_drain(host.manager, NULL), WS_OK);
    /* The first call counts. */
    options.code = 1001;
    ck_assert_int_eq(ws_manager_drain(host.manager, &options), WS_OK);
    host_run(&host);
    ck_assert_uint_eq(clients[0].close_code, 1012);
    ck_assert_int_eq(strncmp(clients[0].close_reason, "retry in ", 9), 0);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_drain_is_spread_evenly,
        clients_that_leave_meanwhile_do_not_delay_the_drain,
        clients_get_different_times_to_reconnect,
        a_turn_closes_a_part_of_a_crowd,
        a_turn_ends_few_clients_that_are_in_many_rooms,
        a_drain_ends_with_its_time,
        invalid_drain_options_are_refused,
        the_default_code_is_service_restart,
        NULL,
    };

    return suite_run("drain", tests);
}
