/* floods_test.c: more frames in a second than a client has a use for: pings, pongs, continuations,
 * empty frames. Not here: the number of frames in one message (message_limits_test.c). */
#include <string.h>

#include "websocket/host.h"
#include "websocket/zlib_peer.h"

enum { MOST = 5, MANY = 100000, MAX_FRAGMENTS = 65536, LARGE = 131072 };

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

/* Also checks that it is counted. */
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

START_TEST(control_frames_are_limited)
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

/* Each frame in a second of its own, with gaps of 32 s, a day, 49.7 days. */
START_TEST(occasional_frames_are_not_a_flood)
{
    static const uint64_t apart_ms[] = {32000, UINT64_C(86400000), UINT64_C(1) << 32};

    for (size_t i = 0; i < sizeof apart_ms / sizeof *apart_ms; i++) {
        begin();
        for (int frame = 0; frame < 3 * MOST; frame++) {
            peer_send_frame(peer, FIN | PING, "x", 1);
            peer_expect(peer, PONG, "x", 1);
            peer_send_frame(peer, FIN | BINARY, NULL, 0);
            peer_expect(peer, BINARY, NULL, 0);
            host_pass(&host, apart_ms[i]);
        }
        host_close(&host);
    }
}
END_TEST

/* Each client is counted separately, also when others connect and end in between. */
START_TEST(clients_are_counted_separately)
{
    struct peer *others[HOST_MAX_PEERS - 1];

    begin();
    for (int i = 0; i < HOST_MAX_PEERS - 1; i++)
        others[i] = host_client(&host);
    for (int frame = 0; frame < MOST; frame++) {
        peer_send_frame(peer, FIN | PONG, NULL, 0);
        for (int i = 0; i < HOST_MAX_PEERS - 1; i++)
            peer_send_frame(others[i], FIN | PONG, NULL, 0);
    }
    for (int i = 0; i < HOST_MAX_PEERS - 1; i++)
        peer_expect_nothing(others[i]);
    peer_free(others[0]);
    others[0] = host_client(&host);
    for (int frame = 0; frame < MOST; frame++)
        peer_send_frame(others[0], FIN | PONG, NULL, 0);
    peer_expect_nothing(others[0]);
    peer_send_frame(peer, FIN | PONG, NULL, 0);
    expect_flood("too many control frames");
    peer_send_frame(others[1], FIN | PONG, NULL, 0);
    peer_expect_close_reason(others[1], 1008, "too many control frames");
}
END_TEST

/* Messages as clients fragment them that send as fast as they can: pieces of one size and the rest,
 * all in the same second. */
START_TEST(large_frames_are_not_a_flood)
{
    static const struct {
        size_t message, piece;
    } cuts[] = {{40960, 4096}, {4097, 4096}, {LARGE, 64}, {LARGE - 1, 256}, {65, 64}};
    static char payload[LARGE];

    options.endpoint.max_message_bytes = LARGE;
    options.endpoint.max_fragments = MOST;
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        begin();
        for (unsigned message = 1; message <= 3 * MOST; message++) {
            for (size_t at = 0; at < cuts[i].message; at += cuts[i].piece) {
                size_t left = cuts[i].message - at;
                bool last = left <= cuts[i].piece;

                client_frame(&frames,
                             (at == 0 ? BINARY : CONTINUATION) | (last ? (unsigned)FIN : 0),
                             payload, last ? left : cuts[i].piece);
            }
            send_frames();
            ck_assert_uint_eq(host.called[HOST_RAW], message);
            ck_assert_uint_eq(host.message.length, cuts[i].message);
        }
        host_close(&host);
    }
}
END_TEST

/* A message is inflated when it is complete, so its pieces pay with the bytes that were sent. */
START_TEST(compressed_pieces_count_as_they_were_sent)
{
    enum { PIECES = 2 * MOST };
    static uint8_t noise[PIECES * 64];
    uint8_t compressed[2 * sizeof noise];
    size_t length;

    options.endpoint.max_message_bytes = sizeof noise;
    options.endpoint.max_fragments = MOST;
    for (int part = 64; part >= 32; part /= 2) {
        host_open(&host, &options);
        peer = host_client_with(&host, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
        length = zlib_deflate(15, 0, noise, (size_t)PIECES * (size_t)part, compressed,
                              sizeof compressed);
        for (size_t at = 0; at < length; at += (size_t)part) {
            bool is_last = length - at < 2 * (size_t)part;
            unsigned first = at == 0 ? RSV1 | BINARY : CONTINUATION;

            client_frame(&frames, is_last ? FIN | first : first, compressed + at,
                         is_last ? length - at : (size_t)part);
            if (is_last)
                break;
        }
        send_frames();
        ck_assert_uint_eq(host.called[HOST_RAW], part == 64);
        host_close(&host);
    }
}
END_TEST

/* Frames that are a little smaller are credited in part. */
START_TEST(small_frames_are_credited_in_part)
{
    static const char payload[63];

    options.endpoint.max_fragments = 0;
    begin();
    client_frame(&frames, BINARY, payload, sizeof payload);
    for (int i = 0; i < 63; i++) /* from now on the bytes for one frame are missing */
        client_frame(&frames, CONTINUATION, payload, sizeof payload);
    for (int i = 0; i < MOST; i++)
        client_frame(&frames, CONTINUATION, payload, sizeof payload);
    send_frames();
    peer_expect_nothing(peer);
    client_frame(&frames, CONTINUATION, payload, sizeof payload);
    send_frames();
    expect_continuation_flood();
}
END_TEST

/* In one write or one by one: the count outlives the frame reader. */
START_TEST(messages_of_two_fragments_are_limited)
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

START_TEST(empty_messages_are_limited)
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

/* No other limit would end such a message. */
START_TEST(an_endless_message_is_ended)
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

START_TEST(an_unfinished_message_may_continue)
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

/* The two limits are independent. */
START_TEST(control_and_data_frames_have_separate_limits)
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

START_TEST(a_limit_of_0_disables_the_limit)
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

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("websocket-floods");
    TCase *tests = tcase_create("floods");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, control_frames_are_limited);
    tcase_add_test(tests, occasional_frames_are_not_a_flood);
    tcase_add_test(tests, clients_are_counted_separately);
    tcase_add_test(tests, large_frames_are_not_a_flood);
    tcase_add_test(tests, compressed_pieces_count_as_they_were_sent);
    tcase_add_test(tests, small_frames_are_credited_in_part);
    tcase_add_test(tests, messages_of_two_fragments_are_limited);
    tcase_add_test(tests, empty_messages_are_limited);
    tcase_add_test(tests, an_endless_message_is_ended);
    tcase_add_test(tests, an_unfinished_message_may_continue);
    tcase_add_test(tests, control_and_data_frames_have_separate_limits);
    tcase_add_test(tests, a_limit_of_0_disables_the_limit);
    suite_add_tcase(suite, tests);
    return suite;
}
