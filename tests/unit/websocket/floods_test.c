/* floods_test.c: more frames in a second than a client has a use for: pings, pongs, continuations,
 * empty ones. Not here: how many frames one message may have (message_limits_test.c). */
#include <string.h>

#include "websocket/host.h"

enum { MOST = 5, MANY = 100000, MAX_FRAGMENTS = 65536 };

static struct host host;
static struct host_options options;
static struct peer *peer;
static struct bytes frames;

static void setup(void)
{
    host_options_init(&options);
    options.endpoint.max_control_frames = MOST;
    options.endpoint.max_continuation_frames = MOST;
}

static void teardown(void)
{
    bytes_free(&frames);
    host_close(&host);
}

static void begin(void)
{
    host_open(&host, &options);
    peer = host_client(&host);
}

static void send_frames(void)
{
    peer_send(peer, &frames);
    bytes_free(&frames);
}

static void add_fragmented(const char *first, const char *last)
{
    client_text(&frames, TEXT, first);
    client_text(&frames, FIN | CONTINUATION, last);
}

/* Also that it is counted. */
static void expect_flood(const char *reason)
{
    peer_expect_close_reason(peer, 1008, reason);
    peer_expect_nothing(peer);
    ck_assert_uint_eq(host.code, 1008);
    host_expect_stats(&host, "\"frame_floods\":1,\"protocol_errors\":1,");
}

static void expect_continuation_flood(void)
{
    expect_flood("too many continuation or empty frames");
}

START_TEST(control_frames)
{
    begin();
    for (int second = 0; second < 3; second++) {
        for (int i = 0; i < MOST; i++) {
            peer_send_frame(peer, FIN | (i % 2 == 0 ? PING : PONG), "x", 1);
            if (i % 2 == 0)
                peer_expect(peer, PONG, "x", 1);
        }
        host_pass(&host, 1000);
    }
    for (int i = 0; i < MOST; i++)
        peer_send_frame(peer, FIN | PONG, NULL, 0);
    peer_expect_nothing(peer);
    peer_send_frame(peer, FIN | PONG, NULL, 0);
    expect_flood("too many control frames");
}
END_TEST

/* In one write or each alone: what was counted outlives the frame reader. */
START_TEST(messages_of_two_fragments)
{
    begin();
    for (int second = 0; second < 3; second++) {
        for (int i = 0; i < MOST; i++) {
            add_fragmented("a", "b");
            if (second == 1)
                send_frames();
        }
        send_frames();
        for (int i = 0; i < MOST; i++)
            peer_expect(peer, TEXT, "ab", 2);
        host_pass(&host, 1000);
    }
    for (int i = 0; i < MOST; i++) {
        add_fragmented("a", "b");
        send_frames();
        peer_expect(peer, TEXT, "ab", 2);
    }
    client_text(&frames, FIN | TEXT, "whole");
    send_frames();
    peer_expect(peer, TEXT, "whole", 5);
    add_fragmented("a", "b");
    send_frames();
    expect_continuation_flood();
}
END_TEST

START_TEST(empty_messages)
{
    begin();
    for (int i = 0; i < MOST; i++) {
        peer_send_frame(peer, FIN | (i % 2 == 0 ? TEXT : BINARY), NULL, 0);
        peer_expect(peer, i % 2 == 0 ? TEXT : BINARY, NULL, 0);
    }
    peer_send_frame(peer, FIN | BINARY, NULL, 0);
    expect_continuation_flood();
}
END_TEST

/* Nothing but this limit would end such a message. */
START_TEST(a_message_without_end)
{
    options.endpoint.max_fragments = 0;
    begin();
    client_text(&frames, TEXT, "a");
    for (int i = 0; i < MOST; i++)
        client_text(&frames, CONTINUATION, "");
    send_frames();
    peer_expect_nothing(peer);
    peer_send_frame(peer, CONTINUATION, NULL, 0);
    expect_continuation_flood();
}
END_TEST

START_TEST(a_message_under_way_goes_on)
{
    options.endpoint.max_fragments = MAX_FRAGMENTS;
    options.endpoint.max_message_bytes = MAX_FRAGMENTS;
    begin();
    for (int i = 0; i < MAX_FRAGMENTS; i++)
        client_text(&frames,
                    (i == 0 ? BINARY : CONTINUATION) | (i == MAX_FRAGMENTS - 1 ? FIN : 0), "x");
    send_frames();
    ck_assert_uint_eq(host.message.length, MAX_FRAGMENTS);
    ck_assert_uint_eq(host.called[HOST_RAW], 1);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 0);
    host_pass(&host, 1000);
    add_fragmented("a", "b");
    send_frames();
    ck_assert_uint_eq(host.called[HOST_RAW], 2);
}
END_TEST

/* The two limits do not touch each other. */
START_TEST(one_of_each_kind)
{
    begin();
    for (int i = 0; i < MOST; i++) {
        client_text(&frames, TEXT, "a");
        client_text(&frames, FIN | PONG, "");
        client_text(&frames, FIN | CONTINUATION, "b");
    }
    send_frames();
    for (int i = 0; i < MOST; i++)
        peer_expect(peer, TEXT, "ab", 2);
    peer_expect_nothing(peer);
    client_text(&frames, TEXT, "a");
    client_text(&frames, CONTINUATION, "b");
    send_frames();
    expect_continuation_flood();
}
END_TEST

START_TEST(no_limit)
{
    options.endpoint.max_continuation_frames = 0;
    options.endpoint.max_fragments = 0;
    begin();
    client_text(&frames, TEXT, "a");
    for (int i = 0; i < MANY; i++)
        client_text(&frames, CONTINUATION, "");
    client_text(&frames, FIN | CONTINUATION, "b");
    send_frames();
    peer_expect(peer, TEXT, "ab", 2);
}
END_TEST

START_TEST(more_than_can_be_counted_is_no_limit_to_ask_for)
{
    ws_endpoint *endpoint;

    host_open(&host, NULL);
    options.endpoint.max_continuation_frames = UINT16_MAX + 1;
    ck_assert_int_eq(ws_endpoint_new(host.manager, &options.endpoint, &endpoint),
                     WS_ERR_INVALID);
    options.endpoint.max_continuation_frames = UINT16_MAX;
    options.endpoint.max_control_frames = UINT16_MAX + 1;
    ck_assert_int_eq(ws_endpoint_new(host.manager, &options.endpoint, &endpoint),
                     WS_ERR_INVALID);
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("websocket-floods");
    TCase *tests = tcase_create("floods");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, control_frames);
    tcase_add_test(tests, messages_of_two_fragments);
    tcase_add_test(tests, empty_messages);
    tcase_add_test(tests, a_message_without_end);
    tcase_add_test(tests, a_message_under_way_goes_on);
    tcase_add_test(tests, one_of_each_kind);
    tcase_add_test(tests, no_limit);
    tcase_add_test(tests, more_than_can_be_counted_is_no_limit_to_ask_for);
    suite_add_tcase(suite, tests);
    return suite;
}
