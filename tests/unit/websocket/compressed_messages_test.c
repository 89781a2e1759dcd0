/* compressed_messages_test.c: messages that clients send compressed (RFC 7692): whole, in fragments
 * and in any chunks, what ends the connection, and what they may cost. Not here: inflating alone
 * (inflate_test.c) and what clients receive (compression_test.c). */
#include <stdlib.h>
#include <string.h>

#include "transport/shared/unfinished.h"
#include "transport/websocket/loop_part.h"
#include "transport/websocket/websocket.h"
#include "websocket/host.h"
#include "websocket/payload.h"
#include "websocket/zlib_peer.h"

#define OFFER "Sec-WebSocket-Extensions: permessage-deflate\r\n"

enum {
    LIMIT = 65536,        /* of a message: the default */
    ROOM = 1 << 20,       /* for a payload that a test compresses */
    INFLATING = 48 * 1024 /* bytes that zlib needs for an inflater */
};

static struct host host;
static struct bytes frames; /* to be sent */
static struct bytes body;   /* the last payload that was compressed */

static void setup(void)
{
    host_open(&host, NULL);
    host.echo = false;
}

static void teardown(void)
{
    host_close(&host);
    bytes_free(&frames);
    bytes_free(&body);
}

static struct peer *client(void)
{
    return host_client_with(&host, OFFER);
}

static void deflate_body(int window_bits, int level, const void *payload, size_t length)
{
    uint8_t *to = malloc(ROOM);

    body.length = 0;
    bytes_add(&body, to, zlib_deflate(window_bits, level, payload, length, to, ROOM));
    free(to);
}

/* Appends a whole compressed message to `frames`. */
static void add_message(unsigned opcode, const void *payload, size_t length)
{
    deflate_body(15, 6, payload, length);
    client_frame(&frames, FIN | RSV1 | opcode, body.data, body.length);
}

static void send_frames(struct peer *peer, enum chunking chunking)
{
    peer_send_chunked(peer, &frames, chunking);
    frames.length = 0;
}

/* Checks that so many messages have arrived, and the last one. */
static void expect_message(unsigned count, const void *payload, size_t length)
{
    ck_assert_uint_eq(host.called[HOST_RAW], count);
    ck_assert_uint_eq(host.message.length, length);
    ck_assert(length == 0 || memcmp(host.message.data, payload, length) == 0);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 0);
}

/* --- accepted messages ----------------------------------------------------------------------- */

START_TEST(whole_messages_in_any_chunks)
{
    static const size_t lengths[] = {0, 1, 2, 100, 5000, LIMIT};
    struct peer *peer = client();
    unsigned count = 0;

    for (enum payload_kind kind = 0; kind < N_PAYLOAD_KINDS; kind++)
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
            for (int chunking = 0; chunking < N_CHUNKINGS; chunking++) {
                uint8_t *payload = payload_new(kind, lengths[i]);

                add_message(BINARY, payload, lengths[i]);
                send_frames(peer, (enum chunking)chunking);
                expect_message(++count, payload, lengths[i]);
                ck_assert(!host.is_text);
                free(payload);
            }
}
END_TEST

/* At every place; a ping and a pong come between the fragments. */
START_TEST(only_the_first_fragment_is_marked_as_compressed)
{
    struct peer *peer = client();
    char payload[300];
    unsigned count = 0;

    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (char)('a' + i * i % 26);
    deflate_body(15, 6, payload, sizeof payload);
    for (size_t cut = 0; cut <= body.length; cut++) {
        client_frame(&frames, RSV1 | TEXT, body.data, cut);
        client_text(&frames, FIN | PING, "between");
        client_text(&frames, CONTINUATION, "");
        client_text(&frames, FIN | PONG, "");
        client_frame(&frames, FIN | CONTINUATION, body.data + cut, body.length - cut);
        send_frames(peer, (enum chunking)(cut % N_CHUNKINGS));
        expect_message(++count, payload, sizeof payload);
        peer_expect(peer, PONG, "between", 7);
        peer_expect_nothing(peer);
    }
}
END_TEST

/* zlib emits nothing for an empty payload after a flush. */
START_TEST(an_empty_compressed_message)
{
    struct peer *peer = client();

    peer_send_frame(peer, FIN | RSV1 | TEXT, "", 0);
    expect_message(1, "", 0);
    peer_send_frame(peer, RSV1 | TEXT, "", 0);
    peer_send_frame(peer, FIN | CONTINUATION, "", 0);
    expect_message(2, "", 0);
}
END_TEST

START_TEST(compressed_and_plain_messages_alternate)
{
    struct peer *peer = client();

    for (int i = 0; i < 3; i++) {
        add_message(TEXT, "packed", 6);
        client_text(&frames, FIN | TEXT, "plain");
        client_text(&frames, TEXT, "pl");
        client_text(&frames, FIN | CONTINUATION, "ain");
    }
    send_frames(peer, RANDOM_CHUNKS);
    expect_message(9, "plain", 5);
    add_message(TEXT, "packed", 6);
    send_frames(peer, BYTE_BY_BYTE);
    expect_message(10, "packed", 6);
}
END_TEST

/* --- what ends the connection ---------------------------------------------------------------- */

/* Sends the frames in every chunking, each from a new client. */
static void expect_failure(uint16_t code)
{
    struct bytes all = frames;

    for (int i = 0; i < N_CHUNKINGS; i++) {
        struct peer *peer = client();

        memset(host.called, 0, sizeof host.called);
        peer_send_chunked(peer, &all, (enum chunking)i);
        peer_expect_failed(peer, code);
        ck_assert_uint_eq(host.called[HOST_RAW], 0);
        peer_free(peer);
    }
    frames.length = 0;
}

START_TEST(rfc7692_6_a_compressed_message_without_agreement_is_1002)
{
    struct peer *peer = host_client_with(&host, "Sec-WebSocket-Extensions: "
                                                "permessage-deflate; unknown\r\n");

    add_message(TEXT, "Hello", 5);
    send_frames(peer, WHOLE);
    peer_expect_failed(peer, 1002);
}
END_TEST

START_TEST(rfc7692_6_reserved_bits_elsewhere_are_1002)
{
    static const unsigned others[] = {RSV2, RSV3, RSV1 | RSV2, RSV1 | RSV3, RSV2 | RSV3};

    for (unsigned opcode = CLOSE; opcode <= PONG; opcode++) {
        client_frame(&frames, FIN | RSV1 | opcode, "\x03\xe8", 2);
        expect_failure(1002);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        deflate_body(15, 6, "Hello", 5);
        client_frame(&frames, FIN | others[i] | TEXT, body.data, body.length);
        expect_failure(1002);
    }
    client_frame(&frames, RSV1 | TEXT, "\xf2\x48", 2);
    client_frame(&frames, FIN | RSV1 | CONTINUATION, "\xcd\xc9\xc9\x07\x00", 5);
    expect_failure(1002);
    client_text(&frames, TEXT, "plain");
    client_text(&frames, FIN | RSV1 | CONTINUATION, "");
    expect_failure(1002);
}
END_TEST

START_TEST(rfc7692_7_2_2_corrupt_data_is_1007)
{
    static const char *const bodies[] = {"\xff\xff\xff", "\x07", "\xf2\x48\xcd",
                                         "\xf2\x22\x11\x22"};

    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        client_text(&frames, FIN | RSV1 | BINARY, bodies[i]);
        expect_failure(1007);
    }
    /* The payload of a client that keeps its context: it refers back to the previous message. */
    client_frame(&frames, FIN | RSV1 | TEXT, "\xf2\x00\x11\x00\x00", 5);
    expect_failure(1007);
}
END_TEST

START_TEST(rfc6455_8_1_text_that_inflates_to_invalid_utf8_is_1007)
{
    static const char *const texts[] = {"\xff", "good, then \xc0\xaf", "cut off \xe2\x82"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct peer *peer = client();

        add_message(BINARY, texts[i], strlen(texts[i]));
        send_frames(peer, WHOLE);
        expect_message(1, texts[i], strlen(texts[i]));
        peer_free(peer);
        add_message(TEXT, texts[i], strlen(texts[i]));
        expect_failure(1007);
        memset(host.called, 0, sizeof host.called);
    }
}
END_TEST

/* --- costs ----------------------------------------------------------------------------------- */

/* Many clients, which send the same: the host has not so many peers, and this one is all of
 * theirs. */
static void add_crowd(ws_websocket **crowd, int count, struct peer *peer,
                      const struct bytes *sent)
{
    static const char *const lines[] = {"Host",
                                        "localhost",
                                        "Upgrade",
                                        "websocket",
                                        "Connection",
                                        "Upgrade",
                                        "Sec-WebSocket-Version",
                                        "13",
                                        "Sec-WebSocket-Key",
                                        "AAAAAAAAAAAAAAAAAAAAAA==",
                                        "Sec-WebSocket-Extensions",
                                        "permessage-deflate"};
    ws_header headers[6];

    for (int i = 0; i < 6; i++)
        headers[i] = (ws_header){lines[2 * i], lines[2 * i + 1]};
    for (int i = 0; i < count; i++) {
        ck_assert_int_eq(ws_websocket_new(host.loop, host.endpoint, peer, &crowd[i]), WS_OK);
        ws_websocket_upgrade(crowd[i], "GET", 1, 1, "/ws", headers, 6);
        loop_turn(host.loop);
    }
    for (int i = 0; i < count; i++)
        ws_websocket_receive(crowd[i], sent->data, sent->length);
}

static void free_crowd(ws_websocket **crowd, int count)
{
    for (int i = 0; i < count; i++)
        ws_websocket_free(crowd[i]);
    ck_assert_uint_eq(loop_part_of(host.loop)->n_inflating, 0);
    frames.length = 0;
}

/* However many are unfinished, and however often they begin anew. */
START_TEST(an_unfinished_message_has_no_more_memory_than_was_sent)
{
    enum { CROWD = 1500, OF_ONE = 6144 }; /* wslay's buffer, and CAPACITY_MIN */
    static ws_websocket *crowd[CROWD];
    struct peer *honest = client();
    struct peer *attacker = client();
    size_t before;

    deflate_body(15, 6, "Hello", 5);
    peer_send_frame(honest, RSV1 | TEXT, body.data, 2);
    client_frame(&frames, RSV1 | TEXT, body.data, 2);
    before = host.memory.bytes;
    add_crowd(crowd, CROWD, attacker, &frames);
    loop_turn(host.loop);
    ck_assert_uint_lt(host.memory.bytes - before, CROWD * OF_ONE);
    for (int i = 0; i < CROWD; i++) {
        peer_send_frame(attacker, RSV1 | TEXT, body.data, 2);
        peer_send_frame(attacker, FIN | CONTINUATION, body.data + 2, body.length - 2);
    }
    host.called[HOST_RAW] = 0;
    peer_send_frame(honest, FIN | CONTINUATION, body.data + 2, body.length - 2);
    expect_message(1, "Hello", 5);
    free_crowd(crowd, CROWD);
}
END_TEST

/* Others have begun before, with less, and after it. */
START_TEST(the_oldest_large_message_ends_when_unfinished_bytes_exceed_the_limit)
{
    enum { PART = 900 << 10, CROWD = UNFINISHED_BYTES / PART };
    static ws_websocket *crowd[CROWD];
    struct host_options options;
    struct peer *small;
    struct peer *first;
    struct peer *others;
    struct peer *last;
    uint8_t *noise = payload_new(PAYLOAD_RANDOM, PART);

    host_close(&host);
    host_options_init(&options);
    options.endpoint.max_message_bytes = 1 << 20;
    host_open(&host, &options);
    host.echo = false;
    small = client();
    first = client();
    others = client();
    last = client();
    peer_send_frame(small, BINARY, noise, 100);
    peer_send_frame(first, BINARY, noise, PART);
    client_frame(&frames, BINARY, noise, PART);
    add_crowd(crowd, CROWD - 1, others, &frames);
    loop_turn(host.loop);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 0);
    peer_send_frame(last, BINARY, noise, PART);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 1);
    peer_expect_close_reason(first, 1013, "too many unfinished messages");
    peer_send_frame(small, FIN | CONTINUATION, noise, 100);
    peer_send_frame(last, FIN | CONTINUATION, noise, 100);
    ck_assert_uint_eq(host.called[HOST_RAW], 2);
    free(noise);
    free_crowd(crowd, CROWD - 1);
    ck_assert_uint_eq(shared_part_of(host.loop)->unfinished.bytes, 0);
    ck_assert_uint_eq(shared_part_of(host.loop)->unfinished.count, 0);
}
END_TEST

/* Each takes several turns of its client. */
START_TEST(few_messages_are_inflated_at_a_time)
{
    enum { CROWD = 4 * INFLATING_MAX };
    static ws_websocket *crowd[CROWD];
    uint8_t *noise = payload_new(PAYLOAD_RANDOM, LIMIT);
    struct peer *peer = client();
    unsigned most = 0;

    add_message(BINARY, noise, LIMIT);
    add_crowd(crowd, CROWD, peer, &frames);
    host.called[HOST_RAW] = 0;
    for (int i = 0; host.called[HOST_RAW] < CROWD; i++) {
        unsigned now = loop_part_of(host.loop)->n_inflating;

        ck_assert_int_lt(i, 100 * CROWD);
        ck_assert_uint_le(now, INFLATING_MAX);
        most = now > most ? now : most;
        ws_loop_run(host.loop, host.now);
    }
    ck_assert_uint_gt(most, INFLATING_MAX / 2);
    expect_message(CROWD, noise, LIMIT);
    free(noise);
    free_crowd(crowd, CROWD);
}
END_TEST

/* The memory from the host's allocator never exceeds its bound: for the bytes that were sent, and
 * what they are inflated to. */
static void expect_too_big(void)
{
    size_t before = host.memory.bytes;

    host.memory.most_bytes = before;
    expect_failure(1009);
    ck_assert_uint_lt(host.memory.most_bytes - before, 3 * LIMIT + INFLATING);
}

START_TEST(a_message_that_inflates_beyond_the_limit_is_1009)
{
    static const size_t lengths[] = {LIMIT + 1, 2 * LIMIT, 100 * LIMIT};

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        uint8_t *zeros = payload_new(PAYLOAD_ZEROS, lengths[i]);

        add_message(BINARY, zeros, lengths[i]);
        ck_assert_uint_lt(body.length, LIMIT / 2);
        expect_too_big();
        client_frame(&frames, RSV1 | BINARY, body.data, body.length - 1);
        client_frame(&frames, FIN | CONTINUATION, body.data + body.length - 1, 1);
        expect_too_big();
        free(zeros);
    }
}
END_TEST

/* Incompressible data gets longer, and is accepted nevertheless. */
START_TEST(an_incompressible_message_of_exactly_the_limit)
{
    uint8_t *noise = payload_new(PAYLOAD_RANDOM, LIMIT + 1);
    struct peer *peer = client();
    unsigned count = 0;

    for (int i = 0; i < 4 * 7; i++) {
        deflate_body(9 + i / 4, i % 4 * 3, noise, LIMIT);
        ck_assert_uint_gt(body.length, LIMIT);
        client_frame(&frames, FIN | RSV1 | BINARY, body.data, body.length);
        send_frames(peer, RANDOM_CHUNKS);
        expect_message(++count, noise, LIMIT);
        client_frame(&frames, RSV1 | BINARY, body.data, body.length / 2);
        client_frame(&frames, FIN | CONTINUATION, body.data + body.length / 2,
                     body.length - body.length / 2);
        send_frames(peer, RANDOM_CHUNKS);
        expect_message(++count, noise, LIMIT);
    }
    deflate_body(15, 0, noise, LIMIT + 1);
    client_frame(&frames, FIN | RSV1 | BINARY, body.data, body.length);
    expect_too_big();
    free(noise);
}
END_TEST

/* Refused by its header and the first byte after it. */
START_TEST(a_frame_too_long_for_any_message_within_the_limit_is_1009)
{
    client_header(&frames, FIN | RSV1 | BINARY, 8, true, LIMIT + LIMIT / 16);
    bytes_add(&frames, "", 1);
    expect_failure(1009);
    client_header(&frames, RSV1 | BINARY, 8, true, UINT64_C(1) << 62);
    bytes_add(&frames, "", 1);
    expect_failure(1009);
}
END_TEST

/* Empty blocks inflate to nothing: they count as they arrive. */
START_TEST(endless_data_that_inflates_to_nothing_is_1009)
{
    struct peer *peer = client();
    size_t sent = 0;

    for (int i = 0; i < 200; i++)
        bytes_add(&body, "\0\0\0\xff\xff", 5);
    peer_send_frame(peer, RSV1 | BINARY, "", 0);
    for (; !peer->ended && sent < 2 * LIMIT; sent += body.length)
        peer_send_frame(peer, CONTINUATION, body.data, body.length);
    peer_expect_failed(peer, 1009);
}
END_TEST

/* --- pooled inflaters ------------------------------------------------------------------------ */

START_TEST(between_messages_a_connection_holds_no_inflater)
{
    struct peer *peer = client();
    const struct loop_part *part = loop_part_of(host.loop);

    add_message(TEXT, "a text", 6);
    peer_feed(peer, frames.data, frames.length - 1, BYTE_BY_BYTE);
    host_turn(&host);
    ck_assert_ptr_nonnull(peer->websocket->reader);
    ck_assert_uint_eq(part->n_inflaters, 0);
    peer_feed(peer, frames.data + frames.length - 1, 1, WHOLE);
    host_turn(&host);
    ck_assert_ptr_null(peer->websocket->reader);
    ck_assert_uint_eq(part->n_inflaters, 1);
    expect_message(1, "a text", 6);
}
END_TEST

/* Inflaters of connections that end while a message is inflated, or whose message is not valid, are
 * returned too; a few are kept. */
START_TEST(inflaters_are_returned_to_the_pool)
{
    enum { CROWD = 3 * INFLATERS_MAX };
    static ws_websocket *crowd[CROWD];
    uint8_t *noise = payload_new(PAYLOAD_RANDOM, LIMIT);
    const struct loop_part *part;
    size_t kept;

    for (int round = 0; round < 3; round++) {
        struct peer *peer = client();

        part = loop_part_of(host.loop);
        add_message(BINARY, noise, LIMIT);
        add_crowd(crowd, CROWD, peer, &frames);
        for (int i = 0; i < 2; i++)
            ws_loop_run(host.loop, host.now);
        ck_assert_uint_gt(part->n_inflating, INFLATERS_MAX);
        free_crowd(crowd, CROWD);
        ck_assert_uint_eq(part->n_inflaters, INFLATERS_MAX);
        peer_send_frame(peer, FIN | RSV1 | TEXT, "\xff\xff", 2);
        ck_assert_uint_eq(part->n_inflaters, INFLATERS_MAX);
        peer_free(peer);
    }
    free(noise);
    kept = host.memory.bytes;
    add_message(TEXT, "Hello", 5);
    send_frames(client(), WHOLE);
    ck_assert_uint_lt(host.memory.bytes, kept + 4096);
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("websocket-compressed-messages");
    TCase *tests = tcase_create("compressed messages");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, whole_messages_in_any_chunks);
    tcase_add_test(tests, only_the_first_fragment_is_marked_as_compressed);
    tcase_add_test(tests, an_empty_compressed_message);
    tcase_add_test(tests, compressed_and_plain_messages_alternate);
    tcase_add_test(tests, rfc7692_6_a_compressed_message_without_agreement_is_1002);
    tcase_add_test(tests, rfc7692_6_reserved_bits_elsewhere_are_1002);
    tcase_add_test(tests, rfc7692_7_2_2_corrupt_data_is_1007);
    tcase_add_test(tests, rfc6455_8_1_text_that_inflates_to_invalid_utf8_is_1007);
    tcase_add_test(tests, an_unfinished_message_has_no_more_memory_than_was_sent);
    tcase_add_test(tests, the_oldest_large_message_ends_when_unfinished_bytes_exceed_the_limit);
    tcase_add_test(tests, few_messages_are_inflated_at_a_time);
    tcase_add_test(tests, a_message_that_inflates_beyond_the_limit_is_1009);
    tcase_add_test(tests, an_incompressible_message_of_exactly_the_limit);
    tcase_add_test(tests, a_frame_too_long_for_any_message_within_the_limit_is_1009);
    tcase_add_test(tests, endless_data_that_inflates_to_nothing_is_1009);
    tcase_add_test(tests, between_messages_a_connection_holds_no_inflater);
    tcase_add_test(tests, inflaters_are_returned_to_the_pool);
    suite_add_tcase(suite, tests);
    return suite;
}
