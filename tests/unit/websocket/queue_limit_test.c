/* queue_limit_test.c: a client that does not keep up: its queue is bounded, it is closed with 1013
 * without a torn frame, and the other clients are not affected. */
#include <string.h>

#include "websocket/host.h"

enum { LIMIT = 10000, EVENT = 1000 };

static struct host host;
static char payload[4 * LIMIT];

static void setup(void)
{
    struct host_options options;

    host_options_init(&options);
    options.endpoint.protocol = WS_PROTOCOL_JSON;
    options.endpoint.max_queue_bytes = LIMIT;
    options.manager.max_event_bytes = sizeof payload;
    options.manager.history_events = 0;      /* the test measures the memory of the queues */
    options.endpoint.max_control_frames = 0; /* the queue's limit is to bound them */
    host_open(&host, &options);
    memset(payload, 'p', sizeof payload);
}

static void teardown(void)
{
    host_close(&host);
}

static int emit(size_t length)
{
    payload[0] = payload[length - 1] = '"';
    return ws_manager_emit_order_created(host.manager, payload, length);
}

/* Whole frames up to the close, which is the last; returns the number of events. */
static size_t expect_events_and_close(struct peer *peer, uint16_t code)
{
    struct frame frame = {0};
    size_t n = 0;

    while (peer_next(peer, &frame) && frame.opcode == TEXT)
        n++;
    ck_assert_uint_eq(frame.opcode, CLOSE);
    ck_assert_uint_eq((unsigned)frame.payload[0] << 8 | frame.payload[1], code);
    peer_expect_nothing(peer);
    return n;
}

/* The slow client's socket accepts `partly` bytes, then nothing. */
static void expect_slow(size_t partly)
{
    struct peer *slow = host_client(&host);
    struct peer *quick = host_client(&host);
    const size_t before = host.memory.bytes;

    memset(host.called, 0, sizeof host.called);
    slow->writable = partly;
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(emit(EVENT), WS_OK);
        host_turn(&host);
        ck_assert_uint_lt(host.memory.bytes, before + 2 * LIMIT + 2 * EVENT);
    }
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 1);
    ck_assert_uint_eq(host.code, 1013);
    ck_assert_uint_eq(ws_websocket_id(slow->websocket), 0);
    for (int i = 0; i < 100; i++)
        peer_expect_type(quick, "order_created");
    peer_expect_nothing(quick);
    slow->writable = SIZE_MAX;
    for (int i = 0; i < 5; i++)
        peer_write(slow);
    ck_assert_uint_le(expect_events_and_close(slow, 1013), 2 + partly / EVENT);
    peer_free(slow);
    peer_free(quick);
}

START_TEST(a_slow_client_is_closed_with_1013)
{
    expect_slow(0);
}
END_TEST

/* The socket becomes full in the middle of a header, of a payload, between two frames. */
START_TEST(the_last_frame_of_a_slow_client_is_not_torn)
{
    for (size_t partly = 1; partly < 12; partly++)
        expect_slow(partly);
    for (size_t partly = 900; partly < 1300; partly += 37)
        expect_slow(partly);
    expect_slow(3 * EVENT + 77);
}
END_TEST

/* In one turn, before the host could write a byte: the answer to the handshake is sent first. */
START_TEST(more_than_the_limit_in_the_turn_of_the_handshake)
{
    struct peer *peer = host_peer(&host);
    struct bytes request = {0};

    client_request(&request, "/ws", "");
    peer_feed(peer, request.data, request.length, WHOLE);
    bytes_free(&request);
    for (int i = 0; i < 30; i++)
        emit(EVENT);
    host_turn(&host);
    ck_assert_int_eq(peer_head(peer), 101);
    expect_events_and_close(peer, 1013);
}
END_TEST

/* The limit also holds when a part of the 101 or all of it has been written. */
START_TEST(more_than_the_limit_when_the_answer_is_being_written)
{
    for (size_t partly = 0; partly < 140; partly++) {
        struct peer *peer = host_peer(&host);

        peer->writable = partly;
        peer_request(peer, "");
        for (int i = 0; i < 30; i++)
            emit(EVENT);
        host_turn(&host);
        peer->writable = SIZE_MAX;
        for (int i = 0; i < 5; i++)
            peer_write(peer);
        ck_assert_int_eq(peer_head(peer), 101);
        expect_events_and_close(peer, 1013);
        peer_free(peer);
    }
}
END_TEST

START_TEST(one_message_above_the_limit_is_sent_when_the_queue_is_empty)
{
    struct peer *peer = host_client(&host);
    struct frame frame;

    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(emit(3 * LIMIT), WS_OK);
        host_turn(&host);
        ck_assert(peer_next(peer, &frame));
        ck_assert_uint_gt(frame.length, 3 * LIMIT);
    }
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 0);
    /* A message that finds it waiting is one too many. */
    emit(3 * LIMIT);
    emit(1 + EVENT);
    host_turn(&host);
    ck_assert_uint_eq(host.code, 1013);
}
END_TEST

/* Events of one turn count as if each had arrived separately: the last one must not find more than
 * the limit waiting. */
START_TEST(events_of_one_turn_are_counted_one_by_one)
{
    struct peer *peer = host_client(&host);
    struct frame frame;
    size_t frame_length;
    size_t fitting;

    emit(EVENT);
    host_turn(&host);
    ck_assert(peer_next(peer, &frame));
    frame_length = 4 + frame.length;
    fitting = LIMIT / frame_length + 1;
    for (size_t i = 0; i < fitting; i++)
        emit(EVENT);
    host_turn(&host);
    for (size_t i = 0; i < fitting; i++)
        peer_expect_type(peer, "order_created");
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 0);
    for (size_t i = 0; i <= fitting; i++)
        emit(EVENT);
    host_turn(&host);
    ck_assert_uint_eq(host.code, 1013);
}
END_TEST

/* Bytes are counted as they are written: a client that receives compressed events has room for
 * more. */
START_TEST(compressed_events_count_with_their_compressed_size)
{
    struct peer *packed = host_client_with(&host, "Sec-WebSocket-Extensions: "
                                                  "permessage-deflate\r\n");
    struct peer *plain = host_client(&host);
    size_t n = 0;

    packed->writable = plain->writable = 0;
    for (size_t i = 0; i < 3 * LIMIT / EVENT; i++, n++) {
        emit(EVENT);
        host_turn(&host);
    }
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 1);
    ck_assert_uint_eq(ws_websocket_id(plain->websocket), 0);
    /* Events that come in one turn, as a bundle, count alike. */
    for (size_t i = 0; i < 3 * LIMIT / EVENT; i++, n++)
        emit(EVENT);
    host_turn(&host);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 1);
    packed->writable = SIZE_MAX;
    peer_write(packed);
    ck_assert_uint_lt(packed->received.length - packed->read, LIMIT);
    for (size_t i = 0; i < n; i++)
        peer_expect_type(packed, "order_created");
    peer_expect_nothing(packed);
    /* This client's queue has a limit too. */
    packed->writable = 0;
    for (n = 0; host.called[HOST_DISCONNECT] == 1 && n < LIMIT; n++) {
        emit(EVENT);
        host_turn(&host);
    }
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 2);
    ck_assert_uint_eq(host.code, 1013);
}
END_TEST

static uint16_t refuse_with;

static void disconnect_at_once(struct host *of, enum host_callback callback, struct peer *peer,
                               ws_conn_id id)
{
    (void)peer;
    if (callback == HOST_CONNECT)
        ws_manager_disconnect(of->manager, id, refuse_with, "come again later");
}

/* An application that is overloaded sends "try again later" (1013). */
START_TEST(an_application_s_1013_in_on_connect_comes_after_the_answer)
{
    struct peer *peer;

    refuse_with = 1013;
    host.hook = disconnect_at_once;
    peer = host_request(&host, "");
    ck_assert_int_eq(peer_head(peer), 101);
    peer_expect_type(peer, "welcome");
    peer_expect_close_reason(peer, 1013, "come again later");
    peer_expect_nothing(peer);
}
END_TEST

/* The pongs in a queue are bounded, and so is their memory: a small pong takes more memory than
 * bytes. */
static void expect_bounded(size_t ping_length, size_t most_memory)
{
    struct peer *peer = host_client(&host);
    const size_t before = host.memory.bytes;
    struct bytes pings = {0};
    struct frame frame;
    size_t n = 0;

    peer->writable = 0;
    for (int i = 0; i < 1000; i++)
        client_frame(&pings, FIN | PING, payload, ping_length);
    for (int i = 0; i < 50; i++)
        ck_assert_int_eq(peer_send(peer, &pings), WS_OK);
    bytes_free(&pings);
    ck_assert_msg(host.memory.bytes - before < most_memory, "%zu bytes are still allocated",
                  host.memory.bytes - before);
    peer->writable = SIZE_MAX;
    for (int i = 0; i < 1000; i++)
        peer_write(peer);
    while (peer_next(peer, &frame)) {
        ck_assert_uint_eq(frame.opcode, PONG);
        ck_assert_uint_eq(frame.length, ping_length);
        n++;
    }
    ck_assert_uint_ge(n, 1);
    ck_assert_uint_lt(n, 50000);
    /* The connection is not ended for it, and is answered again. */
    peer_send_frame(peer, FIN | PING, "again", 5);
    peer_expect(peer, PONG, "again", 5);
}

START_TEST(rfc6455_5_5_3_a_flood_of_pings_is_bounded)
{
    expect_bounded(125, 4 * LIMIT);
}
END_TEST

START_TEST(rfc6455_5_5_3_a_flood_of_empty_pings_is_bounded)
{
    expect_bounded(0, 4 * LIMIT);
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("websocket-queue-limit");
    TCase *tests = tcase_create("queue limit");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_slow_client_is_closed_with_1013);
    tcase_add_test(tests, the_last_frame_of_a_slow_client_is_not_torn);
    tcase_add_test(tests, more_than_the_limit_in_the_turn_of_the_handshake);
    tcase_add_test(tests, more_than_the_limit_when_the_answer_is_being_written);
    tcase_add_test(tests, one_message_above_the_limit_is_sent_when_the_queue_is_empty);
    tcase_add_test(tests, events_of_one_turn_are_counted_one_by_one);
    tcase_add_test(tests, compressed_events_count_with_their_compressed_size);
    tcase_add_test(tests, an_application_s_1013_in_on_connect_comes_after_the_answer);
    tcase_add_test(tests, rfc6455_5_5_3_a_flood_of_pings_is_bounded);
    tcase_add_test(tests, rfc6455_5_5_3_a_flood_of_empty_pings_is_bounded);
    suite_add_tcase(suite, tests);
    return suite;
}
