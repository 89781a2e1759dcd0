/* form_test.c: the form of messages in a stream: line ends, ids, bundles, chunks, gzip, and what
 * cannot be sent. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sse/host.h"

static struct host host;

static void setup(void)
{
    host_open(&host, NULL);
}

static void teardown(void)
{
    host_close(&host);
}

/* The ways in which a stream can be encoded. */
static const char *const headers[] = {NULL, "Accept-Encoding: br, gzip\n"};

static void send_text(struct page *page, const char *text)
{
    ck_assert_int_eq(
        ws_manager_send_text(host.manager, ws_http_id(page->http), text, strlen(text)), WS_OK);
    host_turn(&host);
}

START_TEST(lines_of_a_text_arrive_as_they_were)
{
    static const char *const texts[][2] = {
        {"", ""},
        {"a", "a"},
        {" a", " a"},
        {"a\n", "a\n"},
        {"\n", "\n"},
        {"\n\na", "\n\na"},
        {"a\nb\n\nc", "a\nb\n\nc"},
        {"a\rb", "a\nb"},
        {"a\r\nb", "a\nb"},
        {"a\n\rb", "a\n\nb"},
        {"a\r", "a\n"},
        {"a\r\n", "a\n"},
        {": a", ": a"},
        {"id: 7", "id: 7"},
        {"data: x\n\n", "data: x\n\n"},
    };
    struct page *page = host_stream(&host, "/events", headers[_i]);
    char id[64];

    strcpy(id, page->last_id);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const struct event *event;

        send_text(page, texts[i][0]);
        event = page_next(page);
        /* An event whose data is empty is not dispatched. */
        if (texts[i][1][0] == '\0') {
            ck_assert_ptr_nonnull(event);
            ck_assert_str_eq(event->data, "");
            continue;
        }
        ck_assert_ptr_nonnull(event);
        ck_assert_str_eq(event->data, texts[i][1]);
        ck_assert_str_eq(event->id, id);
    }
}
END_TEST

/* The application's JSON may have line ends between its parts, and members named "id". */
START_TEST(data_with_line_ends_and_ids)
{
    static const char data[] = "{\"id\":\"mine\",\r\n \"b\": [1,\n\n2] }";
    struct page *page = host_stream(&host, "/events", headers[_i]);
    const struct event *got;
    ws_event *event;

    ck_assert_int_eq(ws_event_new(host.manager, "notification", data, strlen(data), &event),
                     WS_OK);
    ck_assert_int_eq(ws_manager_broadcast(host.manager, event, NULL, 0), WS_OK);
    ws_event_free(event);
    ck_assert_int_eq(ws_event_new(host.manager, "notification", data, strlen(data), &event),
                     WS_OK);
    ck_assert_int_eq(
        ws_manager_send_personal_message(host.manager, ws_http_id(page->http), event, NULL, 0),
        WS_OK);
    ws_event_free(event);
    host_turn(&host);
    got = page_expect(page, "message", "{\"id\":\"");
    ck_assert_ptr_nonnull(strstr(got->data, "{\"id\":\"mine\",\n \"b\": [1,\n\n2] }"));
    ck_assert_str_ne(got->id, "mine");
    got = page_expect(page, "message", "{\"type\":\"notification\",\"data\":{\"id\":\"mine\",");
    ck_assert_str_ne(got->id, "mine");
}
END_TEST

START_TEST(bundles_of_events)
{
    enum { N = 700 };
    struct page *pages[2];

    for (int i = 0; i < 2; i++)
        pages[i] = host_stream(&host, "/events", headers[i]);
    for (int i = 0; i < N; i++)
        host_emit(&host, NULL, i);
    host_turn(&host);
    for (int i = 0; i < 2; i++) {
        page_read(pages[i]);
        ck_assert_uint_eq(pages[i]->n_events, N + 1);
        for (int number = 0; number < N; number++) {
            char data[40];

            snprintf(data, sizeof data, "{\"n\":%d}", number);
            ck_assert_ptr_nonnull(strstr(pages[i]->events[number + 1].data, data));
        }
    }
    ck_assert_uint_lt(pages[1]->length, pages[0]->length / 3);
}
END_TEST

/* Larger than a stored block, and what does not become smaller. */
START_TEST(large_events)
{
    static const size_t lengths[] = {100, 65000, 65536, 200000};
    struct page *page = host_stream(&host, "/events", headers[_i]);
    unsigned random = 1;

    for (size_t n = 0; n < sizeof lengths / sizeof *lengths; n++) {
        char *text = malloc(lengths[n] + 1);

        for (size_t i = 0; i < lengths[n]; i++) {
            random = random * 1664525 + 1013904223;
            text[i] = (char)(' ' + (random >> 8) % 95);
        }
        text[lengths[n]] = '\0';
        send_text(page, text);
        ck_assert_str_eq(page_next(page)->data, text);
        free(text);
    }
}
END_TEST

START_TEST(a_form_is_made_once_for_all)
{
    struct page *pages[6];

    for (int i = 0; i < 6; i++)
        pages[i] = host_stream(&host, "/events", headers[i % 2]);
    host_emit(&host, NULL, 1);
    test_memory_fail(&host.memory, NEVER_FAIL, false); /* counts from here on */
    host_turn(&host);
    /* A message's two forms with their variants; the gzip's two blocks in between and zlib's five
     * if it was used. */
    ck_assert_int_le(host.memory.n_requests, 16);
    for (int i = 0; i < 6; i++)
        page_expect_number(pages[i], 1);
}
END_TEST

START_TEST(gzip_only_if_it_is_accepted_and_wanted)
{
    static const char *const lines[] = {"Accept-Encoding: br\n", "Accept-Encoding: gzip;q=0\n",
                                        "Accept-Encoding: xgzip\n"};

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        ck_assert_ptr_null(
            page_header(host_stream(&host, "/events", lines[i]), "Content-Encoding"));
    ck_assert_str_eq(page_header(host_stream(&host, "/events", headers[1]), "Content-Encoding"),
                     "gzip");
    host.declines_gzip = true;
    ck_assert_ptr_null(
        page_header(host_stream(&host, "/events", headers[1]), "Content-Encoding"));
}
END_TEST

START_TEST(a_binary_message_is_dropped_and_counted)
{
    struct page *page = host_stream(&host, "/events", NULL);
    char *text;

    ck_assert_int_eq(ws_manager_send_binary(host.manager, ws_http_id(page->http), "\0\1", 2),
                     WS_OK);
    host_emit(&host, NULL, 1);
    host_turn(&host);
    page_expect_number(page, 1);
    page_expect_nothing(page);
    ck_assert_int_eq(ws_manager_get_stats(host.manager, &text, NULL), WS_OK);
    ck_assert_ptr_nonnull(strstr(text, "\"binary\":1"));
    ws_manager_free_text(host.manager, text);
}
END_TEST

Suite *sse_suite(void)
{
    Suite *suite = suite_create("sse-form");
    TCase *tests = tcase_create("form");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, lines_of_a_text_arrive_as_they_were, 0, 2);
    tcase_add_loop_test(tests, data_with_line_ends_and_ids, 0, 2);
    tcase_add_test(tests, bundles_of_events);
    tcase_add_loop_test(tests, large_events, 0, 2);
    tcase_add_test(tests, a_form_is_made_once_for_all);
    tcase_add_test(tests, gzip_only_if_it_is_accepted_and_wanted);
    tcase_add_test(tests, a_binary_message_is_dropped_and_counted);
    suite_add_tcase(suite, tests);
    return suite;
}
