/* frames_test.c: frames of many lengths, cut anywhere, and many at once, are echoed unchanged; the
 * headers of the server's frames. Not here: the clauses of RFC 6455, one by one
 * (conformance_test.c). */
#include <stdlib.h>
#include <string.h>

#include "websocket/host.h"

static struct host host;
static uint8_t *data;

enum { MOST = 1 << 20 };

static void setup(void)
{
    struct host_options options;

    host_options_init(&options);
    options.endpoint.max_message_bytes = MOST;
    options.endpoint.max_queue_bytes = 4 * MOST;
    host_open(&host, &options);
    data = malloc(MOST);
    for (size_t i = 0; i < MOST; i++)
        data[i] = (uint8_t)(i * 131 + (i >> 8));
}

static void teardown(void)
{
    free(data);
    host_close(&host);
}

static const size_t lengths[] = {0,   1,    2,    7,    124,   125,   126,  127,
                                 128, 4095, 4096, 4097, 65535, 65536, 65537};

enum { N_LENGTHS = sizeof lengths / sizeof *lengths };

START_TEST(rfc6455_5_2_payload_lengths)
{
    struct peer *peer = host_client(&host);
    size_t length = lengths[_i / N_CHUNKINGS];
    enum chunking chunking = (enum chunking)(_i % N_CHUNKINGS);
    struct bytes frames = {0};

    client_frame(&frames, FIN | BINARY, data, length);
    ck_assert_int_eq(peer_send_chunked(peer, &frames, chunking), WS_OK);
    ck_assert_uint_eq(host.called[HOST_RAW], 1);
    ck_assert(!host.is_text);
    peer_expect(peer, BINARY, data, length);
    memset(data, 'x', length);
    frames.length = 0;
    client_frame(&frames, FIN | TEXT, data, length);
    ck_assert_int_eq(peer_send_chunked(peer, &frames, chunking), WS_OK);
    ck_assert(host.is_text);
    peer_expect(peer, TEXT, data, length);
    peer_expect_nothing(peer);
    bytes_free(&frames);
}
END_TEST

/* The form of the header follows from the length. */
START_TEST(rfc6455_5_2_a_server_s_header_is_the_shortest)
{
    static const struct {
        size_t length;
        uint8_t header[10];
        size_t header_length;
    } forms[] = {
        {0, {0x82, 0}, 2},
        {125, {0x82, 125}, 2},
        {126, {0x82, 126, 0, 126}, 4},
        {65535, {0x82, 126, 0xff, 0xff}, 4},
        {65536, {0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0}, 10},
    };
    struct peer *peer = host_client(&host);

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const size_t at = peer->received.length;

        ck_assert_int_eq(ws_manager_send_binary(host.manager, ws_websocket_id(peer->websocket),
                                                data, forms[i].length),
                         WS_OK);
        host_turn(&host);
        ck_assert_uint_eq(peer->received.length - at, forms[i].header_length + forms[i].length);
        ck_assert_mem_eq(peer->received.data + at, forms[i].header, forms[i].header_length);
        ck_assert_mem_eq(peer->received.data + at + forms[i].header_length, data,
                         forms[i].length);
    }
}
END_TEST

START_TEST(rfc6455_5_2_many_messages_in_one_chunk)
{
    struct peer *peer = host_client(&host);
    struct bytes frames = {0};

    for (size_t i = 0; i < 300; i++)
        client_frame(&frames, FIN | BINARY, data + i, i);
    ck_assert_int_eq(peer_send_chunked(peer, &frames, (enum chunking)_i), WS_OK);
    for (size_t i = 0; i < 300; i++)
        peer_expect(peer, BINARY, data + i, i);
    peer_expect_nothing(peer);
    bytes_free(&frames);
}
END_TEST

/* A message, and chunk ends at every place: a header is split at each of its bytes. */
START_TEST(rfc6455_5_2_a_chunk_may_end_anywhere)
{
    struct peer *peer = host_client(&host);
    struct bytes frames = {0};

    client_frame(&frames, BINARY, data, 200);
    client_frame(&frames, FIN | PING, data, 125);
    client_frame(&frames, FIN | CONTINUATION, data + 200, 70000);
    for (size_t cut = 0; cut < 500; cut++) {
        peer_feed(peer, frames.data, cut, WHOLE);
        ck_assert_int_eq(peer_feed(peer, frames.data + cut, frames.length - cut, WHOLE), WS_OK);
        host_turn(&host);
        peer_expect(peer, PONG, data, 125);
        peer_expect(peer, BINARY, data, 70200);
        peer_expect_nothing(peer);
    }
    bytes_free(&frames);
}
END_TEST

START_TEST(rfc6455_5_5_2_pongs_carry_the_ping_s_payload_in_order)
{
    struct peer *peer = host_client(&host);
    struct bytes frames = {0};

    for (size_t length = 0; length <= 125; length++)
        client_frame(&frames, FIN | PING, data + length, length);
    ck_assert_int_eq(peer_send_chunked(peer, &frames, (enum chunking)_i), WS_OK);
    for (size_t length = 0; length <= 125; length++)
        peer_expect(peer, PONG, data + length, length);
    peer_expect_nothing(peer);
    ck_assert_uint_eq(host.called[HOST_RAW], 0);
    bytes_free(&frames);
}
END_TEST

START_TEST(a_megabyte_in_1024_fragments)
{
    struct peer *peer = host_client(&host);
    struct bytes frames = {0};

    for (size_t i = 0; i < 1024; i++)
        client_frame(&frames,
                     (i == 0 ? BINARY : CONTINUATION) | (i == 1023 ? (unsigned)FIN : 0),
                     data + 1024 * i, 1024);
    ck_assert_int_eq(peer_send_chunked(peer, &frames, (enum chunking)_i), WS_OK);
    peer_expect(peer, BINARY, data, MOST);
    peer_expect_nothing(peer);
    bytes_free(&frames);
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("websocket-frames");
    TCase *tests = tcase_create("frames");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, rfc6455_5_2_payload_lengths, 0, N_LENGTHS * N_CHUNKINGS);
    tcase_add_test(tests, rfc6455_5_2_a_server_s_header_is_the_shortest);
    tcase_add_loop_test(tests, rfc6455_5_2_many_messages_in_one_chunk, 0, N_CHUNKINGS);
    tcase_add_test(tests, rfc6455_5_2_a_chunk_may_end_anywhere);
    tcase_add_loop_test(tests, rfc6455_5_5_2_pongs_carry_the_ping_s_payload_in_order, 0,
                        N_CHUNKINGS);
    tcase_add_loop_test(tests, a_megabyte_in_1024_fragments, 0, N_CHUNKINGS);
    suite_add_tcase(suite, tests);
    return suite;
}
