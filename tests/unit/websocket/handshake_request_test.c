/* handshake_request_test.c: which requests become a WebSocket (RFC 6455 section 4.2.1), and the
 * HTTP status for the others. Not here: the application's decisions. */
#include <stdlib.h>
#include <string.h>

#include "websocket/host.h"

#define GET "GET /ws HTTP/1.1\r\n"
#define HOST "Host: server.example.com\r\n"
#define UPGRADE "Upgrade: websocket\r\n"
#define CONNECTION "Connection: Upgrade\r\n"
#define KEY "Sec-WebSocket-Key: " CLIENT_KEY "\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define END "\r\n"

static struct host host;

static void setup(void)
{
    host_open(&host, NULL);
}

static void teardown(void)
{
    host_close(&host);
}

/* Sends the request on a new connection; returns the whole answer. */
static const char *answer_chunked(const char *request, int status, enum chunking chunking)
{
    struct peer *peer = host_peer(&host);
    int result = peer_feed(peer, request, strlen(request), chunking);
    const char *text;

    host_turn(&host);
    text = (const char *)peer->received.data;
    ck_assert_msg(text != NULL, "no answer to:\n%s", request);
    ck_assert_msg(peer_head(peer) == status, "not %d, but\n%s\nto\n%s", status, text, request);
    ck_assert_int_eq(peer->ended, status != 101);
    ck_assert_int_eq(ws_websocket_id(peer->websocket) != 0, status == 101);
    ck_assert_int_eq(result, WS_OK); /* the answer has yet to be written */
    if (status != 101)
        ck_assert_int_eq(ws_websocket_receive(peer->websocket, "x", 1), WS_ERR_CLOSED);
    peer_free(peer);
    return text;
}

/* In every chunking, the whole request last; the answer is always the same. */
static const char *answer(const char *request, int status)
{
    for (int chunking = N_CHUNKINGS - 1; chunking > WHOLE; chunking--)
        answer_chunked(request, status, (enum chunking)chunking);
    return answer_chunked(request, status, WHOLE);
}

static void expect_header(const char *text, const char *line)
{
    ck_assert_msg(strstr(text, line) != NULL, "no %s in\n%s", line, text);
}

/* An error is one complete HTTP answer: its length is correct, and it says that the connection
 * ends. */
static void refused(const char *request, int status)
{
    const char *text = answer(request, status);
    const char *body = strstr(text, "\r\n\r\n") + 4;
    const char *length = strstr(text, "\r\nContent-Length: ");

    ck_assert_ptr_nonnull(length);
    if (strncmp(request, "HEAD ", 5) == 0) /* refusal_test.c */
        ck_assert_str_eq(body, "");
    else
        ck_assert_uint_eq(strtoul(length + 18, NULL, 10), strlen(body));
    expect_header(text, "close\r\n");
    expect_header(text, "\r\nContent-Type: text/plain; charset=utf-8\r\n");
}

START_TEST(rfc6455_1_3_accept_of_the_example_key)
{
    const char *text = answer(GET HOST UPGRADE CONNECTION KEY VERSION END, 101);

    expect_header(text, "\r\nSec-WebSocket-Accept: " CLIENT_ACCEPT "\r\n");
    expect_header(text, "\r\nUpgrade: websocket\r\n");
    expect_header(text, "\r\nConnection: Upgrade\r\n");
    ck_assert_ptr_null(strstr(text, "Sec-WebSocket-Protocol"));
    ck_assert_ptr_null(strstr(text, "Sec-WebSocket-Extensions"));
}
END_TEST

START_TEST(rfc6455_4_2_1_1_method_must_be_get)
{
    const char *text = answer("POST /ws HTTP/1.1\r\n" HOST END, 405);

    expect_header(text, "\r\nAllow: GET\r\n");
    refused("HEAD /ws HTTP/1.1\r\n" HOST UPGRADE CONNECTION KEY VERSION END, 405);
    refused("PUT /ws HTTP/1.1\r\n" HOST UPGRADE CONNECTION KEY VERSION END, 405);
}
END_TEST

START_TEST(rfc6455_4_2_1_1_version_must_be_http_1_1)
{
    refused("GET /ws HTTP/1.0\r\n" HOST UPGRADE CONNECTION KEY VERSION END, 400);
    refused("GET /ws HTTP/2.0\r\n" HOST UPGRADE CONNECTION KEY VERSION END, 505);
    refused("GET /ws HTTP/0.9\r\n" HOST UPGRADE CONNECTION KEY VERSION END, 505);
}
END_TEST

START_TEST(rfc6455_4_2_1_2_exactly_one_host)
{
    refused(GET UPGRADE CONNECTION KEY VERSION END, 400);
    refused(GET HOST HOST UPGRADE CONNECTION KEY VERSION END, 400);
    answer(GET "hOST: a\r\n" UPGRADE CONNECTION KEY VERSION END, 101);
}
END_TEST

START_TEST(rfc6455_4_2_1_3_upgrade_lists_websocket_in_any_case)
{
    static const char *const good[] = {
        GET HOST "Upgrade: WebSocket\r\n" CONNECTION KEY VERSION END,
        GET HOST "UPGRADE: h2c, WEBSOCKET\r\n" CONNECTION KEY VERSION END,
        GET HOST "Upgrade: h2c\r\nUpgrade: websocket,foo\r\n" CONNECTION KEY VERSION END,
        GET HOST "Upgrade: ,\twebsocket ,\r\n" CONNECTION KEY VERSION END,
    };

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        answer(good[i], 101);
}
END_TEST

START_TEST(rfc6455_4_2_1_3_without_upgrade_426)
{
    static const char *const bad[] = {
        GET HOST CONNECTION KEY VERSION END,
        GET HOST "Upgrade: \r\n" CONNECTION KEY VERSION END,
        GET HOST "Upgrade: websocket2\r\n" CONNECTION KEY VERSION END,
        GET HOST "Upgrade: websocke\r\n" CONNECTION KEY VERSION END,
        GET HOST "Upgrade: h2c\r\n" CONNECTION KEY VERSION END,
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *text = answer(bad[i], 426);

        /* RFC 9110 section 15.5.22: it names the protocol to upgrade to. */
        expect_header(text, "\r\nUpgrade: websocket\r\n");
        expect_header(text, "\r\nConnection: Upgrade, close\r\n");
    }
}
END_TEST

START_TEST(rfc6455_4_2_1_4_connection_lists_upgrade_in_any_case)
{
    answer(GET HOST UPGRADE "Connection: keep-alive, uPGRADE\r\n" KEY VERSION END, 101);
    answer(GET HOST UPGRADE "connection: keep-alive\r\nConnection: upgrade\r\n" KEY VERSION END,
           101);
    refused(GET HOST UPGRADE KEY VERSION END, 400);
    refused(GET HOST UPGRADE "Connection: keep-alive\r\n" KEY VERSION END, 400);
    refused(GET HOST UPGRADE "Connection: Upgrades\r\n" KEY VERSION END, 400);
}
END_TEST

#define WITH_KEY(key) GET HOST UPGRADE CONNECTION "Sec-WebSocket-Key: " key "\r\n" VERSION END

START_TEST(rfc6455_4_2_1_5_key_is_base64_of_16_bytes)
{
    static const char *const bad[] = {
        GET HOST UPGRADE CONNECTION VERSION END, /* none */
        GET HOST UPGRADE CONNECTION KEY KEY VERSION END,
        WITH_KEY(""),
        WITH_KEY("dGhlIHNhbXBsZSBub25jZQ="),
        WITH_KEY("dGhlIHNhbXBsZSBub25jZQ==="),
        WITH_KEY("dGhlIHNhbXBsZSBub25jZQAA"),       /* 18 bytes */
        WITH_KEY("dGhlIHNhbXBsZSBub25jZA0="),       /* 17 bytes */
        WITH_KEY("dGhlIHNhbXBs=SBub25jZQ=="),       /* padding in the middle */
        WITH_KEY("dGhlIHNhbXBsZSBub25j*Q=="),       /* not base64 */
        WITH_KEY("dGhlIHNhbXBsZSBub25j-_=="),       /* the URL alphabet */
        WITH_KEY("dGhl IHNhbXBsZSBub25jZ=="),       /* a space */
        WITH_KEY("dGhlIHNhbXBsZSBub25jZQ==AAAA"),   /* more after the padding */
        WITH_KEY("AAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), /* longer */
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refused(bad[i], 400);
    answer(WITH_KEY("AAAAAAAAAAAAAAAAAAAAAA=="), 101);
    answer(WITH_KEY("/+/+/+/+/+/+/+/+/+/+/w=="), 101);
}
END_TEST

START_TEST(rfc6455_4_4_other_versions_are_answered_with_13)
{
    static const char *const bad[] = {
        GET HOST UPGRADE CONNECTION KEY END,
        GET HOST UPGRADE CONNECTION KEY "Sec-WebSocket-Version: 12\r\n" END,
        GET HOST UPGRADE CONNECTION KEY "Sec-WebSocket-Version: 013\r\n" END,
        GET HOST UPGRADE CONNECTION KEY "Sec-WebSocket-Version: 13, 12\r\n" END,
        GET HOST UPGRADE CONNECTION KEY VERSION VERSION END,
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect_header(answer(bad[i], 426), "\r\nSec-WebSocket-Version: 13\r\n");
}
END_TEST

START_TEST(rfc9110_5_5_white_space_around_values_is_ignored)
{
    answer(GET "Host:a \r\nUpgrade:websocket\r\nConnection:Upgrade\t\r\n"
               "Sec-WebSocket-Key:\t " CLIENT_KEY "\r\nSec-WebSocket-Version:  13\r\n" END,
           101);
    answer(GET HOST UPGRADE CONNECTION KEY "Sec-WebSocket-Version: 13 \r\n" END, 101);
    answer(GET HOST UPGRADE CONNECTION "Sec-WebSocket-Key: " CLIENT_KEY " \t\r\n" VERSION END,
           101);
}
END_TEST

START_TEST(garbage_is_400)
{
    refused("\x16\x03\x01\x02\x01\x03\x03", 400); /* TLS */
    refused("\x81\x85\x01\x02\x03\x04hello", 400);
    refused("GET\r\n\r\n", 400);
    refused("GET /ws HTTP/1.1\r\nno colon\r\n\r\n", 400);
    refused("GET /ws HTTP/1.1\r\nA: \x01\r\n\r\n", 400);
    refused("get /ws HTTP/1.1\r\n" HOST END, 400);
}
END_TEST

START_TEST(a_head_may_arrive_in_any_chunks)
{
    for (int chunking = 0; chunking < N_CHUNKINGS; chunking++) {
        struct peer *peer = host_peer(&host);
        struct bytes request = {0};

        client_request(&request, "/ws?a=b", "X-Empty:\r\nX-Long: a \t b\r\n");
        ck_assert_int_eq(peer_send_chunked(peer, &request, (enum chunking)chunking), WS_OK);
        ck_assert_int_eq(peer_head(peer), 101);
        ck_assert_ptr_nonnull(strstr((char *)peer->received.data, CLIENT_ACCEPT));
        peer_expect_nothing(peer);
        bytes_free(&request);
    }
}
END_TEST

START_TEST(frames_after_the_head_are_accepted)
{
    for (int chunking = 0; chunking < N_CHUNKINGS; chunking++) {
        struct peer *peer = host_peer(&host);
        struct bytes request = {0};

        client_request(&request, "/ws", "");
        client_text(&request, FIN | PING, "there?");
        client_text(&request, TEXT, "one ");
        client_text(&request, FIN | CONTINUATION, "message");
        ck_assert_int_eq(peer_send_chunked(peer, &request, (enum chunking)chunking), WS_OK);
        ck_assert_int_eq(peer_head(peer), 101);
        peer_expect(peer, PONG, "there?", 6);
        peer_expect_text(peer, "one message");
        peer_expect_nothing(peer);
        bytes_free(&request);
    }
}
END_TEST

START_TEST(bytes_after_a_refused_head_are_discarded)
{
    struct peer *peer = host_peer(&host);

    ck_assert_int_eq(peer_send_text(peer, "POST / HTTP/1.1\r\n" HOST END GET HOST END), WS_OK);
    ck_assert_int_eq(peer_head(peer), 405);
    ck_assert_ptr_null(strstr((char *)peer->received.data + peer->read, "HTTP/1.1"));
    ck_assert(peer->ended);
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("websocket-handshake-request");
    TCase *tests = tcase_create("requests");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, rfc6455_1_3_accept_of_the_example_key);
    tcase_add_test(tests, rfc6455_4_2_1_1_method_must_be_get);
    tcase_add_test(tests, rfc6455_4_2_1_1_version_must_be_http_1_1);
    tcase_add_test(tests, rfc6455_4_2_1_2_exactly_one_host);
    tcase_add_test(tests, rfc6455_4_2_1_3_upgrade_lists_websocket_in_any_case);
    tcase_add_test(tests, rfc6455_4_2_1_3_without_upgrade_426);
    tcase_add_test(tests, rfc6455_4_2_1_4_connection_lists_upgrade_in_any_case);
    tcase_add_test(tests, rfc6455_4_2_1_5_key_is_base64_of_16_bytes);
    tcase_add_test(tests, rfc6455_4_4_other_versions_are_answered_with_13);
    tcase_add_test(tests, rfc9110_5_5_white_space_around_values_is_ignored);
    tcase_add_test(tests, garbage_is_400);
    tcase_add_test(tests, a_head_may_arrive_in_any_chunks);
    tcase_add_test(tests, frames_after_the_head_are_accepted);
    tcase_add_test(tests, bytes_after_a_refused_head_are_discarded);
    suite_add_tcase(suite, tests);
    return suite;
}
