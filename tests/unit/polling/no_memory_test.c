/* no_memory_test.c: every allocation in the life of a session that polls, from its own loop and
 * from another one, fails in turn, once or with all later ones: no crash, no leak, and the
 * client reads a correct beginning of its messages, or its session has ended. */
#include <stdio.h>
#include <string.h>

#include "polling/client.h"

static struct host_options options;
static ws_websocket *websocket;
static char session[128];

static void free_pages(void)
{
    for (size_t i = 0; i < host.n_pages; i++)
        page_free(&host.pages[i]);
}

static void request(int loop, const char *method, const char *body)
{
    char target[256];

    snprintf(target, sizeof target, "/engine.io/?EIO=4&transport=polling%s", session);
    host_request(&host, loop, method, target, NULL, body);
}

static void open_session(void)
{
    struct page *page =
        host_request(&host, 0, "GET", "/engine.io/?EIO=4&transport=polling", NULL, NULL);
    char sid[100];

    page_read(page);
    session[0] = '\0';
    if (page->body != NULL && sscanf(page->body, "0{\"sid\":\"%99[^\"]\"", sid) == 1)
        snprintf(session, sizeof session, "&sid=%s", sid);
    free_pages();
}

static void feed(const char *packet)
{
    unsigned char frame[64] = {0x81, (unsigned char)(0x80 | strlen(packet))};

    memcpy(frame + 6, packet, strlen(packet));
    ws_websocket_receive(websocket, frame, 6 + strlen(packet));
    host_turn(&host);
    while (ws_loop_next_output(host.loops[0]) != NULL)
        ;
}

static void upgrade(void)
{
    static const ws_header headers[] = {
        {"Host", "localhost"},
        {"Upgrade", "websocket"},
        {"Connection", "Upgrade"},
        {"Sec-WebSocket-Version", "13"},
        {"Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="},
    };
    char target[256];

    snprintf(target, sizeof target, "/engine.io/?EIO=4&transport=websocket%s", session);
    if (ws_websocket_new(host.loops[0], host.endpoint, NULL, &websocket) != WS_OK)
        return;
    ws_websocket_upgrade(websocket, "GET", 1, 1, target, headers, 5);
    feed("2probe");
    feed("5");
    feed("4d");
}

static void live(void)
{
    if (host_try_open(&host, &options) != WS_OK)
        return;
    open_session();
    for (int loop = 0; loop < HOST_LOOPS; loop++) {
        request(loop, "GET", NULL);
        request(loop, "POST",
                "4a\x1e"
                "bAQID");
        free_pages();
        request(loop, "POST", "4b");
        request(loop, "GET", NULL);
    }
    free_pages();
    host_pass(&host, 10100);
    if (session[0] != '\0')
        upgrade();
}

START_TEST(each_allocation_fails)
{
    for (long at = 0;; at++) {
        memset(&host, 0, sizeof host);
        polling_options_init(&options, WS_PROTOCOL_ENGINEIO);
        options.endpoint.max_sessions_per_client = 1;
        host.client = "a";
        websocket = NULL;
        test_memory_init(&host.memory);
        test_memory_fail(&host.memory, at, _i != 0);
        live();
        ws_websocket_free(websocket);
        if (!host.memory.failed)
            break;
        test_memory_fail(&host.memory, NEVER_FAIL, false);
        host_close(&host);
        ck_assert_int_lt(at, 2000);
    }
    ck_assert_str_eq(host.message, "d");
    host_close(&host);
}
END_TEST

Suite *sse_suite(void)
{
    Suite *suite = suite_create("polling-no-memory");
    TCase *tests = tcase_create("no memory");

    tcase_add_loop_test(tests, each_allocation_fails, 0, 2);
    tcase_set_timeout(tests, 100);
    suite_add_tcase(suite, tests);
    return suite;
}
