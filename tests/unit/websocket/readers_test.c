/* readers_test.c: an idle connection has no frame reader (nor wslay's buffers): it borrows one
 * while a frame or a message is unfinished. Looks into the transport's own structs. */
#include <stdlib.h>
#include <string.h>

#include "transport/websocket/websocket.h"
#include "websocket/host.h"

static struct host host;

static void setup(void)
{
    struct host_options options;

    host_options_init(&options);
    options.endpoint.max_message_bytes = 1 << 20;
    host_open(&host, &options);
}

static void teardown(void)
{
    host_close(&host);
}

static bool has_reader(const struct peer *peer)
{
    return peer->websocket->state != WEBSOCKET_HEAD && peer->websocket->reader != NULL;
}

/* After every byte except the last of each frame the connection has a reader, after the last it has
 * none. */
static void expect_reader_within(struct peer *peer, const struct bytes *frame)
{
    for (size_t i = 0; i < frame->length; i++) {
        peer_feed(peer, frame->data + i, 1, WHOLE);
        ck_assert(has_reader(peer));
        ws_loop_run(host.loop, host.now);
        ck_assert_int_eq(has_reader(peer), i + 1 < frame->length);
    }
    host_turn(&host);
}

START_TEST(no_reader_before_and_after_the_handshake)
{
    struct peer *peer = host_peer(&host);
    struct bytes request = {0};

    client_request(&request, "/ws", "");
    peer_feed(peer, request.data, request.length - 1, BYTE_BY_BYTE);
    ck_assert(!has_reader(peer));
    ck_assert_ptr_nonnull(peer->websocket->request);
    peer_feed(peer, "\n", 1, WHOLE);
    ck_assert(!has_reader(peer));
    ck_assert_ptr_null(peer->websocket->request);
    bytes_free(&request);
}
END_TEST

START_TEST(a_reader_from_the_first_to_the_last_byte_of_a_frame)
{
    struct peer *peer = host_client(&host);
    static const char payload[70000] = "";
    static const size_t lengths[] = {0, 1, 125, 126, 65536};

    host.echo = false; /* a long echo would use up the turn, before the reader is given back */
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct bytes frame = {0};

        client_frame(&frame, FIN | BINARY, payload, lengths[i]);
        expect_reader_within(peer, &frame);
        bytes_free(&frame);
    }
    for (unsigned opcode = PING; opcode <= PONG; opcode++) {
        struct bytes frame = {0};

        client_frame(&frame, FIN | opcode, payload, 125);
        expect_reader_within(peer, &frame);
        bytes_free(&frame);
    }
}
END_TEST

START_TEST(a_reader_from_the_first_to_the_last_fragment)
{
    struct peer *peer = host_client(&host);

    peer_send_frame(peer, TEXT, "a", 1);
    ck_assert(has_reader(peer));
    peer_send_frame(peer, FIN | PING, "", 0);
    ck_assert(has_reader(peer));
    peer_send_frame(peer, CONTINUATION, "", 0);
    ck_assert(has_reader(peer));
    peer_send_frame(peer, FIN | CONTINUATION, "", 0);
    ck_assert(!has_reader(peer));
    peer_send_frame(peer, BINARY, "", 0);
    ck_assert(has_reader(peer));
}
END_TEST

START_TEST(a_reader_for_the_start_of_the_next_frame)
{
    struct peer *peer = host_client(&host);
    struct bytes frames = {0};

    client_text(&frames, FIN | TEXT, "whole");
    client_text(&frames, FIN | TEXT, "next");
    peer_feed(peer, frames.data, frames.length - 9, WHOLE); /* one byte of it */
    ck_assert(has_reader(peer));
    peer_feed(peer, frames.data + frames.length - 9, 9, WHOLE);
    host_turn(&host);
    ck_assert(!has_reader(peer));
    peer_expect_text(peer, "whole");
    peer_expect_text(peer, "next");
    bytes_free(&frames);
}
END_TEST

static void tear_a_frame(struct peer *const peers[8])
{
    for (size_t i = 0; i < 8; i++)
        peer_feed(peers[i], "\x8a", 1, WHOLE);
    for (size_t i = 0; i < 8; i++)
        ck_assert(has_reader(peers[i]));
    for (size_t i = 0; i < 8; i++)
        peer_feed(peers[i], "\x80\0\0\0\0", 5, WHOLE);
    host_turn(&host);
}

/* With a warm pool, frames that contain no message take no memory at all: seven further readers are
 * created, each with a buffer for its input. */
START_TEST(readers_are_pooled)
{
    struct peer *peers[8];
    size_t calls;

    for (size_t i = 0; i < 8; i++)
        peers[i] = host_client(&host);
    peer_send_frame(peers[0], FIN | PONG, "", 0);
    calls = host.memory.calls;
    for (size_t i = 0; i < 8; i++)
        peer_send_frame(peers[i], FIN | PONG, "one is enough", 13);
    ck_assert_uint_eq(host.memory.calls, calls);
    tear_a_frame(peers);
    ck_assert_uint_eq(host.memory.calls, calls + 14);
    for (int i = 0; i < 5; i++)
        tear_a_frame(peers);
    ck_assert_uint_eq(host.memory.calls, calls + 14);
}
END_TEST

/* A reader that failed, or was in the middle of a message, is never given to another connection. */
START_TEST(a_used_reader_is_reset_or_freed)
{
    for (int i = 0; i < 3; i++) {
        struct peer *bad = host_client(&host);
        struct peer *good;
        struct bytes bytes = {0};

        if (i == 0)
            peer_send_frame(bad, FIN | 3, "x", 1);
        else if (i == 1)
            peer_send_frame(bad, TEXT, "half", 4);
        else
            peer_feed(bad, "\x89\x85\0", 3, WHOLE);
        peer_free(bad);
        good = host_client(&host);
        client_text(&bytes, FIN | TEXT, "good");
        peer_send(good, &bytes);
        peer_expect_text(good, "good");
        ck_assert(!has_reader(good));
        bytes_free(&bytes);
        peer_free(good);
    }
}
END_TEST

START_TEST(the_pool_does_not_keep_a_large_message_s_memory)
{
    struct peer *peer = host_client(&host);
    char *big = calloc(1, 1 << 19);
    size_t before;

    peer_send_frame(peer, FIN | PONG, "", 0);
    before = host.memory.bytes;
    peer_send_frame(peer, BINARY, big, 1 << 19);
    peer_send_frame(peer, FIN | CONTINUATION, big, 1 << 19);
    bytes_free(&host.message);
    ck_assert_uint_lt(host.memory.bytes, before + 70000);
    free(big);
}
END_TEST

/* The memory of a client that only listens, without wslay's buffers (which are wslay's own
 * allocations). */
START_TEST(an_idle_connection_is_small)
{
    size_t before;

    for (int i = 0; i < 16; i++)
        host_client(&host);
    before = host.memory.bytes;
    for (int i = 0; i < 8; i++)
        peer_send_frame(host_client(&host), FIN | TEXT, "hello", 5);
    ck_assert_uint_lt((host.memory.bytes - before) / 8, 1024);
}
END_TEST

/* A client that begins another frame right behind a message keeps nothing of that message. */
START_TEST(a_message_that_was_processed_has_no_memory)
{
    enum { PART = 1 << 20, PIECE = 16384 };
    static const char payload[PART] = "";
    static const unsigned behind[] = {FIN | PONG, FIN | TEXT, BINARY};
    struct peer *peer = host_client(&host);
    struct bytes frames = {0};
    size_t before;

    host.echo = false;
    before = host.memory.bytes;
    client_frame(&frames, FIN | BINARY, payload, PART);
    client_frame(&frames, behind[_i], "x", 1);
    frames.length--;
    for (size_t at = 0; at < frames.length; at += PIECE) {
        size_t length = frames.length - at < PIECE ? frames.length - at : PIECE;

        ck_assert_int_eq(ws_websocket_receive(peer->websocket, frames.data + at, length),
                         WS_OK);
        while (ws_loop_run(host.loop, host.now) <= host.now)
            continue;
        if (at + length < PART)
            ck_assert_uint_eq(shared_part_of(host.loop)->unfinished.count, 1);
    }
    ck_assert_uint_eq(host.called[HOST_RAW], 1);
    ck_assert(has_reader(peer));
    ck_assert_uint_lt(host.memory.bytes - before, PIECE);
    ck_assert_uint_eq(shared_part_of(host.loop)->unfinished.bytes, 0);
    bytes_free(&frames);
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("websocket-readers");
    TCase *tests = tcase_create("readers");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, no_reader_before_and_after_the_handshake);
    tcase_add_loop_test(tests, a_message_that_was_processed_has_no_memory, 0, 3);
    tcase_add_test(tests, a_reader_from_the_first_to_the_last_byte_of_a_frame);
    tcase_add_test(tests, a_reader_from_the_first_to_the_last_fragment);
    tcase_add_test(tests, a_reader_for_the_start_of_the_next_frame);
    tcase_add_test(tests, readers_are_pooled);
    tcase_add_test(tests, a_used_reader_is_reset_or_freed);
    tcase_add_test(tests, the_pool_does_not_keep_a_large_message_s_memory);
    tcase_add_test(tests, an_idle_connection_is_small);
    suite_add_tcase(suite, tests);
    return suite;
}
