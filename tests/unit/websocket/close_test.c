/* close_test.c: the closing handshake (RFC 6455 sections 5.5.1 and 7), started by either side: what
 * on_disconnect receives, and that no call follows it. Not here: invalid close frames
 * (conformance_test.c). */
#include <string.h>

#include "websocket/host.h"

static struct host host;

static void setup(void)
{
    host_open(&host, NULL);
}

static void teardown(void)
{
    host_close(&host);
}

static void expect_told(uint16_t code, const char *reason)
{
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 1);
    ck_assert_uint_eq(host.code, code);
    ck_assert_str_eq(host.reason, reason);
}

/* --- the client starts --------------------------------------------------------------------- */

static const uint16_t valid[] = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011,
                                 1012, 1013, 1014, 3000, 3999, 4000, 4401, 4999};

static const uint16_t invalid[] = {0,    1,    999,  1004, 1005, 1006,  1015, 1016,
                                   1100, 2000, 2999, 5000, 9999, 32768, 65535};

enum { N_VALID = sizeof valid / sizeof *valid, N_INVALID = sizeof invalid / sizeof *invalid };

START_TEST(rfc6455_7_4_valid_codes_are_answered_with_the_same)
{
    for (int chunking = 0; chunking < N_CHUNKINGS; chunking++) {
        struct peer *peer = host_client(&host);
        struct bytes frame = {0};

        memset(host.called, 0, sizeof host.called);
        client_close(&frame, valid[_i], "bye \xe2\x82\xac");
        client_text(&frame, FIN | TEXT, "after the close");
        client_text(&frame, FIN | PING, "?");
        client_close(&frame, 1000, "");
        ck_assert_int_eq(peer_send_chunked(peer, &frame, (enum chunking)chunking), WS_OK);
        bytes_free(&frame);
        peer_expect_close_reason(peer, valid[_i], "");
        peer_expect_nothing(peer);
        ck_assert(peer->ended);
        expect_told(valid[_i], "bye \xe2\x82\xac");
        ck_assert_int_eq(ws_websocket_receive(peer->websocket, "x", 1), WS_ERR_CLOSED);
        ck_assert_uint_eq(host.called[HOST_RAW], 0);
    }
}
END_TEST

START_TEST(rfc6455_5_5_1_close_without_code_is_answered_by_an_empty_one)
{
    struct peer *peer = host_client(&host);

    peer_send_close(peer, 0, "");
    peer_expect_close(peer, 1005);
    peer_expect_nothing(peer);
    ck_assert(peer->ended);
    expect_told(1005, "");
}
END_TEST

START_TEST(rfc6455_5_5_a_reason_of_123_bytes)
{
    struct peer *peer = host_client(&host);
    char reason[124];

    memset(reason, 'r', 123);
    reason[123] = '\0';
    peer_send_close(peer, 4000, reason);
    peer_expect_close_reason(peer, 4000, "");
    expect_told(4000, reason);
}
END_TEST

/* A close within a fragmented message. */
START_TEST(rfc6455_5_4_close_between_fragments)
{
    struct peer *peer = host_client(&host);

    peer_send_frame(peer, TEXT, "half", 4);
    peer_send_close(peer, 1001, "");
    peer_expect_close(peer, 1001);
    ck_assert(peer->ended);
    ck_assert_uint_eq(host.called[HOST_RAW], 0);
    expect_told(1001, "");
}
END_TEST

/* Many clients send a message and close at once, possibly in one segment. What the application
 * sends in answer is queued after the close, and is not sent. */
START_TEST(messages_before_the_close_are_handled)
{
    struct peer *peer = host_client(&host);
    struct bytes frames = {0};

    client_text(&frames, FIN | TEXT, "last words");
    client_text(&frames, FIN | PING, "p");
    client_close(&frames, 1000, "");
    peer_send(peer, &frames);
    bytes_free(&frames);
    ck_assert_uint_eq(host.called[HOST_RAW], 1);
    ck_assert_str_eq((char *)host.message.data, "last words");
    peer_expect(peer, PONG, "p", 1);
    peer_expect(peer, TEXT, "last words", 10);
    peer_expect_close(peer, 1000);
    peer_expect_nothing(peer);
    expect_told(1000, "");
    ck_assert(peer->ended);
}
END_TEST

START_TEST(requests_before_the_close_are_answered)
{
    struct host_options options;
    struct peer *peer;
    struct bytes bytes = {0};

    host_close(&host);
    host_options_init(&options);
    options.endpoint.protocol = WS_PROTOCOL_JSON;
    host_open(&host, &options);
    peer = host_peer(&host);
    client_request(&bytes, "/ws", "");
    client_text(&bytes, FIN | TEXT, "{\"type\":\"join_room\",\"room\":\"r\"}");
    client_text(&bytes, FIN | TEXT, "{\"type\":\"message\",\"data\":1}");
    client_close(&bytes, 1000, "");
    peer_send(peer, &bytes);
    bytes_free(&bytes);
    ck_assert_int_eq(peer_head(peer), 101);
    peer_expect_type(peer, "welcome");
    peer_expect_type(peer, "room_joined");
    peer_expect_close(peer, 1000);
    peer_expect_nothing(peer);
    ck_assert(peer->ended);
    ck_assert_uint_eq(host.called[HOST_CONNECT], 1);
    ck_assert_uint_eq(host.called[HOST_MESSAGE], 1);
    expect_told(1000, "");
}
END_TEST

START_TEST(a_client_that_does_not_read_the_close_is_dropped_after_the_timeout)
{
    struct peer *peer = host_client(&host);

    peer->writable = 0;
    peer_send_close(peer, 1000, "");
    expect_told(1000, "");
    host_pass(&host, 2900);
    ck_assert(!peer->ended && !ws_websocket_ended(peer->websocket));
    host_pass(&host, 200);
    ck_assert(peer->ended);
}
END_TEST

/* --- the server starts --------------------------------------------------------------------- */

START_TEST(rfc6455_7_1_2_server_closes_and_waits_for_the_answer)
{
    struct peer *peer = host_client(&host);
    const ws_conn_id id = ws_websocket_id(peer->websocket);

    ck_assert_int_eq(ws_manager_disconnect(host.manager, id, 4001, "go away"), WS_OK);
    host_turn(&host);
    peer_expect_close_reason(peer, 4001, "go away");
    expect_told(4001, "go away");
    ck_assert(!peer->ended);
    ck_assert_uint_eq(ws_websocket_id(peer->websocket), 0);
    peer_send_frame(peer, FIN | TEXT, "still talking", 13);
    peer_send_frame(peer, FIN | PING, "?", 1);
    peer_send_frame(peer, TEXT, "half", 4);
    ck_assert(!peer->ended);
    peer_send_close(peer, 4001, "");
    ck_assert(peer->ended);
    peer_expect_nothing(peer);
    ck_assert_uint_eq(host.called[HOST_RAW], 0);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 1);
}
END_TEST

START_TEST(both_sides_close_at_once)
{
    struct peer *peer = host_client(&host);
    struct bytes frame = {0};

    ck_assert_int_eq(ws_websocket_close(peer->websocket, 1001, NULL), WS_OK);
    client_close(&frame, 1000, "mine");
    peer_send(peer, &frame);
    bytes_free(&frame);
    peer_expect_close_reason(peer, 1001, "");
    peer_expect_nothing(peer);
    ck_assert(peer->ended);
    expect_told(1001, "");
}
END_TEST

/* Queued messages are sent before the close, whatever its code. */
START_TEST(the_server_s_close_comes_after_queued_messages)
{
    static const uint16_t codes[] = {1000, 1001, 1011, 1012, 1013, 4000};

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        struct peer *peer = host_client(&host);
        const ws_conn_id id = ws_websocket_id(peer->websocket);

        ws_manager_send_text(host.manager, id, "one", 3);
        ws_manager_send_text(host.manager, id, "two", 3);
        ws_manager_disconnect(host.manager, id, codes[i], NULL);
        ws_manager_send_text(host.manager, id, "too late", 8);
        host_turn(&host);
        peer_expect_text(peer, "one");
        peer_expect_text(peer, "two");
        peer_expect_close(peer, codes[i]);
        peer_expect_nothing(peer);
    }
}
END_TEST

START_TEST(a_close_that_is_not_answered_ends_after_the_close_timeout)
{
    struct peer *peer = host_client(&host);

    ws_websocket_close(peer->websocket, 1000, "");
    host_turn(&host);
    for (int i = 0; i < 29; i++) {
        host_pass(&host, 100);
        peer_send_frame(peer, FIN | TEXT, "talking on does not help", 24);
        ck_assert(!peer->ended);
    }
    host_pass(&host, 200);
    ck_assert(peer->ended);
    ck_assert_uint_eq(peer->listed, 1);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 1);
    peer_send_close(peer, 1000, "");
    ck_assert(peer->ended);
}
END_TEST

START_TEST(invalid_codes_and_reasons_are_refused)
{
    struct peer *peer = host_client(&host);
    char reason[125];

    for (size_t i = 0; i < N_INVALID; i++)
        ck_assert_int_eq(ws_websocket_close(peer->websocket, invalid[i], NULL), WS_ERR_INVALID);
    memset(reason, 'r', 124);
    reason[124] = '\0';
    ck_assert_int_eq(ws_websocket_close(peer->websocket, 1000, reason), WS_ERR_INVALID);
    ck_assert_int_eq(ws_websocket_close(peer->websocket, 1000, "\xc3"), WS_ERR_INVALID);
    host_turn(&host);
    peer_expect_nothing(peer);
    reason[123] = '\0';
    ck_assert_int_eq(ws_websocket_close(peer->websocket, 1000, reason), WS_OK);
    ck_assert_int_eq(ws_websocket_close(peer->websocket, 1000, NULL), WS_ERR_CLOSED);
    host_turn(&host);
    peer_expect_close_reason(peer, 1000, reason);
    peer_expect_nothing(peer);
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("websocket-close");
    TCase *tests = tcase_create("close");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, rfc6455_7_4_valid_codes_are_answered_with_the_same, 0, N_VALID);
    tcase_add_test(tests, rfc6455_5_5_1_close_without_code_is_answered_by_an_empty_one);
    tcase_add_test(tests, rfc6455_5_5_a_reason_of_123_bytes);
    tcase_add_test(tests, rfc6455_5_4_close_between_fragments);
    tcase_add_test(tests, messages_before_the_close_are_handled);
    tcase_add_test(tests, requests_before_the_close_are_answered);
    tcase_add_test(tests, a_client_that_does_not_read_the_close_is_dropped_after_the_timeout);
    tcase_add_test(tests, rfc6455_7_1_2_server_closes_and_waits_for_the_answer);
    tcase_add_test(tests, both_sides_close_at_once);
    tcase_add_test(tests, the_server_s_close_comes_after_queued_messages);
    tcase_add_test(tests, a_close_that_is_not_answered_ends_after_the_close_timeout);
    tcase_add_test(tests, invalid_codes_and_reasons_are_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
