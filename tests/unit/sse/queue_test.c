/* queue_test.c: clients that read slowly or not at all: limits, back-pressure, and the end. */
#include <stdio.h>
#include <string.h>

#include "sse/host.h"

static struct host host;
static struct host_options options;
static int last_is_high;
static int n_calls;

static void note(struct host *of, int is_high)
{
    (void)of;
    last_is_high = is_high;
    n_calls++;
}

static void open_with(uint32_t max_queue_bytes)
{
    host_options_init(&options);
    options.endpoint.max_queue_bytes = max_queue_bytes;
    host_open(&host, &options);
    host.on_backpressure = note;
    last_is_high = -1;
    n_calls = 0;
}

static void teardown(void)
{
    host_close(&host);
}

START_TEST(a_client_that_reads_too_slowly_is_ended_and_recovers)
{
    struct page *page;
    char header[80];
    int number = 0;

    open_with(4000);
    page = host_stream(&host, "/events", NULL);
    page->writable = 50;
    for (; host.n_disconnects == 0; number++) {
        host_emit(&host, NULL, number);
        host_turn(&host);
        ck_assert_int_lt(number, 200);
    }
    ck_assert_uint_eq(host.code, WS_CLOSE_TRY_AGAIN_LATER);
    page->writable = SIZE_MAX;
    host_turn(&host);
    ck_assert(page->ended);
    page_read(page);
    ck_assert(page->is_complete);
    /* Messages that were not being written were dropped; the close is reported. */
    ck_assert_uint_lt(page->n_events, 5);
    ck_assert_str_eq(page->events[page->n_events - 1].type, "close");
    snprintf(header, sizeof header, "Last-Event-ID: %s\n", page->last_id);
    page = host_stream(&host, "/events", header);
    for (int i = (int)page->n_events; i < 3; i++)
        page_next(page);
    page_read(page);
    ck_assert_ptr_nonnull(strstr(page->events[page->n_events - 1].data, "\"complete\":true"));
}
END_TEST

START_TEST(back_pressure_is_notified_once)
{
    struct page *page;

    open_with(8000);
    page = host_stream(&host, "/events", NULL);
    page->writable = 0;
    for (int i = 0; i < 40; i++) {
        host_emit(&host, NULL, i);
        host_turn(&host);
    }
    ck_assert_int_eq(last_is_high, 1);
    ck_assert_int_eq(n_calls, 1);
    page->writable = SIZE_MAX;
    host_turn(&host);
    ck_assert_int_eq(last_is_high, 0);
    ck_assert_int_eq(n_calls, 2);
    for (int i = 0; i < 40; i++)
        page_expect_number(page, i);
}
END_TEST

START_TEST(a_recovery_waits_for_a_slow_client)
{
    struct page *page;
    char header[80];

    open_with(2000);
    page = host_stream(&host, "/events", NULL);
    snprintf(header, sizeof header, "Last-Event-ID: %s\n", page->last_id);
    page_free(page);
    for (int i = 0; i < 500; i++)
        host_emit(&host, NULL, i);
    host_turn(&host);
    page = host_stream(&host, "/events", header);
    for (int i = 0; i < 1000; i++) {
        page->writable = 100;
        host_turn(&host);
    }
    page->writable = SIZE_MAX;
    host_turn(&host);
    for (int i = 0; i < 500; i++)
        page_expect_number(page, i);
    page_expect(page, "message", "{\"type\":\"recovered\",\"data\":{\"complete\":true");
    ck_assert_uint_eq(host.n_disconnects, 1); /* the first one */
}
END_TEST

static void open_with_timeouts(uint32_t ping_interval_ms, uint32_t pong_timeout_ms)
{
    host_options_init(&options);
    options.endpoint.ping_interval_ms = ping_interval_ms;
    options.endpoint.pong_timeout_ms = pong_timeout_ms;
    host_open(&host, &options);
}

static void expect_ended_by_timeout(const struct page *page)
{
    ck_assert_uint_eq(host.n_disconnects, 1);
    ck_assert_uint_eq(host.code, WS_CLOSE_ABNORMAL);
    ck_assert(ws_http_ended(page->http));
}

static const struct {
    uint32_t ping_interval_ms;
    uint32_t pong_timeout_ms;
} timeouts[] = {{25000, 20000}, {0, 20000}, {5000, 20000}, {25000, 1000}, {20000, 20000}};

enum { N_TIMEOUTS = sizeof timeouts / sizeof *timeouts };

START_TEST(a_client_that_takes_nothing_is_ended)
{
    uint32_t timeout_ms = timeouts[_i].pong_timeout_ms;
    struct page *page;
    struct page *other;

    open_with_timeouts(timeouts[_i].ping_interval_ms, timeout_ms);
    page = host_stream(&host, "/events", NULL);
    other = host_stream(&host, "/events", NULL);
    host_pass(&host, 3700);
    page->writable = 0;
    host_emit(&host, NULL, 1);
    host_turn(&host);
    host_pass(&host, timeout_ms - 100);
    ck_assert_uint_eq(host.n_disconnects, 0);
    host_pass(&host, 200);
    expect_ended_by_timeout(page);
    ck_assert(!other->ended);
}
END_TEST

/* The time counts from the last byte, however long the loop had slept when it was taken. */
START_TEST(a_client_that_takes_something_has_the_whole_time_again)
{
    struct page *page;

    open_with_timeouts(timeouts[_i].ping_interval_ms, 20000);
    page = host_stream(&host, "/events", NULL);
    page->writable = 0;
    host_emit(&host, NULL, 1);
    host_turn(&host);
    for (int i = 0; i < 10; i++) {
        host_pass(&host, 10000);
        host.now += 9000;
        page->writable = 1;
        host_write(&host);
        host_turn(&host);
        ck_assert_uint_eq(page->writable, 0);
    }
    host_pass(&host, 19900);
    ck_assert_uint_eq(host.n_disconnects, 0);
    host_pass(&host, 200);
    expect_ended_by_timeout(page);
}
END_TEST

/* The loop slept long before, and so its time is old when the stream begins. */
START_TEST(the_first_message_has_the_whole_time)
{
    struct page *page = &host.pages[0];
    ws_http_request request;

    open_with_timeouts(timeouts[_i].ping_interval_ms, 20000);
    host.now += 3600000;
    *page = (struct page){.host = &host, .loop = host.loops[0]};
    host.n_pages = 1;
    ws_http_request_init(&request);
    request.method = "GET";
    request.target = "/events";
    request.http_minor = 0;
    ck_assert_int_eq(ws_http_new(host.loops[0], host.endpoint, page, &request, &page->http),
                     WS_OK);
    host_turn(&host);
    host_pass(&host, 19900);
    ck_assert_uint_eq(host.n_disconnects, 0);
    host_pass(&host, 200);
    expect_ended_by_timeout(page);
}
END_TEST

START_TEST(the_end_is_awaited_for_a_limited_time)
{
    struct page *page;

    open_with(1 << 20);
    page = host_stream(&host, "/events", NULL);
    page->writable = 0;
    ws_http_close(page->http, 1000, NULL);
    host_turn(&host);
    ck_assert(!ws_http_ended(page->http));
    host_pass(&host, 3100);
    ck_assert(ws_http_ended(page->http));
    ck_assert_uint_eq(host.n_disconnects, 1);
}
END_TEST

/* Each byte may be the last of a write. */
START_TEST(writes_are_cut_at_every_byte)
{
    struct page *page;

    open_with(1 << 20);
    page = host_request(&host, 0, "GET", "/events", "Accept-Encoding: gzip\n", NULL);
    page_expect(page, "message", "{\"type\":\"welcome\"");
    page->writable = 0;
    for (int i = 0; i < 20; i++)
        host_emit(&host, NULL, i);
    for (int i = 0; i < 4000; i++) {
        page->writable = 1;
        host_turn(&host);
    }
    for (int i = 0; i < 20; i++)
        page_expect_number(page, i);
    page_expect_nothing(page);
}
END_TEST

Suite *sse_suite(void)
{
    Suite *suite = suite_create("sse-queue");
    TCase *tests = tcase_create("queue");

    tcase_add_checked_fixture(tests, NULL, teardown);
    tcase_add_test(tests, a_client_that_reads_too_slowly_is_ended_and_recovers);
    tcase_add_test(tests, back_pressure_is_notified_once);
    tcase_add_test(tests, a_recovery_waits_for_a_slow_client);
    tcase_add_loop_test(tests, a_client_that_takes_nothing_is_ended, 0, N_TIMEOUTS);
    tcase_add_loop_test(tests, a_client_that_takes_something_has_the_whole_time_again, 0, 3);
    tcase_add_loop_test(tests, the_first_message_has_the_whole_time, 0, 3);
    tcase_add_test(tests, the_end_is_awaited_for_a_limited_time);
    tcase_add_test(tests, writes_are_cut_at_every_byte);
    suite_add_tcase(suite, tests);
    return suite;
}
