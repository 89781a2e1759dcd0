/* rules_test.c: what a client may not send (RFC 6455 section 5), and the limits of the endpoint:
 * each fails the connection with its code at once, and the peer's close then ends it. */
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

/* The bytes in every chunking, each on a host of its own: the connection fails with `code` and
 * ends at once (section 7.1.7), whatever comes then. Empties `frames`. */
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
        host_close(&host);
    }
    bytes_free(frames);
}

START_TEST(rfc6455_5_1_unmasked_frame_is_1002)
{
    static const unsigned opcodes[] = {TEXT, BINARY, PING, PONG, CLOSE};
    struct bytes frames = {0};

    for (size_t i = 0; i < sizeof opcodes / sizeof *opcodes; i++) {
        client_header(&frames, FIN | opcodes[i], 0, false, 2);
        bytes_add(&frames, "\x03\xe8", 2);
        expect_failure(&frames, 1002);
    }
    client_header(&frames, FIN | TEXT, 0, false, 0);
    expect_failure(&frames, 1002);
}
END_TEST

START_TEST(rfc6455_5_2_reserved_bits_are_1002)
{
    static const unsigned bits[] = {RSV1, RSV2, RSV3, RSV1 | RSV2 | RSV3};
    static const unsigned opcodes[] = {TEXT, BINARY, PING, PONG, CLOSE};
    struct bytes frames = {0};

    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
        for (size_t k = 0; k < sizeof opcodes / sizeof *opcodes; k++) {
            client_frame(&frames, FIN | bits[i] | opcodes[k], "\x03\xe8", 2);
            expect_failure(&frames, 1002);
        }
    }
}
END_TEST

START_TEST(rfc6455_5_2_reserved_opcodes_are_1002)
{
    struct bytes frames = {0};

    for (unsigned opcode = 3; opcode <= 15; opcode++) {
        if (opcode >= CLOSE && opcode <= PONG)
            continue;
        client_text(&frames, FIN | opcode, "");
        expect_failure(&frames, 1002);
        client_text(&frames, FIN | opcode, "abc");
        expect_failure(&frames, 1002);
    }
}
END_TEST

START_TEST(rfc6455_5_5_fragmented_control_frame_is_1002)
{
    struct bytes frames = {0};

    for (unsigned opcode = CLOSE; opcode <= PONG; opcode++) {
        client_text(&frames, opcode, "\x03\xe8");
        expect_failure(&frames, 1002);
    }
}
END_TEST

START_TEST(rfc6455_5_5_control_frame_of_126_bytes_is_1002)
{
    char payload[126] = "\x03\xe8";
    struct bytes frames = {0};

    for (unsigned opcode = CLOSE; opcode <= PONG; opcode++) {
        client_frame(&frames, FIN | opcode, payload, sizeof payload);
        expect_failure(&frames, 1002);
        client_header(&frames, FIN | opcode, 8, true, 70000);
        expect_failure(&frames, 1002);
    }
}
END_TEST

START_TEST(rfc6455_5_2_length_not_in_its_shortest_form_is_1002)
{
    struct bytes frames = {0};

    client_header(&frames, FIN | TEXT, 2, true, 125);
    expect_failure(&frames, 1002);
    client_header(&frames, FIN | TEXT, 2, true, 0);
    expect_failure(&frames, 1002);
    client_header(&frames, FIN | TEXT, 8, true, 125);
    expect_failure(&frames, 1002);
    client_header(&frames, FIN | TEXT, 8, true, 65535);
    expect_failure(&frames, 1002);
}
END_TEST

START_TEST(rfc6455_5_2_length_with_the_top_bit_is_1002)
{
    struct bytes frames = {0};

    client_header(&frames, FIN | BINARY, 8, true, UINT64_C(1) << 63);
    expect_failure(&frames, 1002);
    client_header(&frames, FIN | BINARY, 8, true, UINT64_MAX);
    expect_failure(&frames, 1002);
}
END_TEST

START_TEST(rfc6455_5_4_continuation_of_nothing_is_1002)
{
    struct bytes frames = {0};

    client_text(&frames, CONTINUATION, "a");
    expect_failure(&frames, 1002);
    client_text(&frames, FIN | CONTINUATION, "");
    expect_failure(&frames, 1002);
}
END_TEST

START_TEST(rfc6455_5_4_continuation_after_a_whole_message_is_1002)
{
    struct peer *peer;
    struct bytes frames = {0};

    host_open(&host, &options);
    peer = host_client(&host);
    client_text(&frames, TEXT, "a");
    client_text(&frames, FIN | CONTINUATION, "b");
    client_text(&frames, FIN | CONTINUATION, "c");
    peer_send(peer, &frames);
    bytes_free(&frames);
    peer_expect(peer, TEXT, "ab", 2);
    peer_expect_failed(peer, 1002);
}
END_TEST

START_TEST(rfc6455_5_4_new_message_within_another_is_1002)
{
    struct bytes frames = {0};

    client_text(&frames, TEXT, "a");
    client_text(&frames, FIN | TEXT, "b");
    expect_failure(&frames, 1002);
    client_text(&frames, BINARY, "");
    client_text(&frames, TEXT, "");
    expect_failure(&frames, 1002);
}
END_TEST

/* --- limits -------------------------------------------------------------------------------- */

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

/* Not a byte of the payload beyond the first is waited for, or kept. */
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

START_TEST(rfc6455_7_4_1_messages_at_the_limit_pass)
{
    struct bytes frames = {0};
    struct peer *peer;

    host_open(&host, &options);
    peer = host_client(&host);
    for (int i = 0; i < 3; i++) { /* the limit is one message's */
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

START_TEST(max_fragments_of_0_is_no_limit)
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

START_TEST(nothing_is_kept_of_what_comes_after_an_error)
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

/* What was answered before the bad frame goes out before the close. */
START_TEST(rfc6455_7_1_7_what_came_before_is_still_answered)
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

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("websocket-rules");
    TCase *tests = tcase_create("rules");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, rfc6455_5_1_unmasked_frame_is_1002);
    tcase_add_test(tests, rfc6455_5_2_reserved_bits_are_1002);
    tcase_add_test(tests, rfc6455_5_2_reserved_opcodes_are_1002);
    tcase_add_test(tests, rfc6455_5_5_fragmented_control_frame_is_1002);
    tcase_add_test(tests, rfc6455_5_5_control_frame_of_126_bytes_is_1002);
    tcase_add_test(tests, rfc6455_5_2_length_not_in_its_shortest_form_is_1002);
    tcase_add_test(tests, rfc6455_5_2_length_with_the_top_bit_is_1002);
    tcase_add_test(tests, rfc6455_5_4_continuation_of_nothing_is_1002);
    tcase_add_test(tests, rfc6455_5_4_continuation_after_a_whole_message_is_1002);
    tcase_add_test(tests, rfc6455_5_4_new_message_within_another_is_1002);
    tcase_add_test(tests, rfc6455_7_4_1_message_above_the_limit_is_1009);
    tcase_add_test(tests, rfc6455_7_4_1_a_big_frame_is_refused_at_its_beginning);
    tcase_add_test(tests, rfc6455_7_4_1_messages_at_the_limit_pass);
    tcase_add_test(tests, max_fragments_and_one_more);
    tcase_add_test(tests, max_fragments_of_0_is_no_limit);
    tcase_add_test(tests, nothing_is_kept_of_what_comes_after_an_error);
    tcase_add_test(tests, rfc6455_7_1_7_what_came_before_is_still_answered);
    suite_add_tcase(suite, tests);
    return suite;
}
