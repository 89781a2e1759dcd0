/* upgrade_test.c: ws_websocket_upgrade() with a request that the host has parsed, which must have
 * the same result as the bytes of that request; and invalid endpoints and calls. */
#include <stdlib.h>
#include <string.h>

#include "websocket/host.h"

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

static const ws_header valid[] = {
    {"host", "server.example.com"},          {"Upgrade", "websocket"},
    {"Connection", "keep-alive, Upgrade"},   {"Sec-WebSocket-Key", CLIENT_KEY},
    {"Sec-WebSocket-Version", "13"},         {"Sec-WebSocket-Protocol", "a"},
    {"Sec-WebSocket-Protocol", "bearer, T"}, {"Origin", "http://a"},
};

enum { N_VALID = sizeof valid / sizeof *valid };

/* Tries the request both ways, and expects the same bytes as the answer; returns the status. */
static int both_ways(const char *method, unsigned major, unsigned minor, const char *target,
                     const ws_header *headers, size_t n)
{
    struct peer *upgraded = host_peer(&host);
    struct peer *parsed = host_peer(&host);
    struct bytes text = {0};
    char version[] = " HTTP/x.y\r\n";
    int result;
    int parsed_result;
    int status;

    result =
        ws_websocket_upgrade(upgraded->websocket, method, major, minor, target, headers, n);
    host_turn(&host);
    version[6] = (char)('0' + major);
    version[8] = (char)('0' + minor);
    bytes_add_text(&text, method);
    bytes_add_text(&text, " ");
    bytes_add_text(&text, target);
    bytes_add_text(&text, version);
    for (size_t i = 0; i < n; i++) {
        bytes_add_text(&text, headers[i].name);
        bytes_add_text(&text, ": ");
        bytes_add_text(&text, headers[i].value);
        bytes_add_text(&text, "\r\n");
    }
    bytes_add_text(&text, "\r\n");
    parsed_result = peer_send(parsed, &text);
    bytes_free(&text);
    ck_assert_int_eq(result, parsed_result);
    ck_assert_uint_gt(upgraded->received.length, 0);
    ck_assert_str_eq((char *)upgraded->received.data, (char *)parsed->received.data);
    ck_assert_int_eq(upgraded->ended, parsed->ended);
    status = peer_head(upgraded);
    ck_assert_int_eq(ws_websocket_id(upgraded->websocket) != 0, status == 101);
    return status;
}

static int judged;

static int judge(struct host *of, struct peer *peer, ws_handshake *handshake)
{
    const char *value = NULL;

    (void)of;
    (void)peer;
    judged++;
    ck_assert_str_eq(ws_handshake_path(handshake), "/ws");
    ck_assert_str_eq(ws_handshake_query(handshake), "a=%20");
    ck_assert_int_eq(ws_handshake_query_parameter(handshake, "a", &value, NULL), WS_OK);
    ck_assert_str_eq(value, " ");
    ck_assert_str_eq(ws_handshake_header(handshake, "ORIGIN"), "http://a");
    ck_assert_str_eq(ws_handshake_header(handshake, "sec-websocket-protocol"), "a, bearer, T");
    return ws_handshake_set_subprotocol(handshake, "bearer");
}

START_TEST(a_parsed_request_opens_and_frames_follow)
{
    struct peer *peer = host_peer(&host);
    struct bytes frames = {0};

    host.judge = judge;
    judged = 0;
    ck_assert_int_eq(both_ways("GET", 1, 1, "/ws?a=%20", valid, N_VALID), 101);
    ck_assert_int_eq(judged, 2);
    ck_assert_int_eq(
        ws_websocket_upgrade(peer->websocket, "GET", 1, 1, "/ws?a=%20", valid, N_VALID), WS_OK);
    client_text(&frames, FIN | TEXT, "behind the head");
    ck_assert_int_eq(peer_send(peer, &frames), WS_OK);
    bytes_free(&frames);
    ck_assert_int_eq(peer_head(peer), 101);
    peer_expect_text(peer, "behind the head");
}
END_TEST

START_TEST(a_parsed_request_is_refused_as_its_bytes_are)
{
    ws_header headers[N_VALID];

    ck_assert_int_eq(both_ways("POST", 1, 1, "/", valid, N_VALID), 405);
    ck_assert_int_eq(both_ways("GET", 1, 0, "/", valid, N_VALID), 400);
    ck_assert_int_eq(both_ways("GET", 2, 0, "/", valid, N_VALID), 505);
    ck_assert_int_eq(both_ways("GET", 1, 1, "/", valid + 1, N_VALID - 1), 400);
    ck_assert_int_eq(both_ways("GET", 1, 1, "/", valid, 4), 426);
    ck_assert_int_eq(both_ways("GET", 1, 1, "/", valid, 0), 400);
    memcpy(headers, valid, sizeof valid);
    headers[3].value = "short";
    ck_assert_int_eq(both_ways("GET", 1, 1, "/", headers, N_VALID), 400);
    headers[4].value = "8";
    ck_assert_int_eq(both_ways("GET", 1, 1, "/", headers, N_VALID), 426);
}
END_TEST

START_TEST(rfc9110_5_5_space_around_a_value_is_ignored)
{
    ws_header headers[N_VALID];

    memcpy(headers, valid, sizeof valid);
    headers[3].value = "\t " CLIENT_KEY " \t";
    headers[4].value = "13 ";
    ck_assert_int_eq(both_ways("GET", 1, 1, "/", headers, N_VALID), 101);
    headers[4].value = " ";
    ck_assert_int_eq(both_ways("GET", 1, 1, "/", headers, N_VALID), 426);
}
END_TEST

static int refuse(struct host *of, struct peer *peer, ws_handshake *handshake)
{
    (void)of;
    (void)peer;
    return ws_handshake_refuse(handshake, 401, "no");
}

/* Returning WS_OK does not undo the application's refusal. */
START_TEST(a_parsed_request_of_a_browser_is_refused_by_a_close)
{
    struct peer *peer = host_peer(&host);

    host.judge = refuse;
    ck_assert_int_eq(both_ways("GET", 1, 1, "/", valid, N_VALID - 1), 401);
    ck_assert_int_eq(ws_websocket_upgrade(peer->websocket, "GET", 1, 1, "/", valid, N_VALID),
                     WS_OK);
    host_turn(&host);
    ck_assert_int_eq(peer_head(peer), 101);
    peer_expect_close_reason(peer, 4401, "no");
}
END_TEST

START_TEST(a_parsed_request_with_too_many_headers_is_431)
{
    enum { MANY = 300 };
    ws_header headers[MANY];

    memcpy(headers, valid, sizeof valid);
    for (size_t i = N_VALID; i < MANY; i++)
        headers[i] = (ws_header){"X", "y"};
    ck_assert_int_eq(both_ways("GET", 1, 1, "/", headers, 256), 101);
    ck_assert_int_eq(both_ways("GET", 1, 1, "/", headers, MANY), 431);
}
END_TEST

/* The status of an upgrade with one more header than a valid request's. */
static int upgraded_with(const char *target, const char *name, const char *value)
{
    ws_header headers[N_VALID + 1];
    struct peer *peer = host_peer(&host);
    int status;

    memcpy(headers, valid, sizeof valid);
    headers[N_VALID] = (ws_header){name, value};
    ws_websocket_upgrade(peer->websocket, "GET", 1, 1, target, headers, N_VALID + 1);
    host_turn(&host);
    status = peer_head(peer);
    peer_free(peer);
    return status;
}

/* The shortest head with these parts. */
static size_t head_length(const char *target, const char *name, const char *value)
{
    size_t length = strlen("GET  HTTP/1.1\r\n") + strlen(target) + strlen("\r\n");

    for (size_t i = 0; i < N_VALID; i++)
        length += strlen(valid[i].name) + strlen(valid[i].value) + strlen(":\r\n");
    return length + strlen(name) + strlen(value) + strlen(":\r\n");
}

enum part { PART_TARGET, PART_NAME, PART_VALUE, N_PARTS };

/* The status of an upgrade whose head has so many bytes, because this part of it is long. */
static int upgraded_with_length(enum part part, size_t length)
{
    const char *parts[N_PARTS] = {"/", "X", ""};
    size_t more = length - head_length(parts[PART_TARGET], parts[PART_NAME], parts[PART_VALUE]);
    char *text = calloc(1, more + 2);
    int status;

    ck_assert_ptr_nonnull(text);
    strcpy(text, parts[part]);
    memset(text + strlen(text), 'a', more);
    parts[part] = text;
    status = upgraded_with(parts[PART_TARGET], parts[PART_NAME], parts[PART_VALUE]);
    free(text);
    return status;
}

START_TEST(rfc6585_5_a_parsed_head_above_the_limit_is_431)
{
    size_t most = options.endpoint.max_head_bytes;

    for (int part = 0; part < N_PARTS; part++) {
        ck_assert_int_eq(upgraded_with_length((enum part)part, most), 101);
        ck_assert_int_eq(upgraded_with_length((enum part)part, most + 1), 431);
        ck_assert_int_eq(upgraded_with_length((enum part)part, 100 * most), 431);
    }
}
END_TEST

/* Parts that could not have been in a head's bytes, and must not be copied to an answer's. */
START_TEST(rfc9110_5_an_impossible_parsed_head_is_400)
{
    static const char *const names[] = {"", "a b", "a:", "a\r", "a\nb", "\x80"};
    static const char *const values[] = {"a\r\nb: c", "a\n", "\r", "\x01", "\x7f"};
    static const char *const targets[] = {"", "/a b", "/\r\n", "/\x7f"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        ck_assert_int_eq(upgraded_with("/", names[i], "a"), 400);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        ck_assert_int_eq(upgraded_with("/", "X", values[i]), 400);
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        ck_assert_int_eq(upgraded_with(targets[i], "X", "a"), 400);
    ck_assert_int_eq(upgraded_with("/\xc3\xa4", "X", "\xc3\xa4\t "), 101);
    ck_assert_int_eq(upgraded_with("/", "Content-Length", "0"), 101);
    ck_assert_int_eq(upgraded_with("/", "Content-Length", ""), 400);
    ck_assert_int_eq(upgraded_with("/", "Transfer-Encoding", "identity"), 400);
}
END_TEST

START_TEST(upgrade_after_bytes_or_twice_is_invalid)
{
    struct peer *peer = host_peer(&host);

    ck_assert_int_eq(ws_websocket_receive(peer->websocket, "", 0), WS_OK);
    ck_assert_int_eq(ws_websocket_upgrade(peer->websocket, NULL, 1, 1, "/", valid, N_VALID),
                     WS_ERR_INVALID);
    ck_assert_int_eq(ws_websocket_upgrade(peer->websocket, "GET", 1, 1, NULL, valid, N_VALID),
                     WS_ERR_INVALID);
    ck_assert_int_eq(ws_websocket_upgrade(peer->websocket, "GET", 1, 1, "/", NULL, 1),
                     WS_ERR_INVALID);
    ck_assert_int_eq(ws_websocket_upgrade(peer->websocket, "GET", 1, 1, "/", valid, N_VALID),
                     WS_OK);
    ck_assert_int_eq(ws_websocket_upgrade(peer->websocket, "GET", 1, 1, "/", valid, N_VALID),
                     WS_ERR_INVALID);
    ck_assert_uint_ne(ws_websocket_id(peer->websocket), 0);

    peer = host_peer(&host);
    peer_feed(peer, "G", 1, WHOLE);
    ck_assert_int_eq(ws_websocket_upgrade(peer->websocket, "GET", 1, 1, "/", valid, N_VALID),
                     WS_ERR_INVALID);
    ws_websocket_eof(peer->websocket);
    ck_assert_int_eq(ws_websocket_upgrade(peer->websocket, "GET", 1, 1, "/", valid, N_VALID),
                     WS_ERR_INVALID);
}
END_TEST

START_TEST(websockets_without_a_loop_or_of_another_manager_are_invalid)
{
    struct host other;
    ws_websocket *websocket = NULL;

    host_open(&other, NULL);
    ck_assert_int_eq(ws_websocket_new(NULL, host.endpoint, NULL, &websocket), WS_ERR_INVALID);
    ck_assert_int_eq(ws_websocket_new(host.loop, NULL, NULL, &websocket), WS_ERR_INVALID);
    ck_assert_int_eq(ws_websocket_new(host.loop, host.endpoint, NULL, NULL), WS_ERR_INVALID);
    ck_assert_int_eq(ws_websocket_new(host.loop, other.endpoint, NULL, &websocket),
                     WS_ERR_INVALID);
    ck_assert_ptr_null(websocket);
    ws_websocket_free(NULL);
    ws_endpoint_free(NULL);
    host_close(&other);
}
END_TEST

static void expect_bad_endpoint(const ws_endpoint_options *bad)
{
    ws_endpoint *endpoint = NULL;

    ck_assert_int_eq(ws_endpoint_new(host.manager, bad, &endpoint), WS_ERR_INVALID);
    ck_assert_ptr_null(endpoint);
}

#define EXPECT_BAD(field, value)                                                               \
    do {                                                                                       \
        ws_endpoint_options bad = options.endpoint;                                            \
        bad.field = value;                                                                     \
        expect_bad_endpoint(&bad);                                                             \
    } while (0)

START_TEST(invalid_endpoint_options_are_refused)
{
    static const char *const names[] = {"ok", "no token"};
    ws_endpoint *endpoint = NULL;
    struct {
        ws_endpoint_options known;
        uint64_t unknown;
    } newer = {options.endpoint, 0};

    EXPECT_BAD(size, 0);
    EXPECT_BAD(size, sizeof options.endpoint.size - 1);
    EXPECT_BAD(size, 1 << 20);
    EXPECT_BAD(protocol, 7);
    EXPECT_BAD(max_head_bytes, 255);
    EXPECT_BAD(max_head_bytes, 81921);
    EXPECT_BAD(max_message_bytes, 0);
    EXPECT_BAD(max_queue_bytes, 0);
    EXPECT_BAD(handshake_timeout_ms, 0);
    EXPECT_BAD(close_timeout_ms, 0);
    EXPECT_BAD(n_subprotocols, 1);
    options.endpoint.subprotocols = names;
    EXPECT_BAD(n_subprotocols, 2);
    options.endpoint.ping_interval_ms = 1;
    EXPECT_BAD(pong_timeout_ms, 0);
    ck_assert_int_eq(ws_endpoint_new(NULL, NULL, &endpoint), WS_ERR_INVALID);
    ck_assert_int_eq(ws_endpoint_new(host.manager, NULL, NULL), WS_ERR_INVALID);

    newer.known.size = sizeof newer;
    newer.unknown = 1;
    expect_bad_endpoint(&newer.known);
    newer.unknown = 0;
    ck_assert_int_eq(ws_endpoint_new(host.manager, &newer.known, &endpoint), WS_OK);
    ws_endpoint_free(endpoint);
    ck_assert_int_eq(ws_endpoint_new(host.manager, NULL, &endpoint), WS_OK);
    ws_endpoint_free(endpoint);
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("websocket-upgrade");
    TCase *tests = tcase_create("upgrade");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_parsed_request_opens_and_frames_follow);
    tcase_add_test(tests, a_parsed_request_is_refused_as_its_bytes_are);
    tcase_add_test(tests, rfc9110_5_5_space_around_a_value_is_ignored);
    tcase_add_test(tests, a_parsed_request_of_a_browser_is_refused_by_a_close);
    tcase_add_test(tests, a_parsed_request_with_too_many_headers_is_431);
    tcase_add_test(tests, rfc6585_5_a_parsed_head_above_the_limit_is_431);
    tcase_add_test(tests, rfc9110_5_an_impossible_parsed_head_is_400);
    tcase_add_test(tests, upgrade_after_bytes_or_twice_is_invalid);
    tcase_add_test(tests, websockets_without_a_loop_or_of_another_manager_are_invalid);
    tcase_add_test(tests, invalid_endpoint_options_are_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
