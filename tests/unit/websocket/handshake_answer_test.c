/* handshake_answer_test.c: the answer to a valid request: the application's refusals, limits,
 * draining, and the time that a head may take. Not here: subprotocols (subprotocol_test.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/drain.h"
#include "websocket/host.h"

static struct host host;
static struct host_options options;

static void setup(void)
{
    memset(&host, 0, sizeof host);
    host_options_init(&options);
}

static void teardown(void)
{
    host_close(&host);
}

/* Checks the body of an error answer, at the end of the received bytes. */
static void expect_body(struct peer *peer, const char *body)
{
    ck_assert_str_eq((const char *)peer->received.data + peer->read, body);
}

/* --- refusals ------------------------------------------------------------------------------ */

static int status;
static const char *text;

static int refuse(struct host *of, struct peer *peer, ws_handshake *handshake)
{
    char copy[256];

    (void)of;
    (void)peer;
    if (status == 0)
        return WS_ERR_FORBIDDEN;
    if (text != NULL)
        snprintf(copy, sizeof copy, "%s", text);
    ck_assert_int_eq(ws_handshake_refuse(handshake, status, text != NULL ? copy : NULL), WS_OK);
    memset(copy, 'x', sizeof copy);
    return WS_ERR_FORBIDDEN;
}

static struct peer *refused(int with_status, const char *with_text, const char *headers)
{
    status = with_status;
    text = with_text;
    return host_request(&host, headers);
}

START_TEST(refusals_without_origin_are_http_statuses)
{
    struct peer *peer;

    host_open(&host, &options);
    host.judge = refuse;
    peer = refused(404, "no such thing", "");
    ck_assert_int_eq(peer_head(peer), 404);
    peer_expect_header(peer, "HTTP/1.1 404 Not Found\r\n");
    expect_body(peer, "no such thing\n");
    ck_assert(peer->ended);
    peer = refused(401, NULL, "");
    ck_assert_int_eq(peer_head(peer), 401);
    peer_expect_header(peer, "\r\nWWW-Authenticate: "); /* RFC 9110 section 15.5.2 */
    expect_body(peer, "Unauthorized\n");
    ck_assert_int_eq(peer_head(refused(429, NULL, "")), 429);
    ck_assert_int_eq(peer_head(refused(599, NULL, "")), 599);
    ck_assert_int_eq(peer_head(refused(0, NULL, "")), 403);
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 0);
    ck_assert_uint_eq(host.called[HOST_CONNECT] + host.called[HOST_DISCONNECT], 0);
}
END_TEST

static void expect_refused_browser(struct peer *peer, uint16_t code, const char *reason)
{
    ck_assert_int_eq(peer_head(peer), 101);
    peer_expect_header(peer, "\r\nSec-WebSocket-Accept: " CLIENT_ACCEPT "\r\n");
    peer_expect_close_reason(peer, code, reason);
    peer_expect_nothing(peer);
    ck_assert(!peer->ended);
    ck_assert_uint_eq(ws_websocket_id(peer->websocket), 0);
    ck_assert_int_eq(ws_websocket_close(peer->websocket, 1000, NULL), WS_ERR_CLOSED);
    peer_send_frame(peer, FIN | TEXT, "too late", 8);
    peer_send_frame(peer, FIN | PING, "", 0);
    peer_send_close(peer, code, "");
    ck_assert(peer->ended);
    peer_expect_nothing(peer);
    ck_assert(peer->ended);
}

START_TEST(a_browser_gets_401_and_403_as_close_codes_4401_and_4403)
{
    char long_text[125];

    host_open(&host, &options);
    host.judge = refuse;
    expect_refused_browser(refused(401, "log in first", "Origin: http://a\r\n"), 4401,
                           "log in first");
    expect_refused_browser(refused(403, NULL, "ORIGIN: null\r\n"), 4403, "");
    expect_refused_browser(refused(0, NULL, "Origin: http://a\r\n"), 4403, "");
    memset(long_text, 'r', sizeof long_text);
    long_text[123] = '\0'; /* the longest that a close frame carries */
    expect_refused_browser(refused(403, long_text, "Origin: a\r\n"), 4403, long_text);
    long_text[123] = 'r';
    long_text[124] = '\0';
    expect_refused_browser(refused(403, long_text, "Origin: a\r\n"), 4403, "");
    ck_assert_int_eq(peer_head(refused(404, NULL, "Origin: http://a\r\n")), 404);
    ck_assert_int_eq(peer_head(refused(503, NULL, "Origin: http://a\r\n")), 503);
    ck_assert_uint_eq(host.called[HOST_CONNECT] + host.called[HOST_DISCONNECT], 0);
}
END_TEST

static int refuse_badly(struct host *of, struct peer *peer, ws_handshake *handshake)
{
    (void)of;
    (void)peer;
    ck_assert_int_eq(ws_handshake_refuse(handshake, 399, NULL), WS_ERR_INVALID);
    ck_assert_int_eq(ws_handshake_refuse(handshake, 600, NULL), WS_ERR_INVALID);
    ck_assert_int_eq(ws_handshake_refuse(handshake, 101, NULL), WS_ERR_INVALID);
    ck_assert_int_eq(ws_handshake_refuse(handshake, 403, "\xff"), WS_ERR_INVALID);
    return WS_OK;
}

START_TEST(an_invalid_refusal_changes_nothing)
{
    host_open(&host, &options);
    host.judge = refuse_badly;
    ck_assert_int_eq(peer_head(host_request(&host, "")), 101);
}
END_TEST

START_TEST(a_refused_client_that_reads_nothing_is_dropped_after_the_timeout)
{
    struct peer *peer;

    host_open(&host, &options);
    host.judge = refuse;
    status = 404;
    text = NULL;
    peer = host_peer(&host);
    peer->writable = 10;
    peer_send_text(peer, "GET / HTTP/1.1\r\n\r\n");
    host_pass(&host, 2900);
    ck_assert(!ws_websocket_ended(peer->websocket));
    host_pass(&host, 200);
    ck_assert(peer->ended);
    ck_assert_uint_eq(peer->received.length, 10);
}
END_TEST

/* --- limits -------------------------------------------------------------------------------- */

START_TEST(a_drained_manager_answers_503_with_retry_after)
{
    struct peer *open;
    struct peer *peer;

    host_open(&host, &options);
    open = host_client(&host);
    ck_assert_int_eq(drain_with(host.manager, 1001, "restart"), WS_OK);
    host_turn(&host);
    peer_expect_close_reason(open, 1001, "restart");
    peer = host_request(&host, "");
    ck_assert_int_eq(peer_head(peer), 503);
    peer_expect_header(peer, "\r\nRetry-After: ");
    ck_assert(peer->ended);
    ck_assert_int_eq(peer_head(host_request(&host, "Origin: a\r\n")), 503);
}
END_TEST

START_TEST(above_max_connections_the_answer_is_503)
{
    struct peer *first;
    struct peer *peer;

    options.manager.max_connections = 1;
    host_open(&host, &options);
    first = host_client(&host);
    peer = host_request(&host, "");
    ck_assert_int_eq(peer_head(peer), 503);
    peer_expect_header(peer, "\r\nRetry-After: ");
    peer_free(first);
    ck_assert_int_eq(peer_head(host_request(&host, "")), 101);
}
END_TEST

/* The inbox is full of WebSockets that open: this is another limit than max_connections, and the
 * answer says so. */
START_TEST(above_max_pending_the_answer_is_503)
{
    struct bytes bytes = {0};
    struct peer *peers[2];

    options.manager.max_pending = 1;
    host_open(&host, &options);
    client_request(&bytes, "/ws", "");
    for (int i = 0; i < 2; i++) {
        peers[i] = host_peer(&host);
        peer_feed(peers[i], bytes.data, bytes.length, WHOLE);
    }
    bytes_free(&bytes);
    host_turn(&host);
    ck_assert_int_eq(peer_head(peers[0]), 101);
    ck_assert_int_eq(peer_head(peers[1]), 503);
    peer_expect_header(peers[1], "\r\nRetry-After: ");
    peer_expect_header(peers[1],
                       "the server is opening too many connections at once; try again");
}
END_TEST

/* A request whose head has `length` bytes. */
static struct peer *request_of_length(size_t length, enum chunking chunking)
{
    struct peer *peer = host_peer(&host);
    struct bytes bytes = {0};
    static char filler[1 << 17];
    size_t more;

    client_request(&bytes, "/ws", "X-Filler: \r\n");
    more = length - bytes.length;
    bytes_free(&bytes);
    snprintf(filler, sizeof filler, "X-Filler: %0*d\r\n", (int)more, 0);
    client_request(&bytes, "/ws", filler);
    ck_assert_uint_eq(bytes.length, length);
    client_text(&bytes, FIN | TEXT, "behind it");
    peer_send_chunked(peer, &bytes, chunking);
    bytes_free(&bytes);
    return peer;
}

START_TEST(rfc6585_5_a_head_above_the_limit_is_431)
{
    static const uint32_t limits[] = {512, 81920};
    uint32_t limit = limits[_i];

    options.endpoint.max_head_bytes = limit;
    host_open(&host, &options);
    for (int i = 0; i < N_CHUNKINGS; i++) {
        struct peer *peer = request_of_length(limit, (enum chunking)i);

        ck_assert_int_eq(peer_head(peer), 101);
        peer_expect_text(peer, "behind it");
        peer = request_of_length(limit + 1, (enum chunking)i);
        ck_assert_int_eq(peer_head(peer), 431);
        ck_assert(peer->ended);
    }
}
END_TEST

START_TEST(rfc6585_5_more_than_256_headers_are_431)
{
    for (int n = 251; n <= 252; n++) {
        struct bytes headers = {0};

        if (host.manager == NULL)
            host_open(&host, &options);
        for (int i = 0; i < n; i++)
            bytes_add_text(&headers, "A:b\r\n");
        ck_assert_int_eq(peer_head(host_request(&host, (char *)headers.data)),
                         n == 251 ? 101 : 431);
        bytes_free(&headers);
    }
}
END_TEST

START_TEST(an_error_in_the_last_allowed_header_is_400)
{
    struct bytes headers = {0};

    host_open(&host, &options);
    for (int i = 0; i < 250; i++)
        bytes_add_text(&headers, "A:b\r\n");
    bytes_add_text(&headers, "Content-Length: x\r\n");
    ck_assert_int_eq(peer_head(host_request(&host, (char *)headers.data)), 400);
    bytes_free(&headers);
}
END_TEST

START_TEST(a_head_that_takes_too_long_ends_the_connection)
{
    static const char head[] = "GET /ws HTTP";
    struct peer *silent;
    struct peer *slow;
    struct peer *done;

    options.endpoint.handshake_timeout_ms = 1000;
    host_open(&host, &options);
    silent = host_peer(&host);
    slow = host_peer(&host);
    done = host_client(&host);
    for (int i = 0; i < 9; i++) {
        host_pass(&host, 100);
        peer_feed(slow, &head[i], 1, WHOLE);
    }
    host_pass(&host, 90);
    ck_assert(!silent->ended && !slow->ended);
    host_pass(&host, 60);
    ck_assert(silent->ended && slow->ended && !done->ended);
    ck_assert_uint_eq(silent->listed, 1);
    ck_assert_uint_eq(silent->received.length + slow->received.length, 0);
    ck_assert_int_eq(peer_send_text(slow, "/1.1\r\n\r\n"), WS_ERR_CLOSED);
    host_pass(&host, 100000);
    ck_assert(!done->ended);
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("websocket-handshake-answer");
    TCase *tests = tcase_create("answers");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, refusals_without_origin_are_http_statuses);
    tcase_add_test(tests, a_browser_gets_401_and_403_as_close_codes_4401_and_4403);
    tcase_add_test(tests, an_invalid_refusal_changes_nothing);
    tcase_add_test(tests, a_refused_client_that_reads_nothing_is_dropped_after_the_timeout);
    tcase_add_test(tests, a_drained_manager_answers_503_with_retry_after);
    tcase_add_test(tests, above_max_connections_the_answer_is_503);
    tcase_add_test(tests, above_max_pending_the_answer_is_503);
    tcase_add_loop_test(tests, rfc6585_5_a_head_above_the_limit_is_431, 0, 2);
    tcase_add_test(tests, rfc6585_5_more_than_256_headers_are_431);
    tcase_add_test(tests, an_error_in_the_last_allowed_header_is_400);
    tcase_add_test(tests, a_head_that_takes_too_long_ends_the_connection);
    suite_add_tcase(suite, tests);
    return suite;
}
