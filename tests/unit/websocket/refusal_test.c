/* refusal_test.c: the answers to refused handshakes, and the log lines about them. Not here: which
 * requests are refused, and with which status (handshake_request_test.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/drain.h"
#include "websocket/host.h"

#define GET "GET /ws?token=secret HTTP/1.1\r\n"
#define HOST "Host: server.example.com\r\n"
#define UPGRADE "Upgrade: websocket\r\n"
#define CONNECTION "Connection: Upgrade\r\n"
#define KEY "Sec-WebSocket-Key: " CLIENT_KEY "\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define END "\r\n"
#define GOOD UPGRADE CONNECTION KEY VERSION

#define NGINX                                                                                  \
    "a WebSocket handshake needs HTTP/1.1 with Upgrade and Connection; nginx passes them on "  \
    "with proxy_http_version 1.1, proxy_set_header Upgrade $http_upgrade and "                 \
    "proxy_set_header Connection \"upgrade\""
#define HTTP_1_1                                                                               \
    "a WebSocket handshake needs HTTP/1.1 here; HTTP/2 and HTTP/3 end at a proxy that speaks " \
    "HTTP/1.1 to this server"

static struct host host;
static struct host_options options;

static char logged[2048]; /* the last line */
static size_t n_logged;
static unsigned n_left_out; /* from the log */

static void keep_log(int level, const char *line, void *user_data)
{
    (void)user_data;
    if (sscanf(line, "%u more handshakes were refused in the meantime", &n_left_out) == 1)
        ck_assert_int_eq(level, WS_LOG_INFO);
    if (strncmp(line, "handshake", 9) != 0)
        return;
    ck_assert_int_eq(level, WS_LOG_INFO);
    ck_assert_uint_lt(strlen(line), sizeof logged);
    strcpy(logged, line);
    n_logged++;
}

static void setup(void)
{
    memset(&host, 0, sizeof host);
    host_options_init(&options);
    options.manager.log = keep_log;
    logged[0] = '\0';
    n_logged = 0;
    n_left_out = 0;
}

static void teardown(void)
{
    host_close(&host);
}

static void expect_log(const char *line)
{
    ck_assert_uint_eq(n_logged, 1);
    ck_assert_str_eq(logged, line);
    n_logged = 0;
}

/* Sends a request on a new connection; returns the answer's status, and its body in `body`. */
static int answer(const char *request, enum chunking chunking, char *body, size_t size)
{
    struct peer *peer = host_peer(&host);
    int status;

    peer_feed(peer, request, strlen(request), chunking);
    host_turn(&host);
    ck_assert_msg(peer->received.length > 0, "no answer to:\n%s", request);
    status = peer_head(peer);
    ck_assert_uint_lt(peer->received.length - peer->read, size);
    strcpy(body, (const char *)peer->received.data + peer->read);
    ck_assert(peer->ended);
    peer_free(peer);
    return status;
}

/* --- reasons and advice ---------------------------------------------------------------------- */

static const struct {
    const char *request;
    int status;
    const char *reason;
    const char *advice; /* NULL: none */
} mistakes[] = {
    /* curl http://…/ws, and nginx with its defaults. */
    {GET HOST END, 426,
     "the request lacks Upgrade: websocket, Connection: Upgrade, Sec-WebSocket-Version and "
     "Sec-WebSocket-Key",
     NGINX},
    {"GET /ws HTTP/1.0\r\n" HOST "Connection: close\r\n" KEY VERSION END, 400,
     "the request is HTTP/1.0 and lacks Upgrade: websocket and Connection: Upgrade", NGINX},
    {"GET /ws HTTP/1.0\r\n" HOST GOOD END, 400, "the request is HTTP/1.0", NGINX},
    {"GET /ws HTTP/1.0\r\n" END, 400,
     "the request is HTTP/1.0 and lacks Upgrade: websocket, Connection: Upgrade, "
     "Sec-WebSocket-Version and Sec-WebSocket-Key",
     NGINX},
    {GET HOST CONNECTION KEY VERSION END, 426, "the request lacks Upgrade: websocket", NGINX},
    {GET HOST UPGRADE "Connection: close\r\n" KEY VERSION END, 400,
     "the request lacks Connection: Upgrade", NGINX},
    {"POST /ws HTTP/1.1\r\n" HOST GOOD END, 405, "the method is not GET",
     "a WebSocket handshake is a GET request"},
    {GET HOST UPGRADE CONNECTION KEY "Sec-WebSocket-Version: 8\r\n" END, 426,
     "Sec-WebSocket-Version is not 13",
     "this server speaks version 13 of the protocol, RFC 6455"},
    {GET HOST UPGRADE CONNECTION KEY END, 426, "the request lacks Sec-WebSocket-Version",
     "this server speaks version 13 of the protocol, RFC 6455"},
    {GET HOST UPGRADE CONNECTION VERSION END, 400, "the request lacks Sec-WebSocket-Key",
     "it must be the base64 of 16 random bytes"},
    {GET HOST UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: abc\r\n" END, 400,
     "Sec-WebSocket-Key is malformed", "it must be the base64 of 16 random bytes"},
    {GET HOST GOOD KEY END, 400, "the request has several Sec-WebSocket-Key headers", NULL},
    {GET GOOD END, 400, "the request lacks Host", NULL},
    {GET HOST HOST GOOD END, 400, "the request has several Host headers", NULL},
    {GET HOST GOOD "Content-Length: 5\r\n" END, 400, "the request has a body",
     "a WebSocket handshake has none"},
    {"GET /ws HTTP/2.0\r\n" END, 505, "the request is not HTTP/1.1", HTTP_1_1},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "these bytes are HTTP/2", HTTP_1_1},
    {"\x16\x03\x01\x02garbage", 400, "these bytes are TLS, but this port speaks plain HTTP",
     "connect with ws:// or http://"},
    {"P\r\n", 400, "not an HTTP request", NULL},
    {"hello\r\n", 400, "the request method is unknown", NULL},
};

/* The log line has the reason and the request. */
static void expect_log_of(int status, const char *reason)
{
    char start[300];

    snprintf(start, sizeof start, "handshake refused with %d: %s (", status, reason);
    ck_assert_uint_eq(n_logged, 1);
    ck_assert_msg(strncmp(logged, start, strlen(start)) == 0, "%s is not the start of %s",
                  start, logged);
    ck_assert_msg(strstr(logged, "secret") == NULL && strstr(logged, CLIENT_KEY) == NULL, "%s",
                  logged);
    n_logged = 0;
}

START_TEST(a_refusal_names_the_mistake_and_the_remedy)
{
    char expected[1024];
    char body[1024];

    host_open(&host, &options);
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        bool has_advice = mistakes[i].advice != NULL;

        snprintf(expected, sizeof expected, "%s%s%s\n", mistakes[i].reason,
                 has_advice ? "; " : "", has_advice ? mistakes[i].advice : "");
        for (int chunking = 0; chunking < N_CHUNKINGS; chunking++) {
            int status = answer(mistakes[i].request, chunking, body, sizeof body);

            ck_assert_msg(status == mistakes[i].status, "%d to %s", status,
                          mistakes[i].request);
            ck_assert_str_eq(body, expected);
            expect_log_of(mistakes[i].status, mistakes[i].reason);
        }
        host_pass(&host, 1000);
    }
}
END_TEST

START_TEST(an_empty_line_is_ignored)
{
    char body[1024];

    host_open(&host, &options);
    ck_assert_int_eq(answer("\n", WHOLE, body, sizeof body), 400);
    ck_assert_str_eq(body, "not an HTTP request\n");
}
END_TEST

START_TEST(a_parsed_request_gets_the_same_answer)
{
    static const ws_header headers[] = {{"Host", "a"}, {"Connection", "close"}};
    struct peer *peer;

    host_open(&host, &options);
    peer = host_peer(&host);
    ws_websocket_upgrade(peer->websocket, "GET", 1, 0, "/ws?token=secret", headers, 2);
    host_turn(&host);
    ck_assert_int_eq(peer_head(peer), 400);
    ck_assert_str_eq(
        (char *)peer->received.data + peer->read,
        "the request is HTTP/1.0 and lacks Upgrade: websocket, Connection: Upgrade, "
        "Sec-WebSocket-Version and Sec-WebSocket-Key; " NGINX "\n");
    expect_log(
        "handshake refused with 400: the request is HTTP/1.0 and lacks Upgrade: websocket, "
        "Connection: Upgrade, Sec-WebSocket-Version and Sec-WebSocket-Key (GET /ws, Host "
        "\"a\")");
}
END_TEST

/* --- HEAD ------------------------------------------------------------------------------------ */

START_TEST(rfc9110_9_3_2_no_body_follows_a_head_request)
{
    static const struct {
        const char *request;
        int status;
    } requests[] = {
        {"HEAD /ws HTTP/1.1\r\n" HOST GOOD END, 405},
        {"\r\nHEAD /ws HTTP/1.1\r\n" HOST END, 405},
        {"HEAD /ws HTTP/1.0\r\n" END, 405},
        {"HEAD /ws HTTP/2.0\r\n" END, 505},
        {"HEAD /ws HTTP/1.1\r\nno header\r\n" END, 400},
        {"HEAD \x7f", 400},
        {"HEAD /ws HTTP/1.1\r\nX: "
         "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234"
         "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234"
         "012345678901234567890123456789012345678901234567890123456789012345678901234567890123"
         "4",
         431},
    };
    char body[1024];

    options.endpoint.max_head_bytes = 256;
    host_open(&host, &options);
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        for (int chunking = 0; chunking < N_CHUNKINGS; chunking++) {
            int status = answer(requests[i].request, chunking, body, sizeof body);

            ck_assert_msg(status == requests[i].status, "%d to %s", status,
                          requests[i].request);
            ck_assert_str_eq(body, "");
        }
    }
    answer("HEADS /ws HTTP/1.1\r\n", WHOLE, body, sizeof body);
    ck_assert_str_ne(body, "");
}
END_TEST

START_TEST(no_body_follows_a_parsed_head_request)
{
    static const ws_header large = {"X", "0123456789"};
    ws_header headers[300];
    struct peer *peer;

    host_open(&host, &options);
    for (size_t i = 0; i < 300; i++)
        headers[i] = large;
    for (size_t n = 1; n <= 300; n += 299) {
        peer = host_peer(&host);
        ws_websocket_upgrade(peer->websocket, "HEAD", 1, 1, "/ws", headers, n);
        host_turn(&host);
        ck_assert_int_eq(peer_head(peer), n == 1 ? 405 : 431);
        ck_assert_uint_eq(peer->read, peer->received.length);
    }
}
END_TEST

/* --- the log --------------------------------------------------------------------------------- */

static int status;
static const char *text;

static int judge(struct host *of, struct peer *peer, ws_handshake *handshake)
{
    (void)of;
    (void)peer;
    if (status != 0)
        ck_assert_int_eq(ws_handshake_refuse(handshake, status, text), WS_OK);
    return WS_ERR_FORBIDDEN;
}

/* A valid request with these further headers. */
static struct peer *request(const char *target, const char *headers)
{
    struct peer *peer = host_peer(&host);
    struct bytes bytes = {0};

    client_request(&bytes, target, headers);
    peer_send(peer, &bytes);
    bytes_free(&bytes);
    return peer;
}

START_TEST(refusals_by_the_application_are_logged)
{
    host_open(&host, &options);
    host.judge = judge;
    status = 404;
    text = "no such thing";
    request("/other", "");
    expect_log("handshake refused with 404: no such thing (GET /other, Host "
               "\"server.example.com\")");
    status = 401;
    text = "log in first";
    request("/ws?token=secret",
            "Origin: http://a\r\nUser-Agent: Some/1.0\r\nAuthorization: Bearer secret\r\n"
            "Cookie: secret\r\nSec-WebSocket-Protocol: bearer, secret\r\n");
    expect_log(
        "handshake refused with 4401: log in first (GET /ws, Host \"server.example.com\", "
        "Origin \"http://a\", User-Agent \"Some/1.0\")");
    text = NULL;
    request("/ws", "");
    expect_log(
        "handshake refused with 401: Unauthorized (GET /ws, Host \"server.example.com\")");
    status = 0;
    request("/ws#secret", "Origin: a\r\n");
    expect_log("handshake refused with 4403: Forbidden (GET /ws, Host "
               "\"server.example.com\", Origin \"a\")");
}
END_TEST

START_TEST(limits_are_logged)
{
    struct bytes headers = {0};
    struct peer *first;

    options.manager.max_connections = 1;
    host_open(&host, &options);
    first = host_client(&host);
    request("/ws", "");
    expect_log("handshake refused with 503: the server has reached max_connections (GET /ws, "
               "Host \"server.example.com\")");
    request("/ws?rooms=%zz", "");
    expect_log("handshake refused with 400: the query is not valid percent-encoded UTF-8 (GET "
               "/ws, Host \"server.example.com\")");
    peer_free(first);
    ck_assert_int_eq(drain_with(host.manager, 1001, "restart"), WS_OK);
    request("/ws", "");
    expect_log("handshake refused with 503: the server is draining (GET /ws, Host "
               "\"server.example.com\")");
    for (int i = 0; i < 300; i++)
        bytes_add_text(&headers, "A:b\r\n");
    request("/ws?a", (char *)headers.data);
    bytes_free(&headers);
    expect_log(
        "handshake refused with 431: the head is larger than 16384 bytes or has more than "
        "256 headers (GET /ws)");
}
END_TEST

START_TEST(a_head_that_takes_too_long_is_logged)
{
    struct peer *peer;

    options.endpoint.handshake_timeout_ms = 1000;
    host_open(&host, &options);
    peer = host_peer(&host);
    peer_send_text(peer, "GET /ws?token=secret HTTP/1.1\r\nHost: a");
    host_pass(&host, 2000);
    ck_assert(peer->ended);
    expect_log("handshake refused: its head did not arrive in time (GET /ws)");
    peer = host_peer(&host);
    host_turn(&host);
    host_pass(&host, 2000);
    ck_assert(peer->ended);
    expect_log("handshake refused: its head did not arrive in time");
}
END_TEST

START_TEST(memory_that_runs_out_is_logged)
{
    struct peer *peer;

    host_open(&host, &options);
    for (int i = 0; i < 2; i++) {
        peer = host_peer(&host);
        host.memory.fail_at = host.memory.calls + (size_t)i;
        peer_send_text(peer, "GET /ws HTTP/1.1\r\n");
        ck_assert(peer->ended);
        expect_log(i == 0 ? "handshake refused: out of memory"
                          : "handshake refused: out of memory (GET /ws)");
    }
}
END_TEST

static void refuse(const char *bytes)
{
    struct peer *peer = host_peer(&host);

    peer_send_text(peer, bytes);
    ck_assert(peer->ended);
    peer_free(peer);
}

/* Refuses some handshakes at one time; the next log line counts the others. */
static void expect_ten_of(unsigned n_refused)
{
    ck_assert_uint_eq(n_logged, 10);
    ck_assert_uint_eq(n_left_out, 0);
    host_pass(&host, 1000);
    refuse("nonsense\r\n");
    ck_assert_uint_eq(n_logged, 11);
    ck_assert_uint_eq(n_left_out, n_refused - 10);
    n_logged = n_left_out = 0;
    host_pass(&host, 1000);
}

START_TEST(refusals_do_not_fill_the_log)
{
    options.endpoint.handshake_timeout_ms = 5000;
    host_open(&host, &options);
    for (int i = 0; i < 25; i++)
        refuse("nonsense\r\n");
    expect_ten_of(25);
    host.judge = judge;
    status = 404;
    text = "no";
    for (int i = 0; i < 12; i++)
        peer_free(request("/", ""));
    expect_ten_of(12);
    for (int i = 0; i < 15; i++)
        host_peer(&host);
    host_turn(&host);
    host_pass(&host, 6000);
    expect_ten_of(15);
}
END_TEST

START_TEST(bytes_that_are_not_a_request_are_not_logged)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *shown;
    } cases[] = {
        {"SECRET\r\n", 8, " (6 bytes)"},
        {"eyJhbGciOiJIUzI1NiJ9.e30.c2ln HTTP/1.1\r\n", 40, " (38 bytes)"},
        {"{\"password\": \"secret\"}", 22, " (22 bytes)"},
        {"\0\0\0", 3, " (3 bytes)"},
        {"GET /a\0b", 8, " (GET /a)"},
        {"M-SEARCH /a?b\x7f", 14, " (M-SEARCH /a)"},
    };

    host_open(&host, &options);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct peer *peer = host_peer(&host);

        peer_feed(peer, cases[i].bytes, cases[i].length, WHOLE);
        host_turn(&host);
        ck_assert(peer->ended);
        ck_assert_uint_eq(n_logged, i + 1);
        ck_assert_msg(strstr(logged, cases[i].shown) != NULL, "%s", logged);
    }
}
END_TEST

START_TEST(log_lines_cannot_be_forged)
{
    char long_text[1000];
    char headers[2500];

    host_open(&host, &options);
    host.judge = judge;
    status = 404;
    text = "no";
    request("/a\"b", "Host2: x\r\nOrigin: a\", User-Agent \"b\r\nUser-Agent: \"\r\n");
    expect_log("handshake refused with 404: no (GET /a\"b, Host \"server.example.com\", Origin "
               "\"a', User-Agent 'b\", User-Agent \"'\")");
    memset(long_text, 'x', sizeof long_text);
    long_text[sizeof long_text - 1] = '\0';
    snprintf(headers, sizeof headers, "Origin: %s\r\nUser-Agent: %s\r\n", long_text, long_text);
    request("/", headers);
    ck_assert_uint_lt(strlen(logged), 512);
    ck_assert_ptr_nonnull(strstr(logged, "xxxxx\", User-Agent \"xxxxx"));
    n_logged = 0;
    peer_send_text(host_peer(&host), "GET /\x1b[31m\x07 HTTP/1.1\r\n");
    expect_log(
        "handshake refused with 400: the target contains a control character (GET /?[31m?)");
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("websocket-refusal");
    TCase *tests = tcase_create("refusals");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_refusal_names_the_mistake_and_the_remedy);
    tcase_add_test(tests, an_empty_line_is_ignored);
    tcase_add_test(tests, a_parsed_request_gets_the_same_answer);
    tcase_add_test(tests, rfc9110_9_3_2_no_body_follows_a_head_request);
    tcase_add_test(tests, no_body_follows_a_parsed_head_request);
    tcase_add_test(tests, refusals_by_the_application_are_logged);
    tcase_add_test(tests, limits_are_logged);
    tcase_add_test(tests, a_head_that_takes_too_long_is_logged);
    tcase_add_test(tests, memory_that_runs_out_is_logged);
    tcase_add_test(tests, refusals_do_not_fill_the_log);
    tcase_add_test(tests, bytes_that_are_not_a_request_are_not_logged);
    tcase_add_test(tests, log_lines_cannot_be_forged);
    suite_add_tcase(suite, tests);
    return suite;
}
