/* message_limits_test.c: the endpoint's limits of a message, and what is kept and answered before
 * and after a refusal. Not here: what RFC 6455 forbids (conformance_test.c). */
#include <string.h>

#include "websocket/host.h"

static struct host host;
static struct host_options options;

static void setup(void)
{
    memset(&host, 0, sizeof host);
    host_options_init(&options);
    options.endpoint.max_message_bytes = 1000;
    options.endpoint.max_fragments = 4;
}

static void teardown(void)
{
    if (host.manager != NULL)
        host_close(&host);
}

/* Sends `frames` in every chunking, each to a new host: the connection fails with `code` and ends
 * at once (section 7.1.7), whatever arrives then. Empties `frames`. */
static void expect_failure(struct bytes *frames, uint16_t code)
{
    for (int i = 0; i < N_CHUNKINGS; i++) {
        struct peer *peer;

        host_open(&host, &options);
        peer = host_client(&host);
        peer_send_chunked(peer, frames, (enum chunking)i);
        peer_expect_failed(peer, code);
        ck_assert(peer->ended);
        peer_send_frame(peer, FIN | TEXT, "after the end", 13);
        peer_send_frame(peer, FIN | PING, "?", 1);
        ck_assert_int_eq(peer_send_close(peer, code, ""), WS_ERR_CLOSED);
        peer_expect_nothing(peer);
        ck_assert_uint_eq(host.called[HOST_RAW], 0);
        ck_assert_uint_eq(host.called[HOST_DISCONNECT], 1);
        host_expect_stats(&host, "\"protocol_errors\":1,");
        host_close(&host);
    }
    bytes_free(frames);
}

static char big[1001];

START_TEST(rfc6455_7_4_1_message_above_the_limit_is_1009)
{
    struct bytes frames = {0};

    client_frame(&frames, FIN | BINARY, big, 1001);
    expect_failure(&frames, 1009);
    client_frame(&frames, BINARY, big, 1000);
    client_frame(&frames, FIN | CONTINUATION, big, 1);
    expect_failure(&frames, 1009);
    client_frame(&frames, BINARY, big, 1);
    client_frame(&frames, CONTINUATION, big, 999);
    client_frame(&frames, CONTINUATION, big, 0);
    client_frame(&frames, FIN | CONTINUATION, big, 1);
    expect_failure(&frames, 1009);
}
END_TEST

/* The endpoint neither waits for a byte of the payload beyond the first nor keeps one. */
START_TEST(rfc6455_7_4_1_a_big_frame_is_refused_at_its_beginning)
{
    static const uint64_t lengths[] = {1001, 65536, UINT64_C(1) << 40, INT64_MAX};

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct bytes frames = {0};
        struct peer *peer;
        size_t before;

        host_open(&host, &options);
        peer = host_client(&host);
        before = host.memory.bytes;
        client_header(&frames, FIN | BINARY, lengths[i] < 65536 ? 2 : 8, true, lengths[i]);
        bytes_add(&frames, "", 1);
        ck_assert_int_eq(peer_send_chunked(peer, &frames, BYTE_BY_BYTE), WS_OK);
        peer_expect_failed(peer, 1009);
        ck_assert_uint_lt(host.memory.bytes, before + 8192);
        bytes_free(&frames);
        host_close(&host);
    }
}
END_TEST

START_TEST(rfc6455_7_4_1_messages_at_the_limit_are_accepted)
{
    struct bytes frames = {0};
    struct peer *peer;

    host_open(&host, &options);
    peer = host_client(&host);
    for (int i = 0; i < 3; i++) { /* the limit is for each message */
        client_frame(&frames, FIN | BINARY, big, 1000);
        client_frame(&frames, BINARY, big, 999);
        client_frame(&frames, FIN | PING, "between", 7); /* does not count */
        client_frame(&frames, FIN | CONTINUATION, big, 1);
    }
    peer_send(peer, &frames);
    bytes_free(&frames);
    for (int i = 0; i < 3; i++)
        peer_expect(peer, PONG, "between", 7);
    for (int i = 0; i < 6; i++)
        peer_expect(peer, BINARY, big, 1000);
    peer_expect_nothing(peer);
}
END_TEST

START_TEST(max_fragments_and_one_more)
{
    struct bytes frames = {0};
    struct peer *peer;

    for (unsigned i = 0; i < 5; i++)
        client_text(&frames, i == 0 ? TEXT : CONTINUATION, "");
    expect_failure(&frames, 1009);

    host_open(&host, &options);
    peer = host_client(&host);
    for (int message = 0; message < 3; message++) {
        client_text(&frames, TEXT, "a");
        client_text(&frames, CONTINUATION, "b");
        client_text(&frames, FIN | PONG, ""); /* does not count */
        client_text(&frames, CONTINUATION, "c");
        client_text(&frames, FIN | CONTINUATION, "d");
    }
    peer_send(peer, &frames);
    for (int message = 0; message < 3; message++)
        peer_expect_text(peer, "abcd");
    peer_expect_nothing(peer);
    bytes_free(&frames);
}
END_TEST

START_TEST(max_fragments_of_0_disables_the_limit)
{
    struct bytes frames = {0};
    struct peer *peer;

    options.endpoint.max_fragments = 0;
    host_open(&host, &options);
    peer = host_client(&host);
    client_text(&frames, TEXT, "a");
    for (int i = 0; i < 5000; i++)
        client_text(&frames, CONTINUATION, "");
    client_text(&frames, FIN | CONTINUATION, "z");
    peer_send(peer, &frames);
    peer_expect_text(peer, "az");
    bytes_free(&frames);
}
END_TEST

START_TEST(nothing_is_kept_after_an_error)
{
    static char much[100000];
    struct peer *peer;
    size_t before;

    host_open(&host, &options);
    peer = host_client(&host);
    peer_send_frame(peer, TEXT, "half", 4);
    peer_send_frame(peer, TEXT, "another", 7);
    peer_expect_failed(peer, 1002);
    before = host.memory.bytes;
    peer_send_frame(peer, BINARY, much, sizeof much);
    peer_send_frame(peer, CONTINUATION, much, sizeof much);
    ck_assert_uint_le(host.memory.bytes, before);
    peer_expect_nothing(peer);
    ck_assert_int_eq(peer_send_close(peer, 1002, ""), WS_ERR_CLOSED);
}
END_TEST

/* Answers to frames before the bad one are sent before the close. */
START_TEST(rfc6455_7_1_7_frames_before_the_error_are_answered)
{
    struct bytes frames = {0};
    struct peer *peer;

    host_open(&host, &options);
    peer = host_client(&host);
    client_text(&frames, FIN | PING, "still alive");
    client_text(&frames, FIN | 3, "");
    client_text(&frames, FIN | PING, "not any more");
    peer_send(peer, &frames);
    bytes_free(&frames);
    peer_expect(peer, PONG, "still alive", 11);
    peer_expect_failed(peer, 1002);
}
END_TEST

/* Its buffer grows by a part of its size: with a copy for each frame, 65,536 frames of 256
 * bytes cost a second of the loop. */
START_TEST(many_small_frames_take_few_allocations)
{
    enum { FRAMES = 4000, BYTES = 20 };
    struct bytes frames = {0};
    struct peer *peer;
    size_t calls;

    options.endpoint.max_message_bytes = FRAMES * BYTES;
    options.endpoint.max_fragments = FRAMES;
    host_open(&host, &options);
    peer = host_client(&host);
    for (int i = 0; i < FRAMES; i++)
        client_frame(&frames, (i == FRAMES - 1 ? FIN : 0) | (i == 0 ? BINARY : CONTINUATION),
                     big, BYTES);
    calls = host.memory.calls;
    peer_send(peer, &frames);
    ck_assert_uint_eq(host.called[HOST_RAW], 1);
    ck_assert_uint_eq(host.message.length, FRAMES * BYTES);
    ck_assert_uint_lt(host.memory.calls - calls, 100);
    bytes_free(&frames);
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("websocket-message-limits");
    TCase *tests = tcase_create("message limits");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, rfc6455_7_4_1_message_above_the_limit_is_1009);
    tcase_add_test(tests, rfc6455_7_4_1_a_big_frame_is_refused_at_its_beginning);
    tcase_add_test(tests, rfc6455_7_4_1_messages_at_the_limit_are_accepted);
    tcase_add_test(tests, max_fragments_and_one_more);
    tcase_add_test(tests, max_fragments_of_0_disables_the_limit);
    tcase_add_test(tests, nothing_is_kept_after_an_error);
    tcase_add_test(tests, rfc6455_7_1_7_frames_before_the_error_are_answered);
    tcase_add_test(tests, many_small_frames_take_few_allocations);
    suite_add_tcase(suite, tests);
    return suite;
}
