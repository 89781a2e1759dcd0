/* post_test.c: messages that clients send with POST: carried out in order, answered, refused; from
 * the stream's own loop and from another one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sse/host.h"

static struct host host;
static struct host_options options;
static char target[256];

#define JSON "Content-Type: application/json\n"

static void setup(void)
{
    host_options_init(&options);
    options.endpoint.max_message_bytes = 1000;
    host_open(&host, &options);
}

static void teardown(void)
{
    host_close(&host);
}

/* A stream on the first loop, whose session is in `target`. */
static struct page *open_session(void)
{
    struct page *page = host_request(&host, 0, "GET", "/events", NULL, NULL);

    snprintf(target, sizeof target, "/events?session=%s",
             page_session(page_expect(page, "message", "{\"type\":\"welcome\"")));
    return page;
}

static struct page *post(int loop, const char *headers, const char *body, int status)
{
    struct page *page = host_request(&host, loop, "POST", target, headers, body);

    page_read(page);
    ck_assert_msg(page->status == status, "%d instead of %d: %s", page->status, status,
                  page->received != NULL ? page->received : "");
    ck_assert(page->ended);
    return page;
}

static void expect_client_errors(unsigned count)
{
    char expected[64];
    char *text;

    snprintf(expected, sizeof expected, "\"client_errors\":%u,", count);
    ck_assert_int_eq(ws_manager_get_stats(host.manager, &text, NULL), WS_OK);
    ck_assert_msg(strstr(text, expected) != NULL, "%s is not in %s", expected, text);
    ws_manager_free_text(host.manager, text);
}

START_TEST(requests_are_carried_out_and_answered_in_the_stream)
{
    struct page *stream = open_session();
    struct page *page;

    ck_assert_ptr_eq(ws_manager_session_loop(host.manager, target), host.loops[0]);
    page = post(_i, JSON, "{\"type\":\"join_room\",\"room\":\"a\",\"ref\":1}", 204);

    ck_assert(page->kept_alive);
    ck_assert_ptr_null(page_header(page, "Content-Length"));
    page_expect(stream, "message",
                "{\"type\":\"room_joined\",\"ref\":1,\"data\":{\"room\":\"a\"");
    host_emit(&host, "a", 7);
    host_turn(&host);
    page_expect_number(stream, 7);
    post(_i, "Content-Type: text/plain;charset=UTF-8\n", "{\"type\":\"ping\",\"ref\":\"x\"}",
         204);
    page_expect(stream, "message", "{\"type\":\"pong\",\"ref\":\"x\"");
    ck_assert_ptr_nonnull(strstr(stream->events[stream->n_events - 1].data, stream->last_id));
    post(_i, JSON, "{\"type\":\"message\",\"room\":\"a\",\"data\":[5]}", 204);
    ck_assert_str_eq(host.message, "[5]");
    post(_i, JSON, "{\"type\":\"leave_room\",\"room\":\"a\"}", 204);
    page_expect(stream, "message", "{\"type\":\"room_left\"");
    post(_i, JSON, "nonsense", 204);
    page_expect(stream, "message", "{\"type\":\"error\"");
    post(_i, JSON, "", 204);
    page_expect(stream, "message", "{\"type\":\"error\"");
    page_expect_nothing(stream);
}
END_TEST

static void keep_response(ws_manager *manager, ws_conn_id connection,
                          const ws_response *response, void *user_data)
{
    (void)manager;
    (void)connection;
    snprintf(user_data, 64, "%d %s", response->result,
             response->data != NULL ? response->data : "-");
}

START_TEST(a_request_comes_in_the_stream_and_its_response_is_posted)
{
    struct page *stream = open_session();
    char got[64] = "";
    ws_request request;

    ws_request_init(&request);
    request.method = "total";
    request.on_response = keep_response;
    request.user_data = got;
    ck_assert_int_eq(ws_manager_request(host.manager, ws_http_id(stream->http), &request),
                     WS_OK);
    host_turn(&host);
    page_expect(stream, "message",
                "{\"type\":\"request\",\"ref\":\"1\",\"method\":\"total\",\"data\":null}");
    post(_i, JSON, "{\"type\":\"response\",\"ref\":\"1\",\"data\":[3]}", 204);
    ck_assert_str_eq(got, "0 [3]");
    post(_i, JSON, "{\"type\":\"message\",\"ref\":\"m\"}", 204);
    page_expect(stream, "message", "{\"type\":\"ack\",\"ref\":\"m\",\"data\":null}");
    page_expect_nothing(stream);
}
END_TEST

START_TEST(a_post_without_the_session_is_refused)
{
    char session[128];

    open_session();
    strcpy(session, target);
    target[strlen(target) - 1] ^= 1;
    post(_i, JSON, "{}", 404);
    strcpy(target, "/events?session=x");
    post(_i, JSON, "{}", 404);
    strcpy(target, "/events?session=");
    post(_i, JSON, "{}", 404);
    strcpy(target, "/events");
    post(_i, JSON, "{}", 400);
    /* The other fields of a session's id are not the secret. */
    strcpy(target, session);
    memset(strrchr(target, '.') + 1, '0', 32);
    post(_i, JSON, "{}", 404);
    ck_assert_uint_eq(host.n_messages, 0);
    expect_client_errors(5);
}
END_TEST

START_TEST(the_session_is_its_users)
{
    struct page *stream;

    host.user_id = "ann";
    stream = open_session();
    host.user_id = "eve";
    post(_i, JSON, "{\"type\":\"ping\"}", 403);
    host.user_id = NULL;
    post(_i, JSON, "{\"type\":\"ping\"}", 403);
    page_expect_nothing(stream);
    expect_client_errors(2);
    host.user_id = "ann";
    post(_i, JSON, "{\"type\":\"ping\"}", 204);
    page_expect(stream, "message", "{\"type\":\"pong\"");
}
END_TEST

START_TEST(bodies_that_are_refused)
{
    char *large = malloc(1002);

    open_session();
    memset(large, ' ', 1001);
    large[1001] = '\0';
    post(0, JSON, large, 413);
    large[1000] = '\0';
    post(0, JSON, large, 204);
    post(0, NULL, "{}", 415);
    post(0, "Content-Type: application/x-www-form-urlencoded\n", "{}", 415);
    post(0, "Content-Type: application/jsonp\n", "{}", 415);
    post(0, JSON, "{\"type\":\"\xff\"}", 400);
    expect_client_errors(6); /* five posts, and spaces are no message */
    free(large);
}
END_TEST

START_TEST(a_stream_that_has_ended_takes_nothing)
{
    page_free(open_session());
    post(_i, JSON, "{\"type\":\"ping\"}", 404);
}
END_TEST

static void end_stream(struct host *of)
{
    page_free(&of->pages[0]);
}

START_TEST(a_message_may_end_its_stream)
{
    open_session();
    host.on_message = end_stream;
    post(_i, JSON, "{\"type\":\"message\",\"data\":1}", 204);
    ck_assert_uint_eq(host.n_disconnects, 1);
    post(_i, JSON, "{\"type\":\"message\",\"data\":1}", 404);
}
END_TEST

/* The request is freed while its message is on its way. */
START_TEST(the_client_does_not_wait)
{
    struct page *stream = open_session();
    ws_header headers[] = {{"Host", "h"}, {"Content-Type", "text/plain"}};
    ws_http_request request;
    ws_http *http;

    ws_http_request_init(&request);
    request.method = "POST";
    request.target = target;
    request.headers = headers;
    request.n_headers = 2;
    ck_assert_int_eq(ws_http_new(host.loops[_i], host.endpoint, &host, &request, &http), WS_OK);
    ck_assert_int_eq(ws_http_wants_read(http), 1);
    ck_assert_int_eq(ws_http_receive(http, "{\"type\":", 8), WS_OK);
    ck_assert_int_eq(ws_http_receive(http, "\"ping\"}", 7), WS_OK);
    ck_assert_int_eq(ws_http_end(http), WS_OK);
    ws_http_free(http);
    host_turn(&host);
    page_expect(stream, "message", "{\"type\":\"pong\"");
}
END_TEST

/* A loop that ends drops the calls in its inbox. */
START_TEST(a_loop_ends_with_calls_in_its_inbox)
{
    ws_header headers[] = {{"Host", "h"}, {"Content-Type", "text/plain"}};
    ws_http_request request;
    ws_http *http;
    struct page *stream = open_session();

    ws_http_request_init(&request);
    request.method = "POST";
    request.target = target;
    request.headers = headers;
    request.n_headers = 2;
    ck_assert_int_eq(ws_http_new(host.loops[1], host.endpoint, &host, &request, &http), WS_OK);
    ck_assert_int_eq(ws_http_end(http), WS_OK);
    page_free(stream);
    ws_loop_free(host.loops[0]);
    host.loops[0] = NULL;
    ws_loop_run(host.loops[1], host.now);
    ws_loop_run(host.loops[1], host.now + 10100);
    ck_assert_ptr_eq(ws_loop_next_http(host.loops[1]), http);
    ws_http_free(http);
}
END_TEST

START_TEST(a_body_that_takes_too_long)
{
    ws_header headers[] = {{"Host", "h"}, {"Content-Type", "text/plain"}};
    struct iovec iov[2];
    ws_http_request request;
    ws_http *http;

    open_session();
    ws_http_request_init(&request);
    request.method = "POST";
    request.target = target;
    request.headers = headers;
    request.n_headers = 2;
    ck_assert_int_eq(ws_http_new(host.loops[0], host.endpoint, &host, &request, &http), WS_OK);
    ws_loop_run(host.loops[0], host.now);
    ws_loop_run(host.loops[0], host.now + 10100);
    ck_assert_int_eq(ws_http_output(http, iov, 2), 1);
    ck_assert(memcmp(iov[0].iov_base, "HTTP/1.1 408 ", 13) == 0);
    ws_http_free(http);
}
END_TEST

/* What waits for a stream's turn is bounded: the rest is refused with 429. */
START_TEST(too_many_messages_wait)
{
    enum { N = 400 };
    ws_header headers[] = {{"Host", "h"}, {"Content-Type", "text/plain"}};
    ws_http *https[N];
    ws_http_request request;
    struct page *stream = open_session();
    int n_taken = 0;
    int n_refused = 0;

    ws_http_request_init(&request);
    request.method = "POST";
    request.target = target;
    request.headers = headers;
    request.n_headers = 2;
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq(ws_http_new(host.loops[_i], host.endpoint, &host, &request, &https[i]),
                         WS_OK);
        ws_http_receive(https[i], "{\"type\":\"ping\"}", 15);
        ws_http_end(https[i]);
    }
    for (int turn = 0; turn < 100; turn++) {
        ws_loop_run(host.loops[0], host.now);
        ws_loop_run(host.loops[1], host.now);
    }
    for (int i = 0; i < N; i++) {
        struct iovec iov[2];

        ck_assert_int_eq(ws_http_output(https[i], iov, 2), 1);
        n_taken += memcmp(iov[0].iov_base, "HTTP/1.1 204 ", 13) == 0;
        if (memcmp(iov[0].iov_base, "HTTP/1.1 429 ", 13) == 0) {
            n_refused++;
            ck_assert_ptr_nonnull(strstr(iov[0].iov_base, "\r\nRetry-After: 1\r\n"));
        }
        ws_http_free(https[i]);
    }
    ck_assert_int_eq(n_taken, 256);
    ck_assert_int_eq(n_taken + n_refused, N);
    host_turn(&host);
    page_read(stream);
    ck_assert_uint_eq(stream->n_events, 1 + 256);
}
END_TEST

/* A client that does not read what its room keeps: its messages wait. */
static struct page *enter_slowly(void)
{
    ws_last_values_options keep;
    struct page *stream;
    char data[100];

    host_close(&host);
    host_options_init(&options);
    options.endpoint.queue_high_bytes = 600;
    options.endpoint.ping_interval_ms = 60000;
    host_open(&host, &options);
    ws_last_values_options_init(&keep);
    keep.by_key = 0;
    ck_assert_int_eq(ws_manager_keep_last_values(host.manager, &keep), WS_OK);
    memset(data, '1', sizeof data);
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(
            ws_manager_emit_to_room(host.manager, "r", "order_created", data, sizeof data),
            WS_OK);
    stream = open_session();
    stream->writable = 0;
    post(0, JSON, "{\"type\":\"join_room\",\"room\":\"r\",\"state\":true}", 204);
    return stream;
}

static void drain_stream(struct page *stream)
{
    stream->writable = SIZE_MAX;
    for (int i = 0; i < 20; i++)
        host_turn(&host);
}

START_TEST(what_was_answered_with_503_is_not_carried_out)
{
    static const char message[] = "{\"type\":\"message\",\"data\":1}";
    struct page *stream = enter_slowly();
    struct page *late = host_request(&host, _i, "POST", target, JSON, message);
    struct page *in_time;

    host_pass(&host, options.endpoint.handshake_timeout_ms - 1000);
    in_time = host_request(&host, _i, "POST", target, JSON, message);
    ck_assert(!late->ended);
    host_pass(&host, 1100);
    page_read(late);
    ck_assert_int_eq(late->status, 503);
    drain_stream(stream);
    page_read(in_time);
    ck_assert_int_eq(in_time->status, 204);
    ck_assert_uint_eq(host.n_messages, 1);
}
END_TEST

/* The answer waits in the inbox of a loop that comes late. */
START_TEST(what_was_carried_out_in_time_is_answered_so)
{
    ws_header headers[] = {{"Host", "h"}, {"Content-Type", "text/plain"}};
    static const char message[] = "{\"type\":\"message\",\"data\":1}";
    struct iovec iov[2];
    ws_http_request request;
    ws_http *http;

    open_session();
    ws_http_request_init(&request);
    request.method = "POST";
    request.target = target;
    request.headers = headers;
    request.n_headers = 2;
    ck_assert_int_eq(ws_http_new(host.loops[1], host.endpoint, &host, &request, &http), WS_OK);
    ck_assert_int_eq(ws_http_receive(http, message, strlen(message)), WS_OK);
    ck_assert_int_eq(ws_http_end(http), WS_OK);
    ws_loop_run(host.loops[1], host.now); /* from then on its time is counted */
    ws_loop_run(host.loops[0], host.now);
    ck_assert_uint_eq(host.n_messages, 1);
    ws_loop_run(host.loops[1], host.now + options.endpoint.handshake_timeout_ms + 100);
    ck_assert_int_eq(ws_http_output(http, iov, 2), 1);
    ck_assert(memcmp(iov[0].iov_base, "HTTP/1.1 204 ", 13) == 0);
    ws_http_free(http);
}
END_TEST

START_TEST(a_sender_that_is_too_fast_gets_the_error_in_the_stream)
{
    struct page *stream;

    host_close(&host);
    host_options_init(&options);
    options.manager.message_rate = 1;
    options.manager.message_burst = 2;
    host_open(&host, &options);
    stream = open_session();
    for (int i = 0; i < 3; i++)
        post(0, JSON, "{\"type\":\"ping\"}", 204);
    page_expect(stream, "message", "{\"type\":\"pong\"");
    page_expect(stream, "message", "{\"type\":\"pong\"");
    page_expect(stream, "message", "{\"type\":\"error\",\"data\":{\"code\":\"rate_limited\"");
}
END_TEST

Suite *sse_suite(void)
{
    Suite *suite = suite_create("sse-post");
    TCase *tests = tcase_create("post");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, requests_are_carried_out_and_answered_in_the_stream, 0, 2);
    tcase_add_loop_test(tests, a_request_comes_in_the_stream_and_its_response_is_posted, 0, 2);
    tcase_add_loop_test(tests, a_post_without_the_session_is_refused, 0, 2);
    tcase_add_loop_test(tests, the_session_is_its_users, 0, 2);
    tcase_add_test(tests, bodies_that_are_refused);
    tcase_add_loop_test(tests, a_stream_that_has_ended_takes_nothing, 0, 2);
    tcase_add_loop_test(tests, a_message_may_end_its_stream, 0, 2);
    tcase_add_loop_test(tests, the_client_does_not_wait, 0, 2);
    tcase_add_test(tests, a_loop_ends_with_calls_in_its_inbox);
    tcase_add_test(tests, a_body_that_takes_too_long);
    tcase_add_test(tests, too_many_messages_wait);
    tcase_add_loop_test(tests, what_was_answered_with_503_is_not_carried_out, 0, 2);
    tcase_add_test(tests, what_was_carried_out_in_time_is_answered_so);
    tcase_add_test(tests, a_sender_that_is_too_fast_gets_the_error_in_the_stream);
    suite_add_tcase(suite, tests);
    return suite;
}
