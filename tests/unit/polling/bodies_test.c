/* bodies_test.c: the memory of bodies that arrive, or wait to be carried out, of POST requests that
 * poll and of those of event streams. */
#include <stdio.h>
#include <string.h>

#include "polling/client.h"
#include "support/unfinished_crowd.h"

static struct host_options options;
static char target[256];
static char part[601];   /* takes 1,024 bytes */
static char whole[1002]; /* is too large */

static int admit(ws_handshake *handshake, void *user_data)
{
    (void)handshake;
    (void)user_data;
    return WS_OK;
}

/* Polling, or with `is_events` event streams; opens a session. Returns the stream, or NULL. */
static struct page *open_session(bool is_events)
{
    struct page *stream = NULL;

    polling_options_init(&options, is_events ? WS_PROTOCOL_JSON : WS_PROTOCOL_SOCKETIO);
    options.endpoint.accept_handshake = admit;
    options.endpoint.queue_high_bytes = 600;
    host_open(&host, &options);
    memset(part, ' ', sizeof part - 1);
    memset(whole, ' ', sizeof whole - 1);
    if (is_events) {
        stream = host_request(&host, 0, "GET", "/events", NULL, NULL);
        snprintf(target, sizeof target, "/events?session=%s",
                 page_session(page_expect(stream, "message", "{\"type\":\"welcome\"")));
    } else {
        snprintf(target, sizeof target, "/engine.io/?EIO=4&transport=polling%s",
                 polling_session());
    }
    return stream;
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

static void post(const char *body, int status)
{
    struct page *page =
        host_request(&host, 0, "POST", target, "Content-Type: text/plain\n", body);

    page_read(page);
    ck_assert_int_eq(page->status, status);
    page_free(page);
}

/* Opens a session whose client has entered a room, and has to read what that keeps. */
static void enter_slowly(bool is_events)
{
    ws_last_values_options keep;
    struct page *stream = open_session(is_events);
    char data[100];

    ws_last_values_options_init(&keep);
    keep.by_key = 0;
    ck_assert_int_eq(ws_manager_keep_last_values(host.manager, &keep), WS_OK);
    memset(data, '1', sizeof data);
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(
            ws_manager_emit_to_room(host.manager, "r", "order_created", data, sizeof data),
            WS_OK);
    if (is_events) {
        stream->writable = 0;
        post("{\"type\":\"join_room\",\"room\":\"r\",\"state\":true}", 204);
    } else {
        post("40", 200);
        post("42[\"join_room\",\"r\",{\"state\":true}]", 200);
    }
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

START_TEST(the_oldest_body_that_waits_gives_way)
{
    ws_http *first;
    ws_http *last;

    enter_slowly(_i);
    first = begin();
    last = begin();
    send_part(first);
    ws_http_end(first);
    ws_loop_run(host.loops[0], host.now);
    ck_assert_uint_ge(unfinished_bytes(host.loops[0]), 1024);
    unfinished_crowd_begin(host.loops[0]);
    ck_assert(is_unanswered(first));
    send_part(last);
    expect_status(first, 503);
    ck_assert(is_unanswered(last));
    ws_http_free(last);
    unfinished_crowd_end(host.loops[0]);
}
END_TEST

START_TEST(the_messages_of_a_stream_give_way_to_its_next_one)
{
    ws_http *first;
    ws_http *last;

    enter_slowly(true);
    first = begin();
    last = begin();
    ws_http_receive(first, part, 450);
    ws_http_end(first);
    unfinished_crowd_begin(host.loops[0]);
    ws_http_receive(last, part, 400);
    ck_assert(is_unanswered(first));
    ws_http_end(last);
    expect_status(first, 503);
    expect_status(last, 503);
    unfinished_crowd_end(host.loops[0]);
}
END_TEST

/* The memory of a request that was answered, and whose answer was not read. */
START_TEST(nothing_of_a_body_is_kept_behind_its_answer)
{
    const char *body = _i ? "{}" : "3";
    long n_refused;
    long n_answered;
    ws_http *http;

    open_session(_i);
    post(body, _i ? 204 : 200);
    n_refused = host.memory.n_blocks;
    http = begin();
    ws_http_receive(http, whole, strlen(whole)); /* of it nothing was ever kept */
    n_refused = host.memory.n_blocks - n_refused;
    expect_status(http, 413);
    n_answered = host.memory.n_blocks;
    http = begin();
    ws_http_receive(http, body, strlen(body));
    ws_http_end(http);
    ws_loop_run(host.loops[0], host.now);
    host_write(&host);
    ck_assert_int_eq(host.memory.n_blocks - n_answered, n_refused);
    expect_status(http, _i ? 204 : 200);
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
    ck_assert_uint_ge(unfinished_bytes(host.loops[0]), 2048);
    ws_loop_run(host.loops[0], host.now); /* carries it out */
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
    tcase_add_loop_test(tests, the_oldest_body_that_waits_gives_way, 0, 2);
    tcase_add_test(tests, the_messages_of_a_stream_give_way_to_its_next_one);
    tcase_add_loop_test(tests, nothing_of_a_body_is_kept_behind_its_answer, 0, 2);
    tcase_add_loop_test(tests, what_is_complete_or_gone_is_not_counted, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
