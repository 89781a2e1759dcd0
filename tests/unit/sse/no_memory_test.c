/* no_memory_test.c: every allocation in the life of two streams and of messages that their clients
 * send fails in turn, once or with all later ones: no crash, no leak, and each client reads a
 * correct beginning of its events, or its stream has ended. */
#include <stdio.h>
#include <string.h>

#include "sse/host.h"

static struct host host;
static struct host_options options;

static void setup(void)
{
    memset(&host, 0, sizeof host);
    host_options_init(&options);
}

static void teardown(void)
{
    if (host.memory.n_requests > 0)
        host_close(&host);
}

static void reap(void)
{
    for (size_t i = 0; i < host.n_pages; i++)
        if (host.pages[i].http != NULL && ws_http_ended(host.pages[i].http)) {
            ws_http *http = host.pages[i].http;

            host.pages[i].http = NULL;
            ws_http_free(http);
        }
}

/* Numbers come in order, without a gap. */
static void check_numbers(struct page *page)
{
    int next = 0;

    page_read(page);
    for (size_t i = 0; i < page->n_events; i++) {
        char data[40];

        if (strstr(page->events[i].data, "\"notification\"") == NULL)
            continue;
        snprintf(data, sizeof data, "{\"n\":%d}", next++);
        ck_assert_ptr_nonnull(strstr(page->events[i].data, data));
    }
}

static const char *session_of(struct page *page)
{
    page_read(page);
    return page->n_events > 0 && strstr(page->events[0].data, "session_id") != NULL
               ? page_session(&page->events[0])
               : "none.0";
}

static void live(void)
{
    struct page *pages[2];
    char target[256];

    if (host_try_open(&host, &options) != WS_OK)
        return;
    pages[0] =
        host_request(&host, 0, "GET", "/events?rooms=a", "Accept-Encoding: gzip\n", NULL);
    pages[1] = host_request(&host, 1, "GET", "/events", "Last-Event-ID: x.1\n", NULL);
    for (int i = 0; i < 3; i++) {
        host_emit(&host, NULL, i);
        if (i != 1)
            host_turn(&host);
    }
    snprintf(target, sizeof target, "/events?session=%s", session_of(pages[0]));
    for (int loop = 0; loop < 2; loop++)
        host_request(&host, loop, "POST", target, "Content-Type: text/plain\n",
                     "{\"type\":\"join_room\",\"room\":\"b\",\"ref\":1}");
    host_pass(&host, 25100);
    for (int i = 0; i < 2; i++)
        if (!host.memory.failed || host.memory.fail_after)
            check_numbers(pages[i]);
    if (pages[0]->http != NULL)
        ws_http_close(pages[0]->http, 1000, "done");
    host_turn(&host);
    reap();
}

START_TEST(each_allocation_fails)
{
    for (long at = 0;; at++) {
        memset(&host, 0, sizeof host);
        host_options_init(&options);
        test_memory_init(&host.memory);
        test_memory_fail(&host.memory, at, _i != 0);
        live();
        if (!host.memory.failed)
            break;
        test_memory_fail(&host.memory, NEVER_FAIL, false);
        host_close(&host);
        ck_assert_int_lt(at, 2000);
    }
    page_expect(&host.pages[1], "message", "{\"type\":\"welcome\"");
}
END_TEST

Suite *sse_suite(void)
{
    Suite *suite = suite_create("sse-no-memory");
    TCase *tests = tcase_create("no memory");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, each_allocation_fails, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
