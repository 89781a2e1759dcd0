/* session_test.c: sessions of Engine.IO that HTTP requests carry: how they open, what polls and
 * posts get, and how they end; from the session's own loop and from another one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "polling/client.h"

static struct host_options options;

static void setup(void)
{
    polling_options_init(&options, WS_PROTOCOL_ENGINEIO);
    host_open(&host, &options);
}

static void teardown(void)
{
    host_close(&host);
}

static void expect_gone(void)
{
    expect_error(polling_poll(0), 400, 1);
    expect_error(polling_post(1, "4x"), 400, 1);
    ck_assert_uint_eq(host.n_disconnects, 1);
}

/* --- the beginning --------------------------------------------------------------------------- */

START_TEST(a_get_opens_a_session)
{
    const struct answer *answer = polling_exchange(0, "GET", "", NULL);
    const char *rest = strchr(answer->body, ',');

    expect_packets(answer, answer->body);
    ck_assert_ptr_nonnull(rest);
    ck_assert_str_eq(
        rest, ",\"upgrades\":[\"websocket\"],\"pingInterval\":10000,\"pingTimeout\":5000,"
              "\"maxPayload\":1000}");
    ck_assert_uint_eq(host.n_connects, 1);
}
END_TEST

static const struct {
    const char *method;
    const char *target;
    int code;
} refused[] = {
    {"GET", "/engine.io/", 0},
    {"GET", "/engine.io/?EIO=4", 0},
    {"GET", "/engine.io/?EIO=4&transport=abc", 0},
    {"GET", "/engine.io/?EIO=4&transport=%GG", 0},
    {"GET", "/engine.io/?transport=polling", 5},
    {"GET", "/engine.io/?EIO=abc&transport=polling", 5},
    {"GET", "/engine.io/?EIO=3&transport=polling", 5},
    {"POST", "/engine.io/?EIO=4&transport=polling", 2},
    {"PUT", "/engine.io/?EIO=4&transport=polling", 2},
    {"GET", "/engine.io/?EIO=4&transport=websocket", 3},
    {"GET", "/engine.io/?EIO=4&transport=polling&sid=abc", 1},
    {"GET", "/engine.io/?EIO=4&transport=polling&sid=", 1},
};

START_TEST(other_requests_are_refused_as_by_stock_servers)
{
    struct page *page =
        host_request(&host, 0, refused[_i].method, refused[_i].target, NULL, NULL);

    expect_error(polling_answer(page), 400, refused[_i].code);
    ck_assert_uint_eq(host.n_connects, 0);
}
END_TEST

START_TEST(the_application_may_refuse_a_session)
{
    const struct answer *answer;

    host.refuse_with = 403;
    answer = polling_exchange(0, "GET", "", NULL);
    ck_assert_int_eq(answer->status, 403);
    ck_assert_str_eq(answer->body, "{\"code\":4,\"message\":\"not you\"}");
}
END_TEST

START_TEST(another_endpoint_does_not_know_the_session)
{
    ws_endpoint *own = host.endpoint;

    polling_session();
    ck_assert_int_eq(ws_endpoint_new(host.manager, &options.endpoint, &host.endpoint), WS_OK);
    expect_error(polling_poll(0), 400, 1);
    ws_endpoint_free(host.endpoint);
    host.endpoint = own;
    ck_assert_str_eq(polling_post(0, "4x")->body, "ok");
}
END_TEST

START_TEST(pages_of_allowed_origins_may_use_it)
{
    struct page *page;

    host.allowed = "https://example.com";
    page = host_request(&host, 0, "OPTIONS", "/engine.io/?EIO=4&transport=polling",
                        "Origin: https://example.com\nAccess-Control-Request-Method: POST\n",
                        NULL);
    page_read(page);
    ck_assert_int_eq(page->status, 204);
    ck_assert_str_eq(page_header(page, "Access-Control-Allow-Origin"), "https://example.com");
    ck_assert_str_eq(page_header(page, "Access-Control-Allow-Credentials"), "true");
    page_free(page);
    page = host_request(&host, 0, "GET", "/engine.io/?EIO=4&transport=polling",
                        "Origin: https://example.com\n", NULL);
    page_read(page);
    ck_assert_int_eq(page->status, 200);
    ck_assert_str_eq(page_header(page, "Access-Control-Allow-Origin"), "https://example.com");
    ck_assert_str_eq(page_header(page, "Access-Control-Allow-Credentials"), "true");
}
END_TEST

START_TEST(pages_may_send_the_headers_that_the_options_name)
{
    static const char *const names[] = {"X-Token", "X-Trace"};
    static const char *const bad[] = {"X-Token", "X Trace"};
    static const char target[] = "/engine.io/?EIO=4&transport=polling";
    ws_endpoint *endpoint;
    struct page *page;

    options.endpoint.allowed_headers = bad;
    options.endpoint.n_allowed_headers = 2;
    ck_assert_int_eq(ws_endpoint_new(host.manager, &options.endpoint, &endpoint),
                     WS_ERR_INVALID);
    host_close(&host);
    options.endpoint.allowed_headers = names;
    host_open(&host, &options);
    host.allowed = "https://example.com";
    page = host_request(&host, 0, "OPTIONS", target, "Origin: https://example.com\n", NULL);
    page_read(page);
    ck_assert_int_eq(page->status, 204);
    ck_assert_str_eq(
        page_header(page, "Access-Control-Allow-Headers"),
        "Authorization, Cache-Control, Content-Type, Last-Event-ID, X-Token, X-Trace");
}
END_TEST

/* --- messages -------------------------------------------------------------------------------- */

START_TEST(packets_go_both_ways)
{
    const struct answer *answer;

    polling_session();
    answer = polling_post(_i, "4test");
    ck_assert_int_eq(answer->status, 200);
    ck_assert_str_eq(answer->type, "text/html");
    ck_assert_str_eq(answer->body, "ok");
    expect_packets(polling_poll(_i), "4test");
    ck_assert_str_eq(polling_post(_i, "4test1\x1e"
                                      "4test2\x1e"
                                      "bAQIDBA==\x1e"
                                      "6\x1e"
                                      "4")
                         ->body,
                     "ok");
    expect_packets(polling_poll(_i), "4test1\x1e"
                                     "4test2\x1e"
                                     "bAQIDBA==\x1e"
                                     "4");
}
END_TEST

START_TEST(a_poll_waits_for_packets)
{
    struct page *poll;

    polling_session();
    poll = polling_wait(_i);
    ck_assert_int_eq(polling_answer(poll)->status, 0);
    ck_assert_int_eq(ws_http_id(poll->http) != 0, _i == 0); /* on the session's loop */
    ck_assert_str_eq(polling_post(_i, "4a\x1e"
                                      "4b")
                         ->body,
                     "ok");
    if (_i == 0) { /* all that a turn brings, in one response */
        expect_packets(polling_answer(poll), "4a\x1e"
                                             "4b");
    } else {
        expect_packets(polling_answer(poll), "4a");
        expect_packets(polling_poll(_i), "4b");
    }
}
END_TEST

/* The answer waits in the inbox of a loop that comes late. */
START_TEST(what_was_carried_out_in_time_is_answered_so)
{
    struct page *request;

    host_close(&host);
    options.endpoint.handshake_timeout_ms = 1000;
    options.endpoint.ping_interval_ms = 0x3fffffff;
    host_open(&host, &options);
    polling_session();
    request = polling_begin_post(1, "4x");
    ws_loop_run(host.loops[1], host.now); /* from then on its time is counted */
    ws_loop_run(host.loops[0], host.now);
    host.now += 1100;
    host_turn(&host);
    ck_assert_str_eq(polling_answer(request)->body, "ok");
    expect_packets(polling_poll(0), "4x");
}
END_TEST

START_TEST(a_response_is_bounded)
{
    char text[402];
    char packet[403];

    memset(text, 'x', sizeof text);
    text[401] = '\0';
    snprintf(packet, sizeof packet, "4%s", text);
    polling_session();
    for (int i = 0; i < 5; i++)
        ck_assert_str_eq(polling_post(0, packet)->body, "ok");
    ck_assert_uint_eq(strlen(polling_poll(0)->body), 2 * strlen(packet) + 1);
    ck_assert_uint_eq(strlen(polling_poll(0)->body), 2 * strlen(packet) + 1);
    ck_assert_uint_eq(strlen(polling_poll(0)->body), strlen(packet));
}
END_TEST

START_TEST(a_body_is_bounded)
{
    char body[1002];

    memset(body, '4', sizeof body);
    body[1001] = '\0';
    polling_session();
    ck_assert_int_eq(polling_post(_i, body)->status, 413);
    body[1000] = '\0';
    ck_assert_int_eq(polling_post(_i, body)->status, 200);
}
END_TEST

/* --- ends ------------------------------------------------------------------------------------ */

static const char *const broken[] = {
    "abc", "", "\x1e", "4a\x1e", "b%%%", "0{}", "2", "5", "7", "4\xff",
};

START_TEST(a_payload_that_is_not_valid_ends_the_session)
{
    struct page *poll;

    polling_session();
    poll = polling_wait(0);
    expect_error(polling_post(_i % 2, broken[_i / 2]), 400, 3);
    expect_packets(polling_answer(poll), "1");
    expect_gone();
}
END_TEST

START_TEST(a_client_has_one_poll_at_a_time)
{
    struct page *first;

    polling_session();
    first = polling_wait(_i);
    expect_error(polling_poll(0), 400, 3);
    expect_packets(polling_answer(first), "1");
    expect_gone();
}
END_TEST

/* Each of them may be as large as an event, and none counts in the session's queue. */
START_TEST(a_client_has_two_unread_answers_at_a_time)
{
    struct page *unread[2];

    polling_session();
    for (int i = 0; i < 2; i++) {
        unread[i] = polling_wait(_i);
        unread[i]->writable = 20;
        ck_assert_str_eq(polling_post(0, "4unread")->body, "ok");
    }
    expect_error(polling_poll(_i), 400, 3);
    expect_gone();
    for (int i = 0; i < 2; i++)
        page_free(unread[i]);
}
END_TEST

/* However late the host frees its requests. */
START_TEST(answers_that_are_written_do_not_count)
{
    struct page *read[5];

    polling_session();
    for (int i = 0; i < 5; i++) {
        read[i] = polling_wait(_i);
        ck_assert_str_eq(polling_post(0, "4read")->body, "ok");
    }
    for (int i = 0; i < 5; i++)
        expect_packets(polling_answer(read[i]), "4read");
}
END_TEST

START_TEST(a_cancelled_poll_ends_the_session)
{
    struct page *poll;

    polling_session();
    poll = polling_wait(_i / 2);
    if (_i % 2 == 0)
        ws_http_eof(poll->http);
    else
        page_free(poll);
    host_turn(&host);
    expect_gone();
}
END_TEST

START_TEST(packets_that_were_not_written_end_the_session)
{
    struct page *poll;

    polling_session();
    poll = polling_wait(_i);
    poll->writable = 20;
    polling_post(0, "4lost");
    page_free(poll);
    host_turn(&host);
    expect_gone();
}
END_TEST

START_TEST(packets_for_a_poll_that_was_cancelled_meanwhile_end_the_session)
{
    struct page *poll;

    polling_session();
    poll = polling_wait(1);
    ws_manager_send_text(host.manager, connected, "lost", 4);
    ws_loop_run(host.loops[0], host.now); /* the packet is on its way to the other loop */
    page_free(poll);
    host_turn(&host);
    expect_gone();
}
END_TEST

START_TEST(a_post_that_is_cut_ends_the_session)
{
    ws_http_request request;
    char target[256];
    ws_http *http;

    snprintf(target, sizeof target, "/engine.io/?EIO=4&transport=polling%s", polling_session());
    ws_http_request_init(&request);
    request.method = "POST";
    request.target = target;
    request.headers = &(ws_header){"Host", "localhost"};
    request.n_headers = 1;
    ck_assert_int_eq(ws_http_new(host.loops[_i], host.endpoint, NULL, &request, &http), WS_OK);
    ws_http_receive(http, "4a", 2);
    ws_http_free(http);
    host_turn(&host);
    ck_assert_uint_eq(host.n_messages, 0);
    expect_gone();
}
END_TEST

START_TEST(the_client_closes_the_session)
{
    struct page *poll;

    polling_session();
    poll = polling_wait(_i);
    ck_assert_str_eq(polling_post(_i, "4last\x1e"
                                      "1\x1e"
                                      "4never")
                         ->body,
                     "ok");
    if (_i == 0)
        ck_assert_str_eq(polling_answer(poll)->body, "6");
    ck_assert_str_eq(host.message, "last");
    expect_gone();
    ck_assert_uint_eq(host.code, WS_CLOSE_NORMAL);
}
END_TEST

START_TEST(the_application_ends_the_session)
{
    struct page *poll;

    polling_session();
    poll = polling_wait(_i);
    ws_manager_disconnect(host.manager, connected, WS_CLOSE_NORMAL, "enough");
    host_turn(&host);
    expect_packets(polling_answer(poll), "1");
    expect_gone();
}
END_TEST

/* The sessions on all loops that have ended and wait for their client. */
static uint32_t unfetched(void)
{
    uint32_t count = ws_loop_unfetched_sessions(NULL);

    for (int i = 0; i < HOST_LOOPS; i++)
        count += ws_loop_unfetched_sessions(host.loops[i]);
    return count;
}

START_TEST(the_close_packet_waits_for_a_poll)
{
    polling_session();
    ws_manager_send_text(host.manager, connected, "last", 4);
    ws_manager_disconnect(host.manager, connected, WS_CLOSE_NORMAL, NULL);
    host_turn(&host);
    ck_assert_uint_eq(host.n_disconnects, 1);
    ck_assert_uint_eq(unfetched(), 1);
    expect_error(polling_post(_i, "4late"), 400, 3);
    expect_packets(polling_poll(_i), "4last\x1e"
                                     "1");
    ck_assert_uint_eq(unfetched(), 0);
    expect_gone();
}
END_TEST

START_TEST(the_close_packet_waits_for_a_limited_time)
{
    polling_session();
    ws_manager_disconnect(host.manager, connected, WS_CLOSE_NORMAL, NULL);
    host_turn(&host);
    ck_assert_uint_eq(unfetched(), 1);
    host_pass(&host, options.endpoint.close_timeout_ms + 100);
    ck_assert_uint_eq(unfetched(), 0);
    expect_gone();
}
END_TEST

/* --- heartbeats ------------------------------------------------------------------------------ */

START_TEST(polls_get_pings_and_posts_bring_pongs)
{
    polling_session();
    for (int i = 0; i < 3; i++) {
        struct page *poll = polling_wait(_i);

        host_pass(&host, 10100);
        expect_packets(polling_answer(poll), "2");
        host_pass(&host, 4000);
        ck_assert_str_eq(polling_post(_i, "3")->body, "ok");
    }
}
END_TEST

START_TEST(a_client_that_fetches_nothing_has_one_ping_in_its_queue)
{
    polling_session();
    for (int i = 0; i < 3; i++) {
        host_pass(&host, 10100);
        ck_assert_str_eq(polling_post(0, "3")->body, "ok");
    }
    expect_packets(polling_poll(0), "2");
}
END_TEST

START_TEST(a_client_that_does_not_answer_is_lost)
{
    polling_session();
    if (_i == 1)
        expect_packets((host_pass(&host, 10001), polling_poll(0)), "2");
    host_pass(&host, 15100);
    expect_gone();
    ck_assert_uint_eq(host.code, WS_CLOSE_ABNORMAL);
}
END_TEST

/* Timers are coarse, but a client that has heard nothing for both times finds no session. */
START_TEST(a_session_does_not_outlive_both_times)
{
    polling_session();
    host_pass(&host, 10000);
    host_pass(&host, 5000);
    expect_error(polling_poll(0), 400, 1);
}
END_TEST

/* --- queues ---------------------------------------------------------------------------------- */

static void fill_queue(void)
{
    static char text[1000];

    memset(text, 'x', sizeof text);
    for (int i = 0; i < 100; i++)
        ws_manager_send_text(host.manager, connected, text, sizeof text);
    host_turn(&host);
}

START_TEST(a_client_that_does_not_fetch_is_too_slow)
{
    host_close(&host);
    options.endpoint.max_queue_bytes = 20000;
    host_open(&host, &options);
    polling_session();
    fill_queue();
    ck_assert_uint_eq(host.n_disconnects, 1);
    ck_assert_uint_eq(host.code, WS_CLOSE_TRY_AGAIN_LATER);
    expect_packets(polling_poll(_i), "1"); /* the queue is dropped */
    expect_gone();
}
END_TEST

static int high, low;

static void note_backpressure(struct host *of, int is_high)
{
    (void)of;
    high += is_high != 0;
    low += is_high == 0;
}

START_TEST(the_application_learns_of_back_pressure)
{
    host_close(&host);
    options.endpoint.queue_high_bytes = 50000;
    options.endpoint.queue_low_bytes = 10000;
    options.endpoint.max_message_bytes = 30000;
    host_open(&host, &options);
    host.on_backpressure = note_backpressure;
    high = low = 0;
    polling_session();
    fill_queue();
    ck_assert_int_eq(high, 1);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(low, 0);
        ck_assert_int_eq(polling_poll(_i)->status, 200);
    }
    host_pass(&host, 100);
    ck_assert_int_eq(polling_poll(_i)->status, 200);
    host_pass(&host, 100);
    ck_assert_int_eq(low, 1);
}
END_TEST

/* A burst right behind the polls that emptied the queue: that it was at its low mark for a moment
 * is not worth a call, and the last call says what is. */
START_TEST(a_queue_that_is_full_again_was_not_writable)
{
    host_close(&host);
    options.endpoint.queue_high_bytes = 50000;
    options.endpoint.queue_low_bytes = 10000;
    options.endpoint.max_message_bytes = 30000;
    host_open(&host, &options);
    host.on_backpressure = note_backpressure;
    high = low = 0;
    polling_session();
    fill_queue();
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(polling_poll(_i)->status, 200);
    fill_queue();
    host_pass(&host, 100);
    ck_assert_int_eq(high, 1);
    ck_assert_int_eq(low, 0);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(polling_poll(_i)->status, 200);
    host_pass(&host, 100);
    ck_assert_int_eq(high, 1);
    ck_assert_int_eq(low, 1);
}
END_TEST

static void free_poll(struct host *of)
{
    for (size_t i = 0; i < of->n_pages; i++)
        if (of->pages[i].http != NULL)
            page_free(&of->pages[i]);
}

START_TEST(the_host_may_free_requests_in_a_callback)
{
    polling_session();
    polling_wait(0);
    host.on_message = free_poll;
    polling_post(0, "4a\x1e"
                    "4b");
    ck_assert_uint_eq(host.n_messages, 1);
    host.on_message = NULL;
    expect_gone();
}
END_TEST

Suite *sse_suite(void)
{
    const int n_refused = sizeof refused / sizeof *refused;
    const int n_broken = sizeof broken / sizeof *broken;
    Suite *suite = suite_create("polling-session");
    TCase *tests = tcase_create("sessions");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_get_opens_a_session);
    tcase_add_loop_test(tests, other_requests_are_refused_as_by_stock_servers, 0, n_refused);
    tcase_add_test(tests, the_application_may_refuse_a_session);
    tcase_add_test(tests, another_endpoint_does_not_know_the_session);
    tcase_add_test(tests, pages_of_allowed_origins_may_use_it);
    tcase_add_test(tests, pages_may_send_the_headers_that_the_options_name);
    tcase_add_loop_test(tests, packets_go_both_ways, 0, 2);
    tcase_add_loop_test(tests, a_poll_waits_for_packets, 0, 2);
    tcase_add_test(tests, what_was_carried_out_in_time_is_answered_so);
    tcase_add_test(tests, a_response_is_bounded);
    tcase_add_loop_test(tests, a_body_is_bounded, 0, 2);
    tcase_add_loop_test(tests, a_payload_that_is_not_valid_ends_the_session, 0, 2 * n_broken);
    tcase_add_loop_test(tests, a_client_has_one_poll_at_a_time, 0, 2);
    tcase_add_loop_test(tests, a_client_has_two_unread_answers_at_a_time, 0, 2);
    tcase_add_loop_test(tests, answers_that_are_written_do_not_count, 0, 2);
    tcase_add_loop_test(tests, a_cancelled_poll_ends_the_session, 0, 4);
    tcase_add_loop_test(tests, packets_that_were_not_written_end_the_session, 0, 2);
    tcase_add_test(tests, packets_for_a_poll_that_was_cancelled_meanwhile_end_the_session);
    tcase_add_loop_test(tests, a_post_that_is_cut_ends_the_session, 0, 2);
    tcase_add_loop_test(tests, the_client_closes_the_session, 0, 2);
    tcase_add_loop_test(tests, the_application_ends_the_session, 0, 2);
    tcase_add_loop_test(tests, the_close_packet_waits_for_a_poll, 0, 2);
    tcase_add_test(tests, the_close_packet_waits_for_a_limited_time);
    tcase_add_loop_test(tests, polls_get_pings_and_posts_bring_pongs, 0, 2);
    tcase_add_test(tests, a_client_that_fetches_nothing_has_one_ping_in_its_queue);
    tcase_add_loop_test(tests, a_client_that_does_not_answer_is_lost, 0, 2);
    tcase_add_test(tests, a_session_does_not_outlive_both_times);
    tcase_add_loop_test(tests, a_client_that_does_not_fetch_is_too_slow, 0, 2);
    tcase_add_loop_test(tests, the_application_learns_of_back_pressure, 0, 2);
    tcase_add_loop_test(tests, a_queue_that_is_full_again_was_not_writable, 0, 2);
    tcase_add_test(tests, the_host_may_free_requests_in_a_callback);
    suite_add_tcase(suite, tests);
    return suite;
}
