/* compression_test.c: permessage-deflate (RFC 7692) as clients see it: the negotiation, and the
 * events that clients receive with and without it. Not here: what clients send
 * (compressed_messages_test.c). */
#include <stdlib.h>
#include <string.h>

#include "websocket/host.h"
#include "websocket/payload.h"

#define OFFER(text) "Sec-WebSocket-Extensions: " text "\r\n"
#define AGREED "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

enum { MIN_BYTES = 200 /* the default */ };

static struct host host;
static struct host_options options;

static void setup(void)
{
    memset(&host, 0, sizeof host);
    host_options_init(&options);
    options.endpoint.protocol = WS_PROTOCOL_JSON;
}

static void teardown(void)
{
    host_close(&host);
}

/* --- negotiation ----------------------------------------------------------------------------- */

/* Checks the whole answer, whose Sec-WebSocket-Extensions is `extensions`. */
static void expect_answer(const char *headers, const char *extensions)
{
    struct peer *peer = host_peer(&host);
    struct bytes request = {0};
    struct bytes answer = {0};

    client_request(&request, "/ws", headers);
    bytes_add_text(&answer,
                   "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Accept: " CLIENT_ACCEPT "\r\n");
    bytes_add_text(&answer, extensions);
    bytes_add_text(&answer, "\r\n");
    peer_send(peer, &request);
    peer_head(peer);
    ck_assert_uint_eq(peer->read, answer.length);
    ck_assert_mem_eq(peer->received.data, answer.data, answer.length);
    peer_expect_type(peer, "welcome");
    bytes_free(&answer);
    bytes_free(&request);
    peer_free(peer);
}

START_TEST(rfc7692_7_1_an_offer_is_accepted)
{
    host_open(&host, &options);
    expect_answer(OFFER("permessage-deflate"), OFFER(AGREED));
    expect_answer(OFFER("permessage-deflate; client_max_window_bits"), OFFER(AGREED));
    expect_answer(OFFER("permessage-deflate; server_max_window_bits=9"),
                  OFFER(AGREED "; server_max_window_bits=9"));
    expect_answer("Sec-WebSocket-Protocol: a\r\n" OFFER(
                      "permessage-deflate; server_max_window_bits=77, permessage-deflate"),
                  OFFER(AGREED));
}
END_TEST

START_TEST(without_an_offer_there_is_no_compression)
{
    host_open(&host, &options);
    expect_answer("", "");
    expect_answer("Sec-WebSocket-Protocol: permessage-deflate\r\n", "");
}
END_TEST

START_TEST(without_the_option_there_is_no_compression)
{
    options.endpoint.deflate = 0;
    host_open(&host, &options);
    expect_answer(OFFER("permessage-deflate"), "");
}
END_TEST

static int decline(struct host *of, struct peer *peer, ws_handshake *handshake)
{
    (void)of;
    (void)peer;
    if (strcmp(ws_handshake_header(handshake, "User-Agent"), "old") == 0)
        ws_handshake_decline_deflate(handshake);
    return WS_OK;
}

START_TEST(the_application_may_decline_compression_for_a_client)
{
    host_open(&host, &options);
    host.judge = decline;
    expect_answer("User-Agent: old\r\n" OFFER("permessage-deflate"), "");
    expect_answer("User-Agent: old\r\n", "");
    expect_answer("User-Agent: new\r\n" OFFER("permessage-deflate"), OFFER(AGREED));
}
END_TEST

START_TEST(rfc7692_7_1_invalid_offers_are_declined)
{
    static const char *const offers[] = {
        OFFER("permessage-deflate; server_max_window_bits=7"),
        OFFER("permessage-deflate; server_max_window_bits=16"),
        OFFER("permessage-deflate; server_max_window_bits"),
        OFFER("permessage-deflate; client_no_context_takeover=1"),
        OFFER("permessage-deflate; unknown"),
        OFFER("permessage-deflate; client_max_window_bits; client_max_window_bits"),
        OFFER("permessage-deflate;;"),
        OFFER("x-webkit-deflate-frame"),
        OFFER("\""),
    };

    host_open(&host, &options);
    for (size_t i = 0; i < sizeof offers / sizeof *offers; i++)
        expect_answer(offers[i], "");
}
END_TEST

/* --- events ---------------------------------------------------------------------------------- */

/* An order's text as a JSON string of so many bytes; the caller frees it. */
static char *new_data(size_t length)
{
    char *data = (char *)payload_new(PAYLOAD_JSON, length);

    for (size_t i = 0; i < length; i++)
        if (data[i] == '"')
            data[i] = '\'';
    data[0] = data[length - 1] = '"';
    return data;
}

static void emit(size_t length)
{
    char *data = new_data(length);

    ck_assert_int_eq(ws_manager_emit_order_created(host.manager, data, length), WS_OK);
    free(data);
}

START_TEST(a_declined_client_sends_and_receives_plain_messages)
{
    struct peer *old;
    struct peer *new;

    host_open(&host, &options);
    host.judge = decline;
    old = host_client_with(&host, "User-Agent: old\r\n" OFFER("permessage-deflate"));
    new = host_client_with(&host, "User-Agent: new\r\n" OFFER("permessage-deflate"));
    ck_assert_int_eq(old->window_bits, 0);
    ck_assert_int_ne(new->window_bits, 0);
    emit(2000);
    host_turn(&host);
    peer_expect_type(old, "order_created");
    peer_expect_type(new, "order_created");
    peer_send_frame(old, FIN | RSV1 | TEXT, "\x00", 1);
    peer_expect_failed(old, 1002);
}
END_TEST

/* One client for each window size, and one that sets none; the last has not agreed to
 * compression. */
enum { N_PEERS = 9, PLAIN = N_PEERS - 1 };

static struct peer *peers[N_PEERS];

static int window_of(size_t number)
{
    return 15 - (int)number;
}

static void open_peers(void)
{
    host_open(&host, &options);
    for (size_t i = 0; i < PLAIN; i++) {
        struct bytes offer = {0};
        char bits[3] = {'1', (char)('0' + window_of(i) % 10)};

        bytes_add_text(&offer, "Sec-WebSocket-Extensions: permessage-deflate"
                               "; server_max_window_bits=");
        bytes_add_text(&offer, window_of(i) < 10 ? bits + 1 : bits);
        bytes_add_text(&offer, "\r\n");
        peers[i] = host_client_with(&host, (char *)offer.data);
        ck_assert_int_eq(peers[i]->window_bits, window_of(i));
        bytes_free(&offer);
    }
    peers[PLAIN] = host_client(&host);
}

/* zlib cannot compress a payload longer than its window of 2^8 (deflate.h). */
static bool is_compressed_for(size_t number, size_t length)
{
    return number != PLAIN && length >= MIN_BYTES &&
           (window_of(number) > 8 || length <= (size_t)1 << window_of(number));
}

/* Emits an event and checks that all receive it, and that it is compressed for exactly the clients
 * for which it can be. */
static void expect_same_event(void)
{
    struct frame plain;

    ck_assert(peer_next(peers[PLAIN], &plain));
    for (size_t i = 0; i < PLAIN; i++) {
        struct frame frame;

        ck_assert(peer_next(peers[i], &frame));
        ck_assert_uint_eq(frame.length, plain.length);
        ck_assert_mem_eq(frame.payload, plain.payload, plain.length);
        ck_assert_msg(frame.compressed == is_compressed_for(i, plain.length),
                      "%zu bytes, window of %d bits: %d", plain.length, window_of(i),
                      frame.compressed);
    }
    ck_assert(!plain.compressed);
}

static void expect_nothing_more(void)
{
    for (size_t i = 0; i < N_PEERS; i++)
        peer_expect_nothing(peers[i]);
}

START_TEST(every_client_can_inflate_what_it_receives)
{
    static const size_t lengths[] = {2, 90, 110, 300, 500, 2000, 40000, 100000};

    open_peers();
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        emit(lengths[i]);
        host_turn(&host);
        expect_same_event();
    }
    expect_nothing_more();
}
END_TEST

/* Small events among them stay uncompressed; a large one is not part of a bundle. */
START_TEST(events_of_one_turn_arrive_in_order)
{
    static const size_t lengths[] = {500, 2,    2000,   2,  600,  150000, 2,    300,
                                     400, 7000, 100000, 50, 3000, 4000,   5000, 2};

    open_peers();
    for (size_t n = 1; n <= sizeof lengths / sizeof *lengths; n++) {
        for (size_t i = 0; i < n; i++)
            emit(lengths[i]);
        host_turn(&host);
        for (size_t i = 0; i < n; i++)
            expect_same_event();
    }
    expect_nothing_more();
}
END_TEST

/* --- shared bytes ---------------------------------------------------------------------------- */

/* The first piece that waits for a peer. */
static struct iovec waiting(size_t number)
{
    struct iovec iov;

    ck_assert_int_eq(ws_websocket_output(peers[number]->websocket, &iov, 1), 1);
    return iov;
}

static void run_loop(void)
{
    while (ws_loop_run(host.loop, host.now) <= host.now)
        continue;
}

/* The clients from `first` to `last` share the piece; no other client has it. */
static void expect_shared(size_t first, size_t last)
{
    const void *shared = waiting(first).iov_base;

    for (size_t i = 0; i < N_PEERS; i++)
        ck_assert_msg((waiting(i).iov_base == shared) == (i >= first && i <= last),
                      "windows of %d and %d bits", window_of(first), window_of(i));
}

START_TEST(clients_share_compressed_bytes)
{
    open_peers();
    emit(120); /* less than 2^8 with the rest of the message */
    run_loop();
    expect_shared(0, PLAIN - 1);
    host_turn(&host);
    emit(300);
    run_loop();
    expect_shared(0, PLAIN - 2); /* all except the one with 2^8, which gets the plain event */
    expect_shared(PLAIN - 1, PLAIN);
    host_turn(&host);
    emit(1800);
    run_loop();
    expect_shared(0, 4); /* down to 2^11 */
    expect_shared(5, PLAIN - 2);
    host_turn(&host);
    emit(100000);
    run_loop();
    expect_shared(0, 0);
    expect_shared(1, PLAIN - 2);
    host_turn(&host);
}
END_TEST

START_TEST(a_bundle_is_one_piece_for_all_compressing_clients)
{
    open_peers();
    for (int i = 0; i < 10; i++)
        emit(40);
    run_loop();
    ck_assert_ptr_eq(waiting(0).iov_base, waiting(PLAIN).iov_base);
    host_turn(&host);
    for (int i = 0; i < 10; i++)
        emit(150);
    run_loop();
    ck_assert_ptr_ne(waiting(0).iov_base, waiting(PLAIN).iov_base);
    ck_assert_uint_lt(waiting(0).iov_len, waiting(PLAIN).iov_len);
    for (size_t i = 0; i < N_PEERS; i++) {
        struct iovec iov[2];

        ck_assert_int_eq(ws_websocket_output(peers[i]->websocket, iov, 2), 1);
    }
    host_turn(&host);
    for (int i = 0; i < 20; i++)
        expect_same_event();
}
END_TEST

static void expect_sent(const void *payload, size_t length, bool compressed)
{
    ws_conn_id id = ws_websocket_id(peers[0]->websocket);
    struct frame frame;

    ck_assert_int_eq(ws_manager_send_binary(host.manager, id, payload, length), WS_OK);
    host_turn(&host);
    ck_assert(peer_next(peers[0], &frame));
    ck_assert_uint_eq(frame.opcode, BINARY);
    ck_assert_uint_eq(frame.length, length);
    ck_assert(length == 0 || memcmp(frame.payload, payload, length) == 0);
    ck_assert_int_eq(frame.compressed, compressed);
}

START_TEST(incompressible_events_are_sent_plain)
{
    uint8_t *zeros = payload_new(PAYLOAD_ZEROS, 5000);
    uint8_t *noise = payload_new(PAYLOAD_RANDOM, 5000);

    open_peers();
    expect_sent(zeros, MIN_BYTES - 1, false);
    expect_sent(zeros, MIN_BYTES, true);
    expect_sent(zeros, 5000, true);
    expect_sent(noise, MIN_BYTES, false);
    expect_sent(noise, 5000, false);
    free(noise);
    free(zeros);
}
END_TEST

START_TEST(the_application_sets_the_minimum_size)
{
    uint8_t *zeros = payload_new(PAYLOAD_ZEROS, 1000);

    options.endpoint.deflate_min_bytes = 1000;
    host_open(&host, &options);
    peers[0] = host_client_with(&host, OFFER("permessage-deflate"));
    expect_sent(zeros, 999, false);
    expect_sent(zeros, 1000, true);
    host_close(&host);
    options.endpoint.deflate_min_bytes = 0;
    host_open(&host, &options);
    peers[0] = host_client_with(&host, OFFER("permessage-deflate"));
    expect_sent(zeros, 30, true);
    expect_sent(zeros, 0, false);
    free(zeros);
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("websocket-compression");
    TCase *tests = tcase_create("compression");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, rfc7692_7_1_an_offer_is_accepted);
    tcase_add_test(tests, without_an_offer_there_is_no_compression);
    tcase_add_test(tests, without_the_option_there_is_no_compression);
    tcase_add_test(tests, the_application_may_decline_compression_for_a_client);
    tcase_add_test(tests, a_declined_client_sends_and_receives_plain_messages);
    tcase_add_test(tests, rfc7692_7_1_invalid_offers_are_declined);
    tcase_add_test(tests, every_client_can_inflate_what_it_receives);
    tcase_add_test(tests, events_of_one_turn_arrive_in_order);
    tcase_add_test(tests, clients_share_compressed_bytes);
    tcase_add_test(tests, a_bundle_is_one_piece_for_all_compressing_clients);
    tcase_add_test(tests, incompressible_events_are_sent_plain);
    tcase_add_test(tests, the_application_sets_the_minimum_size);
    suite_add_tcase(suite, tests);
    return suite;
}
