/* partial_writes_test.c: wherever a socket cuts the writes, the client reads the same bytes: the
 * 101, welcome, events (single or bundled, plain or compressed), a pong and the close, whole and in
 * order; up to the point where a write fails. */
#include <stdio.h>
#include <string.h>

#include "websocket/host.h"

static struct host host;
static struct bytes expected;

static void setup(void)
{
    memset(&host, 0, sizeof host);
}

static void teardown(void)
{
    if (host.manager != NULL)
        host_close(&host);
    bytes_free(&expected);
}

static void open_host(void)
{
    struct host_options options;

    host_options_init(&options);
    options.endpoint.protocol = WS_PROTOCOL_JSON;
    host_open(&host, &options);
}

/* The epoch differs from manager to manager; it is part of the ids in the welcome and the
 * events. */
static void blank_epoch(struct bytes *bytes)
{
    const char *id = strstr((char *)bytes->data, "\"connection_id\":\"");
    char epoch[64] = "";
    size_t length;

    ck_assert_ptr_nonnull(id);
    id += strlen("\"connection_id\":\"");
    length = strcspn(id, "-");
    ck_assert_uint_lt(length, sizeof epoch);
    memcpy(epoch, id, length);
    for (char *at = (char *)bytes->data; (at = strstr(at, epoch)) != NULL;)
        memset(at, 'E', length);
}

static void turn(struct peer *peer, size_t step)
{
    if (step != 0)
        peer->writable = step;
    host_turn(peer->host);
}

/* The scenario, each part in its own turn. `step` is what the socket accepts in each turn; 0 leaves
 * peer->writable unchanged. */
static void play(struct peer *peer, size_t step)
{
    struct bytes bytes = {0};

    client_request(&bytes, "/ws", "");
    peer_feed(peer, bytes.data, bytes.length, WHOLE);
    turn(peer, step);
    ws_manager_emit_order_created(host.manager, "{\"n\":1}", 7);
    turn(peer, step);
    bytes.length = 0;
    client_text(&bytes, FIN | PING, "are you there?");
    peer_feed(peer, bytes.data, bytes.length, WHOLE);
    turn(peer, step);
    ws_manager_emit_order_created(host.manager, "{\"n\":2}", 7);
    turn(peer, step);
    ws_websocket_close(peer->websocket, 4000, "that was all");
    turn(peer, step);
    bytes_free(&bytes);
}

/* From now on the socket is writable again and again, for `step` bytes each time. */
static void flush(struct peer *peer, size_t step)
{
    for (int i = 0; i < 5000 && peer->received.length < expected.length; i++) {
        peer->writable = step;
        peer_write(peer);
    }
    peer->writable = SIZE_MAX;
    peer_write(peer);
    ck_assert(!peer->ended); /* the client's close has not arrived yet */
}

static void expect_the_same(struct peer *peer)
{
    blank_epoch(&peer->received);
    ck_assert_uint_eq(peer->received.length, expected.length);
    ck_assert_mem_eq(peer->received.data, expected.data, expected.length);
    peer_send_close(peer, 4000, "");
    ck_assert(peer->ended);
    ck_assert_uint_eq(peer->received.length, expected.length);
}

/* Reads all bytes without a cut, and checks that they are correct. */
static void make_expected(void)
{
    struct peer *peer;

    open_host();
    peer = host_peer(&host);
    play(peer, 0);
    blank_epoch(&peer->received);
    bytes_add(&expected, peer->received.data, peer->received.length);
    ck_assert_int_eq(peer_head(peer), 101);
    peer_expect_type(peer, "welcome");
    peer_expect_type(peer, "order_created");
    peer_expect(peer, PONG, "are you there?", 14);
    peer_expect_type(peer, "order_created");
    peer_expect_close_reason(peer, 4000, "that was all");
    peer_expect_nothing(peer);
    host_close(&host);
}

START_TEST(cut_once_at_every_byte)
{
    make_expected();
    for (size_t cut = 0; cut <= expected.length; cut++) {
        struct peer *peer;

        open_host();
        peer = host_peer(&host);
        peer->writable = cut;
        play(peer, 0);
        ck_assert_uint_eq(peer->received.length, cut);
        flush(peer, SIZE_MAX);
        expect_the_same(peer);
        host_close(&host);
    }
}
END_TEST

START_TEST(cut_everywhere)
{
    static const size_t steps[] = {1, 2, 3, 5, 7, 64, 129, 130, 200};

    make_expected();
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct peer *peer;

        open_host();
        peer = host_peer(&host);
        play(peer, steps[i]);
        flush(peer, steps[i]);
        expect_the_same(peer);
        host_close(&host);
    }
}
END_TEST

/* What a host does about a socket that fails: it reports the end and runs its loop, or it just
 * frees the connection. */
static void fail_writes(struct peer *peer, bool says_so)
{
    if (says_so) {
        ws_websocket_eof(peer->websocket);
        host_turn(&host);
    }
    peer_free(peer);
    host_turn(&host);
}

static void fail_at_every_byte(bool says_so)
{
    make_expected();
    for (size_t cut = 0; cut < expected.length; cut++) {
        struct peer *peer;

        open_host();
        peer = host_peer(&host);
        peer->writable = cut;
        play(peer, 0);
        fail_writes(peer, says_so);
        ck_assert_uint_eq(peer->received.length, cut);
        ck_assert_uint_eq(host.called[HOST_DISCONNECT], host.called[HOST_CONNECT]);
        ck_assert_uint_eq(ws_manager_connection_count(host.manager), 0);
        host_close(&host);
    }
}

START_TEST(fails_at_every_byte_and_is_freed)
{
    fail_at_every_byte(false);
}
END_TEST

START_TEST(fails_at_every_byte_and_ends)
{
    fail_at_every_byte(true);
}
END_TEST

enum { N_BUNDLED = 3 };

/* Several events of one turn, which are sent as one piece, and a close while it is being
 * written. */
static void play_bundle(struct peer *peer, const char *padding)
{
    char data[400];

    for (int n = 0; n < N_BUNDLED; n++) {
        int length = snprintf(data, sizeof data, "{\"n\":%d,\"padding\":\"%s\"}", n, padding);

        ws_manager_emit_order_created(host.manager, data, (size_t)length);
    }
    host_turn(&host);
    ws_websocket_close(peer->websocket, 4000, "that was all");
    host_turn(&host);
}

static void expect_bundle(struct peer *peer, bool compressed)
{
    struct frame frame;
    char number[32];

    for (int n = 0; n < N_BUNDLED; n++) {
        snprintf(number, sizeof number, "{\"n\":%d,", n);
        ck_assert(peer_next(peer, &frame));
        ck_assert_uint_eq(frame.opcode, TEXT);
        ck_assert(frame.compressed == compressed);
        ck_assert_ptr_nonnull(memmem(frame.payload, frame.length, number, strlen(number)));
    }
    peer_expect_close_reason(peer, 4000, "that was all");
    peer_expect_nothing(peer);
    peer_send_close(peer, 4000, "");
    ck_assert(peer->ended);
}

/* The socket accepts `cut` bytes at first, and then one at a time, or all. */
static size_t cut_bundle(size_t cut, size_t step, bool compressed)
{
    char padding[300] = "";
    struct peer *peer;
    size_t before;
    size_t total;

    open_host();
    peer = host_client_with(
        &host, compressed ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "");
    before = peer->received.length;
    memset(padding, 'p', compressed ? sizeof padding - 1 : 1);
    peer->writable = cut;
    play_bundle(peer, padding);
    do {
        total = peer->received.length - before;
        peer->writable = step;
        peer_write(peer);
    } while (peer->received.length - before > total);
    ck_assert_uint_gt(total, cut);
    peer->writable = SIZE_MAX;
    expect_bundle(peer, compressed);
    host_close(&host);
    return total;
}

static void cut_bundles(bool compressed)
{
    size_t least = cut_bundle(0, SIZE_MAX, compressed);

    /* The random ids of a manager compress to slightly different lengths. */
    for (size_t cut = 1; cut < least - 32; cut++)
        cut_bundle(cut, SIZE_MAX, compressed);
    cut_bundle(0, 1, compressed);
}

START_TEST(a_bundle_that_is_closed_while_it_is_written)
{
    cut_bundles(false);
}
END_TEST

START_TEST(a_compressed_bundle_that_is_closed_while_it_is_written)
{
    cut_bundles(true);
}
END_TEST

/* A ping arrives between any two bytes of an event: its pong is never within the event's frame. */
START_TEST(pongs_wait_for_the_frame_that_is_being_written)
{
    struct peer *peer;
    struct frame frame;
    char text[300];

    open_host();
    peer = host_client(&host);
    memset(text, 't', sizeof text);
    ws_manager_send_text(host.manager, ws_websocket_id(peer->websocket), text, sizeof text);
    peer->writable = 0;
    host_turn(&host);
    for (size_t i = 0; i < sizeof text + 4; i++) {
        const uint8_t byte = (uint8_t)i;

        peer_send_frame(peer, FIN | PING, &byte, 1);
        peer->writable = 1;
        peer_write(peer);
    }
    peer->writable = SIZE_MAX;
    for (int i = 0; i < 10; i++)
        peer_write(peer);
    peer_expect(peer, TEXT, text, sizeof text);
    for (size_t i = 0; i < sizeof text + 4; i++) {
        ck_assert(peer_next(peer, &frame));
        ck_assert_uint_eq(frame.opcode, PONG);
        ck_assert_uint_eq(frame.payload[0], (uint8_t)i);
    }
    peer_expect_nothing(peer);
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("websocket-partial-writes");
    TCase *tests = tcase_create("partial writes");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, cut_once_at_every_byte);
    tcase_add_test(tests, cut_everywhere);
    tcase_add_test(tests, fails_at_every_byte_and_is_freed);
    tcase_add_test(tests, fails_at_every_byte_and_ends);
    tcase_add_test(tests, a_bundle_that_is_closed_while_it_is_written);
    tcase_add_test(tests, a_compressed_bundle_that_is_closed_while_it_is_written);
    tcase_add_test(tests, pongs_wait_for_the_frame_that_is_being_written);
    suite_add_tcase(suite, tests);
    return suite;
}
