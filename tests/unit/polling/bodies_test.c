/* bodies_test.c: the memory of bodies that arrive, of POST requests that poll and of those of event
 * streams. */
#include <stdio.h>
#include <string.h>

#include "polling/client.h"
#include "support/unfinished_crowd.h"

static struct host_options options;
static char target[256];
static char part[601];   /* takes 1,024 bytes */
static char whole[1002]; /* is too large */

/* Polling, or with `is_events` event streams; opens a session. */
static void open_session(bool is_events)
{
    polling_options_init(&options, is_events ? WS_PROTOCOL_JSON : WS_PROTOCOL_SOCKETIO);
    host_open(&host, &options);
    memset(part, ' ', sizeof part - 1);
    memset(whole, ' ', sizeof whole - 1);
    if (is_events)
        snprintf(target, sizeof target, "/events?session=%s",
                 page_session(page_expect(host_request(&host, 0, "GET", "/events", NULL, NULL),
                                          "message", "{\"type\":\"welcome\"")));
    else
        snprintf(target, sizeof target, "/engine.io/?EIO=4&transport=polling%s",
                 polling_session());
}

static void teardown(void)
{
    host_close(&host);
}

/* A POST of which the head has arrived. */
static ws_http *begin(void)
{
    ws_header headers[] = {{"Host", "h"}, {"Content-Type", "text/plain"}};
    ws_http_request request;
    ws_http *http;

    ws_http_request_init(&request);
    request.method = "POST";
    request.target = target;
    request.headers = headers;
    request.n_headers = 2;
    ck_assert_int_eq(ws_http_new(host.loops[0], host.endpoint, &host, &request, &http), WS_OK);
    return http;
}

static void send_part(ws_http *http)
{
    ck_assert_int_eq(ws_http_receive(http, part, strlen(part)), WS_OK);
}

/* Checks that a request is answered with this status, and frees it. */
static void expect_status(ws_http *http, int status)
{
    struct iovec iov[2];
    char expected[32];

    snprintf(expected, sizeof expected, "HTTP/1.1 %d ", status);
    ck_assert_int_ge(ws_http_output(http, iov, 2), 1);
    ck_assert(memcmp(iov[0].iov_base, expected, strlen(expected)) == 0);
    ws_http_free(http);
}

static bool is_unanswered(ws_http *http)
{
    struct iovec iov[1];

    return ws_http_output(http, iov, 1) == 0;
}

START_TEST(the_oldest_large_body_gives_way)
{
    ws_http *first;
    ws_http *last;

    open_session(_i);
    first = begin();
    last = begin();
    send_part(first);
    unfinished_crowd_begin(host.loops[0]);
    ck_assert(is_unanswered(first));
    send_part(last);
    expect_status(first, 503);
    ck_assert(is_unanswered(last));
    ws_http_free(last);
    unfinished_crowd_end(host.loops[0]);
}
END_TEST

START_TEST(a_body_that_becomes_large_gives_way)
{
    ws_http *first;
    ws_http *last;

    open_session(_i);
    first = begin();
    last = begin();
    ws_http_receive(first, "4", 1);
    send_part(last);
    unfinished_crowd_begin(host.loops[0]);
    send_part(first);
    ck_assert_int_eq(ws_http_receive(first, "4", 1), WS_OK); /* it is ignored */
    ws_http_end(first);
    expect_status(first, 503);
    ck_assert(is_unanswered(last));
    ws_http_free(last);
    unfinished_crowd_end(host.loops[0]);
}
END_TEST

START_TEST(nothing_is_kept_behind_an_answer)
{
    long n_blocks;
    ws_http *http;

    open_session(_i);
    n_blocks = host.memory.n_blocks;
    http = begin();
    ws_http_receive(http, whole, strlen(whole)); /* of it nothing was ever kept */
    n_blocks = host.memory.n_blocks - n_blocks;
    expect_status(http, 413);
    n_blocks += host.memory.n_blocks;
    http = begin();
    send_part(http);
    ck_assert_uint_eq(unfinished_bytes(host.loops[0]), 1024);
    send_part(http);
    ck_assert_uint_eq(unfinished_bytes(host.loops[0]), 0);
    ck_assert_int_eq(host.memory.n_blocks, n_blocks);
    expect_status(http, 413);
    http = begin();
    send_part(http);
    ws_loop_run(host.loops[0], host.now);
    ws_loop_run(host.loops[0], host.now + 10100);
    ck_assert_uint_eq(unfinished_bytes(host.loops[0]), 0);
    expect_status(http, 408);
}
END_TEST

START_TEST(what_is_complete_or_gone_is_not_counted)
{
    ws_http *complete;
    ws_http *gone;

    open_session(_i);
    complete = begin();
    gone = begin();
    send_part(complete);
    send_part(gone);
    ck_assert_uint_eq(unfinished_bytes(host.loops[0]), 2048);
    ws_http_end(complete);
    ck_assert_uint_eq(unfinished_bytes(host.loops[0]), 1024);
    ws_http_eof(gone);
    ck_assert_uint_eq(unfinished_bytes(host.loops[0]), 0);
    ws_http_free(gone);
    ws_http_free(complete);
}
END_TEST

Suite *sse_suite(void)
{
    Suite *suite = suite_create("polling-bodies");
    TCase *tests = tcase_create("bodies");

    tcase_add_checked_fixture(tests, NULL, teardown);
    tcase_add_loop_test(tests, the_oldest_large_body_gives_way, 0, 2);
    tcase_add_loop_test(tests, a_body_that_becomes_large_gives_way, 0, 2);
    tcase_add_loop_test(tests, nothing_is_kept_behind_an_answer, 0, 2);
    tcase_add_loop_test(tests, what_is_complete_or_gone_is_not_counted, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
