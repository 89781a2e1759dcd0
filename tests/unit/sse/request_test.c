/* request_test.c: which requests are answered how: methods, refusals, CORS, keeping alive. */
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

static struct page *expect(const char *method, const char *target, const char *headers,
                           int status)
{
    struct page *page = host_request(&host, 0, method, target, headers, NULL);

    page_read(page);
    ck_assert_int_eq(page->status, status);
    ck_assert(page->ended);
    ck_assert_uint_eq(host.n_connects, 0);
    return page;
}

START_TEST(methods)
{
    struct page *page = expect("HEAD", "/events", NULL, 200);

    ck_assert_str_eq(page_header(page, "Content-Type"), "text/event-stream");
    ck_assert_uint_eq(page->body_length, 0);
    ck_assert(page->kept_alive);
    page = expect("PUT", "/events", NULL, 405);
    ck_assert_str_eq(page_header(page, "Allow"), "GET, HEAD, POST, OPTIONS");
    page = expect("get", "/events", NULL, 405);
    page = expect("OPTIONS", "/events", NULL, 204);
    ck_assert_str_eq(page_header(page, "Allow"), "GET, HEAD, POST, OPTIONS");
    ck_assert_ptr_null(page_header(page, "Content-Length"));
}
END_TEST

START_TEST(bad_requests)
{
    static const struct {
        const char *target, *headers;
        int status;
    } cases[] = {
        {"/events", "Host: two\n", 400},   {"events", NULL, 400},
        {"/e vents", NULL, 400},           {"http://other/events", NULL, 400},
        {"/events?rooms=%zz", NULL, 400},  {"/events?rooms=%ff", NULL, 400},
        {"/events", "Bad Name: x\n", 400}, {"/events", "X: a\001b\n", 400},
    };
    char long_target[17000];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect("GET", cases[i].target, cases[i].headers, cases[i].status);
    memset(long_target, 'a', sizeof long_target);
    memcpy(long_target, "/events?", 8);
    long_target[sizeof long_target - 1] = '\0';
    expect("GET", long_target, NULL, 431);
}
END_TEST

START_TEST(refusals)
{
    struct page *page;

    host.refuse_with = 401;
    page = expect("GET", "/events", NULL, 401);
    ck_assert_str_eq(page_header(page, "WWW-Authenticate"), "Bearer");
    ck_assert_str_eq(page->body, "not you\n");
    ck_assert(page->kept_alive);
    /* A script sees the status, so a browser's request is not accepted first, as a WebSocket's
     * is. */
    expect("GET", "/events", "Origin: http://a\n", 401);
    host.refuse_with = 403;
    expect("GET", "/events", "Origin: http://a\n", 403);
    expect("POST", "/events", NULL, 403);
    page = expect("HEAD", "/events", NULL, 403);
    ck_assert_uint_eq(page->body_length, 0);
}
END_TEST

START_TEST(the_client_or_its_version_does_not_keep_the_connection)
{
    struct page *page = expect("HEAD", "/events", "Connection: keep-alive, close\n", 200);

    ck_assert(!page->kept_alive);
    ck_assert_str_eq(page_header(page, "Connection"), "close");
}
END_TEST

/* --- CORS ------------------------------------------------------------------------------------ */

START_TEST(pages_of_an_allowed_origin)
{
    struct page *page;

    host.allowed = "http://page";
    page = host_stream(&host, "/events", "Origin: http://page\n");
    ck_assert_str_eq(page_header(page, "Access-Control-Allow-Origin"), "http://page");
    ck_assert_str_eq(page_header(page, "Access-Control-Allow-Credentials"), "true");
    ck_assert_ptr_nonnull(strstr(page->head, "Vary: Origin\r\n"));
    page_free(page);
    host.n_connects = 0;
    page = expect("OPTIONS", "/events",
                  "Origin: http://page\nAccess-Control-Request-Method: POST\n", 204);
    ck_assert_str_eq(page_header(page, "Access-Control-Allow-Origin"), "http://page");
    ck_assert_str_eq(page_header(page, "Access-Control-Allow-Methods"), "GET, POST");
    ck_assert_ptr_nonnull(
        strstr(page_header(page, "Access-Control-Allow-Headers"), "Content-Type"));
    host.refuse_with = 401;
    page = expect("GET", "/events", "Origin: http://page\n", 401);
    ck_assert_str_eq(page_header(page, "Access-Control-Allow-Origin"), "http://page");
}
END_TEST

START_TEST(pages_of_other_origins)
{
    static const char *const lines[] = {"Origin: http://other\n", "Origin: null\n", NULL};

    host.allowed = "http://page";
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct page *page = expect("OPTIONS", "/events", lines[i], 204);

        ck_assert_ptr_null(page_header(page, "Access-Control-Allow-Origin"));
        ck_assert_ptr_null(page_header(page, "Access-Control-Allow-Credentials"));
        ck_assert_ptr_nonnull(strstr(page->head, "Vary: Origin\r\n"));
    }
}
END_TEST

/* --- arguments ------------------------------------------------------------------------------- */

START_TEST(arguments)
{
    ws_endpoint_options raw;
    ws_endpoint *endpoint;
    ws_http_request request;
    ws_http *http;

    ws_http_request_init(&request);
    ck_assert_int_eq(ws_http_new(host.loops[0], host.endpoint, NULL, &request, &http),
                     WS_ERR_INVALID);
    request.method = "GET";
    request.target = "/";
    request.n_headers = 1;
    ck_assert_int_eq(ws_http_new(host.loops[0], host.endpoint, NULL, &request, &http),
                     WS_ERR_INVALID);
    request.n_headers = 0;
    ws_endpoint_options_init(&raw);
    raw.protocol = WS_PROTOCOL_RAW;
    ck_assert_int_eq(ws_endpoint_new(host.manager, &raw, &endpoint), WS_OK);
    ck_assert_int_eq(ws_http_new(host.loops[0], endpoint, NULL, &request, &http),
                     WS_ERR_INVALID);
    ws_endpoint_free(endpoint);
}
END_TEST

START_TEST(calls_out_of_turn)
{
    struct page *page = host_stream(&host, "/events", NULL);

    ck_assert_int_eq(ws_http_wants_read(page->http), 0);
    ck_assert_int_eq(ws_http_receive(page->http, "x", 1), WS_ERR_INVALID);
    ck_assert_int_eq(ws_http_end(page->http), WS_ERR_INVALID);
    ck_assert_int_eq(ws_http_keeps_alive(page->http), 0);
    ws_http_eof(page->http);
    ws_http_eof(page->http);
    ck_assert_int_eq(ws_http_ended(page->http), 1);
    ck_assert_int_eq(ws_http_sent(page->http, 0), WS_ERR_CLOSED);
}
END_TEST

Suite *sse_suite(void)
{
    Suite *suite = suite_create("sse-request");
    TCase *tests = tcase_create("request");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, methods);
    tcase_add_test(tests, bad_requests);
    tcase_add_test(tests, refusals);
    tcase_add_test(tests, the_client_or_its_version_does_not_keep_the_connection);
    tcase_add_test(tests, pages_of_an_allowed_origin);
    tcase_add_test(tests, pages_of_other_origins);
    tcase_add_test(tests, arguments);
    tcase_add_test(tests, calls_out_of_turn);
    suite_add_tcase(suite, tests);
    return suite;
}
