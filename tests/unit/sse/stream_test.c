/* stream_test.c: the life of an event stream: its head, its events, recovery, heartbeats, its end.
 * Not here: clients that read slowly (queue_test.c), and what clients send (post_test.c). */
#include <stdio.h>
#include <string.h>

#include <ws_manager/cluster.h>

#include "sse/host.h"

static struct host host;
static struct host_options options;

static void setup(void)
{
    host_options_init(&options);
    host_open(&host, &options);
}

static void teardown(void)
{
    host_close(&host);
}

START_TEST(a_stream_has_a_head_and_begins_with_the_welcome)
{
    struct page *page;

    host.user_id = "ann";
    page = host_stream(&host, "/events", NULL);
    ck_assert_int_eq(page->status, 200);
    ck_assert_str_eq(page_header(page, "Content-Type"), "text/event-stream");
    ck_assert_str_eq(page_header(page, "Cache-Control"), "no-cache, no-transform");
    ck_assert_str_eq(page_header(page, "X-Accel-Buffering"), "no");
    ck_assert_str_eq(page_header(page, "Connection"), "close");
    ck_assert_str_eq(page_header(page, "Transfer-Encoding"), "chunked");
    ck_assert_ptr_nonnull(strstr(page->received, "\r\nVary: Accept-Encoding\r\n"));
    ck_assert_str_eq(page->retry, "3000");
    ck_assert_ptr_nonnull(strstr(page->events[0].data, "\"user_id\":\"ann\""));
    ck_assert_str_ne(page->events[0].id, "");
    ck_assert_uint_ne(ws_http_id(page->http), 0);
    ck_assert_uint_eq(host.n_connects, 1);
    page_expect_nothing(page);
}
END_TEST

START_TEST(events_go_to_everyone_and_to_rooms)
{
    struct page *all = host_stream(&host, "/events", NULL);
    struct page *room = host_stream(&host, "/events?rooms=a,b", NULL);

    host_emit(&host, NULL, 1);
    host_emit(&host, "b", 2);
    host_emit(&host, "c", 3);
    host_emit(&host, NULL, 4);
    host_turn(&host);
    ck_assert_uint_le(all->listed, 1);
    page_expect_number(all, 1);
    page_expect_number(all, 4);
    page_expect_nothing(all);
    page_expect_number(room, 1);
    page_expect_number(room, 2);
    page_expect_number(room, 4);
    page_expect_nothing(room);
}
END_TEST

static struct page *come_back(const char *id)
{
    char header[64];

    snprintf(header, sizeof header, "Last-Event-ID: %s\n", id);
    /* EventSource repeats the query that it began with: the header is newer. */
    return host_request(&host, 0, "GET", "/events?after=xyz.1&rooms=a", header, NULL);
}

START_TEST(a_client_recovers_from_its_last_event_id)
{
    struct page *page = host_stream(&host, "/events?rooms=a", NULL);
    char id[64];

    host_emit(&host, NULL, 1);
    host_turn(&host);
    page_expect_number(page, 1);
    strcpy(id, page->last_id);
    page_free(page);
    host_emit(&host, "a", 2);
    host_emit(&host, NULL, 3);
    host_turn(&host);
    page = come_back(id);
    page_expect(page, "message", "{\"type\":\"welcome\"");
    ck_assert_str_eq(page->events[0].id, id);
    page_expect_number(page, 2);
    page_expect_number(page, 3);
    page_expect(page, "message",
                "{\"type\":\"recovered\",\"data\":{\"complete\":true,\"count\":2");
    host_emit(&host, NULL, 4);
    host_turn(&host);
    page_expect_number(page, 4);
}
END_TEST

START_TEST(a_client_learns_that_it_missed_something)
{
    struct page *page = come_back("0123456789.7");

    page_expect(page, "message", "{\"type\":\"welcome\"");
    page_expect(page, "message", "{\"type\":\"recovered\",\"data\":{\"complete\":false");
    ck_assert_ptr_nonnull(strstr(page->events[1].data, page->last_id));
}
END_TEST

/* A client to which no event goes keeps its place, so that it does not miss more than the history
 * has. */
START_TEST(heartbeats_carry_the_newest_id)
{
    struct page *page = host_stream(&host, "/events", NULL);
    char id[64];

    strcpy(id, page->last_id);
    host_pass(&host, 25100);
    page_expect_nothing(page);
    ck_assert_uint_eq(page->n_comments, 1);
    ck_assert_str_eq(page->last_id, id);
    host_emit(&host, "b", 1);
    host_pass(&host, 25100);
    page_expect_nothing(page);
    ck_assert_uint_eq(page->n_comments, 2);
    ck_assert_str_ne(page->last_id, id);
    strcpy(id, page->last_id);
    page_free(page);
    page = come_back(id);
    page_expect(page, "message", "{\"type\":\"welcome\"");
    page_expect(page, "message",
                "{\"type\":\"recovered\",\"data\":{\"complete\":true,\"count\":0");
}
END_TEST

/* The stream's place is in the new epoch from then on, also if that one's positions are lower. */
START_TEST(the_notice_of_a_gap_has_an_id)
{
    struct page *page = host_stream(&host, "/events", NULL);

    for (int number = 1; number <= 3; number++)
        host_emit(&host, NULL, number);
    host_turn(&host);
    for (int number = 1; number <= 3; number++)
        page_expect_number(page, number);
    ck_assert_int_eq(ws_manager_cluster_start(host.manager, "aaaaaaaaaa", 2, NULL, 0), WS_OK);
    host_turn(&host);
    page_expect(page, "message", "{\"type\":\"recovered\",\"data\":{\"complete\":false");
    ck_assert_str_eq(page->last_id, "aaaaaaaaaa.2");
}
END_TEST

/* As the pings of WebSockets: the first ones over half of the interval, then each interval. */
START_TEST(heartbeats_of_clients_that_connect_together_are_spread)
{
    enum { N = 12, STEP_MS = 500 };
    struct page *pages[N];
    size_t n_comments[N] = {0};

    for (int i = 0; i < N; i++)
        pages[i] = host_stream(&host, "/events", NULL);
    for (int passed_ms = 0; passed_ms < 51000; passed_ms += STEP_MS) {
        unsigned now = 0;

        host_pass(&host, STEP_MS);
        for (int i = 0; i < N; i++) {
            page_expect_nothing(pages[i]);
            now += pages[i]->n_comments > n_comments[i];
            n_comments[i] = pages[i]->n_comments;
            if (passed_ms < 12000)
                ck_assert_uint_eq(n_comments[i], 0);
        }
        ck_assert_uint_le(now, 2);
    }
    for (int i = 0; i < N; i++)
        ck_assert_uint_ge(n_comments[i], 2);
}
END_TEST

START_TEST(the_application_ends_a_stream)
{
    struct page *page = host_stream(&host, "/events", NULL);

    ck_assert_int_eq(
        ws_manager_disconnect(host.manager, ws_http_id(page->http), 4001, "a \"reason\""),
        WS_OK);
    host_turn(&host);
    page_expect(page, "close", "{\"code\":4001,\"reason\":\"a \\\"reason\\\"\"}");
    ck_assert(page->ended);
    ck_assert(!page->kept_alive);
    ck_assert(page->is_complete);
    ck_assert_uint_eq(host.code, 4001);
    ck_assert_uint_eq(ws_http_id(page->http), 0);
    ck_assert_int_eq(ws_http_close(page->http, 1000, NULL), WS_ERR_CLOSED);
}
END_TEST

START_TEST(the_host_ends_a_stream)
{
    struct page *page = host_stream(&host, "/events", NULL);

    ck_assert_int_eq(ws_http_close(page->http, 999, NULL), WS_ERR_INVALID);
    ck_assert_int_eq(ws_http_close(page->http, 4401, NULL), WS_OK);
    host_turn(&host);
    page_expect(page, "close", "{\"code\":4401,\"reason\":\"\"}");
    ck_assert(page->ended);
    ck_assert_uint_eq(host.code, 4401);
}
END_TEST

START_TEST(the_client_closes_or_the_host_frees)
{
    struct page *page = host_stream(&host, "/events", NULL);

    ws_http_eof(page->http);
    host_turn(&host);
    ck_assert_uint_eq(host.code, WS_CLOSE_NO_STATUS);
    ck_assert(page->ended);
    page_free(page);
    page = host_stream(&host, "/events", NULL);
    page_free(page);
    ck_assert_uint_eq(host.code, WS_CLOSE_ABNORMAL);
    ck_assert_uint_eq(host.n_disconnects, 2);
    host_emit(&host, NULL, 1);
    host_turn(&host);
}
END_TEST

START_TEST(a_drain_says_when_to_come_back)
{
    struct page *pages[4];
    ws_drain_options drain;
    bool differ = false;

    for (int i = 0; i < 4; i++)
        pages[i] = host_stream(&host, "/events", NULL);
    ws_drain_options_init(&drain);
    drain.reason = "restart";
    ck_assert_int_eq(ws_manager_drain(host.manager, &drain), WS_OK);
    host_turn(&host);
    for (int i = 0; i < 4; i++) {
        page_expect(pages[i], "close", "{\"code\":1012,\"reason\":\"restart; retry in ");
        ck_assert_ptr_nonnull(strstr(pages[i]->events[1].data, pages[i]->retry));
        differ |= strcmp(pages[i]->retry, pages[0]->retry) != 0;
        ck_assert(pages[i]->ended);
    }
    ck_assert(differ);
    ck_assert_int_eq(host_request(&host, 0, "GET", "/events", NULL, NULL)->ended, true);
}
END_TEST

/* HTTP/1.0 has no chunks: the end of the connection is that of the stream. */
START_TEST(http_1_0)
{
    ws_http_request request;
    struct page *page = &host.pages[0];
    const ws_header headers[] = {{"Accept", "text/event-stream"}};

    ws_http_request_init(&request);
    request.method = "GET";
    request.target = "/events";
    request.http_minor = 0;
    request.headers = headers;
    request.n_headers = 1;
    *page = (struct page){.host = &host, .loop = host.loops[0], .writable = SIZE_MAX};
    host.n_pages = 1;
    ck_assert_int_eq(ws_http_new(host.loops[0], host.endpoint, page, &request, &page->http),
                     WS_OK);
    host_emit(&host, NULL, 1);
    host_turn(&host);
    page_expect(page, "message", "{\"type\":\"welcome\"");
    page_expect_number(page, 1);
    ck_assert_ptr_null(page_header(page, "Transfer-Encoding"));
    ws_http_close(page->http, 1000, NULL);
    host_turn(&host);
    page_expect(page, "close", "{\"code\":1000");
    ck_assert(page->ended);
    ck_assert(!page->kept_alive);
}
END_TEST

START_TEST(the_host_writes_the_head)
{
    struct page *page = host_request_body_only(&host, "/events");
    ws_http_response_head head;
    bool has_type = false;

    ws_http_response_head_init(&head);
    ck_assert_int_eq(ws_http_response(page->http, &head), WS_OK);
    ck_assert_int_eq(head.status, 200);
    for (size_t i = 0; i < head.n_headers; i++) {
        has_type |= strcmp(head.headers[i].value, "text/event-stream") == 0;
        ck_assert_str_ne(head.headers[i].name, "Connection");
        ck_assert_str_ne(head.headers[i].name, "Transfer-Encoding");
    }
    ck_assert(has_type);
    ck_assert_ptr_eq(strstr(page->received, "retry: 3000\n"), page->received);
    ws_http_close(page->http, 1000, NULL);
    host_turn(&host);
    ck_assert(page->ended);
    ck_assert(page->kept_alive);
}
END_TEST

/* An older program's struct has no room for the newer fields; a newer one's has fields that this
 * library does not know. */
START_TEST(the_head_stays_within_the_host_s_struct)
{
    struct page *page = host_request_body_only(&host, "/events");
    struct {
        ws_http_response_head head;
        unsigned char behind[16];
    } room;

    memset(&room, 0xaa, sizeof room);
    ws_http_response_head_init_size(&room.head, offsetof(ws_http_response_head, headers));
    ck_assert_int_eq(room.head.status, 0);
    ck_assert_int_eq(ws_http_response(page->http, &room.head), WS_OK);
    ck_assert_uint_eq(room.head.size, offsetof(ws_http_response_head, headers));
    ck_assert_int_eq(room.head.status, 200);
    ck_assert_uint_eq((uint8_t)room.head.n_headers, 0xaa);
    ws_http_response_head_init_size(&room.head, sizeof room);
    memset(room.behind, 0xaa, sizeof room.behind);
    ck_assert_int_eq(ws_http_response(page->http, &room.head), WS_OK);
    ck_assert_uint_eq(room.head.size, sizeof room);
    ck_assert_uint_gt(room.head.n_headers, 0);
    for (size_t i = 0; i < sizeof room.behind; i++)
        ck_assert_uint_eq(room.behind[i], 0);
    room.head.size = 0;
    ck_assert_int_eq(ws_http_response(page->http, &room.head), WS_ERR_INVALID);
}
END_TEST

/* --- in a callback --------------------------------------------------------------------------- */

static void free_page(struct host *of, int is_high)
{
    (void)is_high;
    page_free(&of->pages[0]);
}

START_TEST(the_host_frees_a_stream_in_its_callback)
{
    for (int writes = 0; writes < 2; writes++) {
        struct page *page;

        host_close(&host);
        host_options_init(&options);
        options.endpoint.queue_high_bytes = 300;
        host_open(&host, &options);
        page = host_stream(&host, "/events", NULL);
        page->writable = 0;
        host.on_backpressure = writes == 0 ? free_page : NULL;
        for (int i = 0; i < 10; i++)
            host_emit(&host, NULL, i);
        host_turn(&host);
        host.on_backpressure = free_page;
        page->writable = SIZE_MAX;
        host_turn(&host);
        ck_assert_ptr_null(host.pages[0].http);
        ck_assert_uint_eq(host.n_disconnects, 1);
    }
}
END_TEST

Suite *sse_suite(void)
{
    Suite *suite = suite_create("sse-stream");
    TCase *tests = tcase_create("stream");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_stream_has_a_head_and_begins_with_the_welcome);
    tcase_add_test(tests, events_go_to_everyone_and_to_rooms);
    tcase_add_test(tests, a_client_recovers_from_its_last_event_id);
    tcase_add_test(tests, a_client_learns_that_it_missed_something);
    tcase_add_test(tests, heartbeats_carry_the_newest_id);
    tcase_add_test(tests, the_notice_of_a_gap_has_an_id);
    tcase_add_test(tests, heartbeats_of_clients_that_connect_together_are_spread);
    tcase_add_test(tests, the_application_ends_a_stream);
    tcase_add_test(tests, the_host_ends_a_stream);
    tcase_add_test(tests, the_client_closes_or_the_host_frees);
    tcase_add_test(tests, a_drain_says_when_to_come_back);
    tcase_add_test(tests, http_1_0);
    tcase_add_test(tests, the_host_writes_the_head);
    tcase_add_test(tests, the_head_stays_within_the_host_s_struct);
    tcase_add_test(tests, the_host_frees_a_stream_in_its_callback);
    suite_add_tcase(suite, tests);
    return suite;
}
