/* input_test.c: clients' input is bounded before it waits, and handled in fair turns. Not here: the
 * application's own transports (core/custom_input_test.c). */
#include <stdio.h>
#include <string.h>

#include "core/loop_state.h"
#include "websocket/host.h"
#include "websocket/zlib_peer.h"

enum {
    READ_BYTES = 65536, /* what a host reads at once */
    TINY = 7,           /* a masked frame of one byte */
    N_TINY = READ_BYTES / TINY,
    MOST_IN_A_TURN = 1024, /* messages, whatever they cost */
};

static struct host host;
static struct host_options options;
static struct bytes frames;

static void setup(void)
{
    host_options_init(&options);
    frames = (struct bytes){0};
}

static void teardown(void)
{
    bytes_free(&frames);
    host_close(&host);
}

static struct peer *begin(void)
{
    host_open(&host, &options);
    host.echo = false;
    return host_client(&host);
}

static void add_tiny(size_t n)
{
    for (size_t i = 0; i < n; i++)
        client_text(&frames, FIN | TEXT, "x");
}

/* Like a host that asks before it reads; returns how many bytes it handed in. */
static size_t read_while_wanted(struct peer *peer)
{
    size_t total = 0;

    while (ws_websocket_wants_read(peer->websocket)) {
        size_t length = frames.length < READ_BYTES ? frames.length : READ_BYTES;

        ck_assert_int_eq(ws_websocket_receive(peer->websocket, frames.data, length), WS_OK);
        total += length;
    }
    return total;
}

static void read_once(struct peer *peer)
{
    ck_assert_int_eq(ws_websocket_receive(peer->websocket, frames.data, frames.length), WS_OK);
}

START_TEST(the_host_learns_to_stop_reading)
{
    struct peer *peer = begin();
    size_t before;

    add_tiny(N_TINY);
    before = host.memory.bytes;
    ck_assert_uint_le(read_while_wanted(peer), READ_BYTES);
    ck_assert_int_eq(ws_websocket_receive(peer->websocket, frames.data, frames.length),
                     WS_ERR_BACKPRESSURE);
    ck_assert_uint_lt(host.memory.bytes - before, READ_BYTES + 4096);
    ck_assert_uint_eq(host.called[HOST_RAW], 0);
    host_turn(&host);
    /* Every message that was accepted, and none that was refused. */
    ck_assert_uint_eq(host.called[HOST_RAW], N_TINY);
    ck_assert(ws_websocket_wants_read(peer->websocket));
    ck_assert_uint_lt(host.memory.bytes - before, 8192);
}
END_TEST

/* A host that reads little at a time has to stop as well. */
START_TEST(small_reads_are_bounded_too)
{
    struct peer *peer = begin();
    size_t total;

    add_tiny(64);
    total = read_while_wanted(peer);
    ck_assert_uint_ge(total, 16384);
    ck_assert_uint_lt(total, 16384 + frames.length);
}
END_TEST

START_TEST(only_a_paused_connection_is_listed_for_reading)
{
    struct peer *peer = begin();

    add_tiny(10);
    peer_send(peer, &frames);
    ck_assert_uint_eq(peer->listed, 0);
    bytes_free(&frames);
    add_tiny(N_TINY);
    peer_send(peer, &frames);
    ck_assert_uint_gt(peer->listed, 0);
}
END_TEST

/* Its socket is full, so it would not be listed for output. */
START_TEST(a_paused_connection_with_a_full_socket_is_listed_too)
{
    struct peer *peer = begin();

    peer->writable = 0;
    ck_assert_int_eq(
        ws_manager_send_text(host.manager, ws_websocket_id(peer->websocket), "full", 4), WS_OK);
    host_turn(&host);
    add_tiny(N_TINY);
    read_while_wanted(peer);
    peer->listed = 0;
    host_turn(&host);
    ck_assert_uint_gt(peer->listed, 0);
    ck_assert(ws_websocket_wants_read(peer->websocket));
}
END_TEST

START_TEST(a_turn_handles_a_bounded_number_of_messages)
{
    struct peer *peer = begin();
    unsigned called = 0;

    add_tiny(N_TINY);
    read_while_wanted(peer);
    while (host.called[HOST_RAW] < N_TINY) {
        uint64_t next = ws_loop_run(host.loop, host.now);

        ck_assert_uint_gt(host.called[HOST_RAW], called);
        ck_assert(next == host.now || host.called[HOST_RAW] == N_TINY);
        ck_assert_uint_le(host.called[HOST_RAW] - called, MOST_IN_A_TURN);
        called = host.called[HOST_RAW];
    }
}
END_TEST

static struct peer *flooding;
static unsigned flooded, flooded_before;

static void count_until_the_other(struct host *of, enum host_callback callback,
                                  struct peer *peer, ws_conn_id id)
{
    (void)of;
    (void)id;
    if (callback != HOST_RAW)
        return;
    flooded += peer == flooding;
    if (peer != flooding)
        flooded_before = flooded;
}

/* Whatever one client has sent before, the other's message is handled in this turn, after a small
 * part of it. */
START_TEST(a_flooding_client_delays_others_by_a_share_of_a_turn)
{
    struct peer *quiet;

    flooding = begin();
    quiet = host_client(&host);
    flooded = 0;
    flooded_before = UINT32_MAX;
    host.hook = count_until_the_other;
    add_tiny(N_TINY);
    read_while_wanted(flooding);
    bytes_free(&frames);
    add_tiny(1);
    read_once(quiet);
    ws_loop_run(host.loop, host.now);
    ck_assert_uint_le(flooded_before, 64);
    ck_assert_uint_gt(flooded, flooded_before);
}
END_TEST

static struct peer *quiet_one;

static void count_until_the_quiet(struct host *of, enum host_callback callback,
                                  struct peer *peer, ws_conn_id id)
{
    (void)id;
    if (callback == HOST_RAW && peer == quiet_one)
        flooded_before = of->called[HOST_RAW];
}

/* With the maximum number of flooding clients, each has its share, so the quiet client waits for
 * one message of each. */
START_TEST(flooding_clients_share_a_turn)
{
    struct peer *quiet;
    unsigned turns = 0;

    begin();
    for (int i = 0; i < 20; i++)
        host_client(&host);
    quiet = host_client(&host);
    add_tiny(N_TINY);
    for (size_t i = 0; i + 1 < host.n_peers; i++)
        read_while_wanted(&host.peers[i]);
    bytes_free(&frames);
    client_text(&frames, FIN | TEXT, "quiet");
    ck_assert_int_eq(ws_websocket_receive(quiet->websocket, frames.data, frames.length), WS_OK);
    flooded_before = UINT32_MAX;
    host.hook = count_until_the_quiet;
    for (quiet_one = quiet; flooded_before == UINT32_MAX; turns++)
        ws_loop_run(host.loop, host.now);
    ck_assert_uint_le(turns, 2);
}
END_TEST

/* The first client of a host that reads compressed messages and answers nothing. */
static struct peer *open_with_deflate(void)
{
    options.endpoint.deflate = 1;
    host_open(&host, &options);
    host.echo = false;
    return host_client_with(&host, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
}

static void add_inflating(size_t n)
{
    static char big[65500];
    uint8_t small[1024];
    size_t length;

    memset(big, 'x', sizeof big);
    length = zlib_deflate(15, 9, big, sizeof big, small, sizeof small);
    for (size_t i = 0; i < n; i++)
        client_frame(&frames, FIN | RSV1 | TEXT, small, length);
}

/* 87 bytes become 65,500: one message at a time is inflated, however many wait. */
START_TEST(no_inflated_message_waits)
{
    struct peer *peer;
    size_t before;

    peer = open_with_deflate();
    add_inflating(500);
    before = host.memory.bytes;
    host.memory.most_bytes = before;
    peer_send(peer, &frames);
    ck_assert_uint_eq(host.called[HOST_RAW], 500);
    ck_assert_uint_lt(host.memory.most_bytes - before, 6 * 65536);
}
END_TEST

/* By cost: about 1,000 units each, of 8,192 in a turn. */
START_TEST(a_turn_inflates_a_bounded_number_of_bytes)
{
    struct peer *peer;

    peer = open_with_deflate();
    add_inflating(500);
    read_once(peer);
    ws_loop_run(host.loop, host.now);
    ck_assert_uint_ge(host.called[HOST_RAW], 2);
    ck_assert_uint_le(host.called[HOST_RAW], 8);
}
END_TEST

/* A message of 4 n DEFLATE blocks, each of 90 bits: two codes of one symbol each, and no data. */
static void add_blocks(size_t n)
{
    static const uint8_t four[] = {0x04, 0xc0, 0x81, 0x00, 0x00, 0x00, 0x00, 0x00, 0x90,
                                   0xff, 0x6b, 0x10, 0x00, 0x07, 0x02, 0x00, 0x00, 0x00,
                                   0x00, 0x40, 0xfe, 0xaf, 0x41, 0x00, 0x1c, 0x08, 0x00,
                                   0x00, 0x00, 0x00, 0x00, 0xf9, 0xbf, 0x06, 0x01, 0x70,
                                   0x20, 0x00, 0x00, 0x00, 0x00, 0x00, 0xe4, 0xff, 0x1a};
    struct bytes blocks = {0};

    while (n-- > 0)
        bytes_add(&blocks, four, sizeof four);
    bytes_add(&blocks, "", 1);
    client_frame(&frames, FIN | RSV1 | TEXT, blocks.data, blocks.length);
    bytes_free(&blocks);
}

/* A block costs nearly a microsecond, however few bytes it has: 100 of them are 1,600 units. */
START_TEST(a_turn_inflates_a_bounded_number_of_blocks)
{
    struct peer *peer;

    peer = open_with_deflate();
    for (int i = 0; i < 50; i++)
        add_blocks(25);
    read_once(peer);
    ws_loop_run(host.loop, host.now);
    ck_assert_uint_ge(host.called[HOST_RAW], 2);
    ck_assert_uint_le(host.called[HOST_RAW], 8);
    host_turn(&host);
    ck_assert_uint_eq(host.called[HOST_RAW], 50);
}
END_TEST

/* The cost of a whole message is not spent at once, although all of it has arrived. */
/* An answer that repeats a long ref is compressed for its client, which costs as much as a hundred
 * deliveries. */
START_TEST(a_turn_compresses_a_bounded_number_of_answers)
{
    enum { PEERS = 12, PINGS = 50, MOST_ANSWERS = 8192 / 100 };
    char ping[300];
    uint64_t before;

    options.endpoint.protocol = WS_PROTOCOL_JSON;
    host_open(&host, &options);
    for (size_t i = 0; i < PEERS; i++)
        host_client_with(&host, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    snprintf(ping, sizeof ping, "{\"type\":\"ping\",\"ref\":\"%0240d\"}", 1);
    for (size_t i = 0; i < PINGS; i++)
        client_text(&frames, FIN | TEXT, ping);
    for (size_t i = 0; i < PEERS; i++)
        read_once(&host.peers[i]);
    before = counter_read(&host.loop->counters, COUNTER_deliveries);
    ws_loop_run(host.loop, host.now);
    ck_assert_uint_gt(counter_read(&host.loop->counters, COUNTER_deliveries), before);
    ck_assert_uint_le(counter_read(&host.loop->counters, COUNTER_deliveries),
                      before + MOST_ANSWERS);
    /* What a client causes counts until it is done, so few answers wait before events. */
    ck_assert_uint_le(host.loop->batch.count - host.loop->done, MOST_ANSWERS);
}
END_TEST

START_TEST(other_clients_are_served_within_a_costly_message)
{
    struct peer *quiet;

    flooding = open_with_deflate();
    quiet = host_client(&host);
    flooded = 0;
    flooded_before = UINT32_MAX;
    host.hook = count_until_the_other;
    add_blocks(1200);
    ck_assert_int_eq(ws_websocket_receive(flooding->websocket, frames.data, frames.length),
                     WS_OK);
    bytes_free(&frames);
    add_tiny(1);
    read_once(quiet);
    ws_loop_run(host.loop, host.now);
    ck_assert_uint_eq(flooded_before, 0);
    host_turn(&host);
    ck_assert_uint_eq(flooded, 1);
}
END_TEST

static int sent_result;

static void relay(struct host *of, enum host_callback callback, struct peer *peer,
                  ws_conn_id id)
{
    (void)peer;
    if (callback == HOST_RAW)
        ws_manager_send_text(of->manager, id, "relayed", 7);
}

/* Clients use up none of max_pending: an application's call is refused only because of other calls
 * of the application. */
START_TEST(clients_do_not_use_up_the_application_s_calls)
{
    struct peer *peer;

    options.manager.max_pending = 16;
    peer = begin();
    host.hook = relay;
    add_tiny(N_TINY);
    read_while_wanted(peer);
    for (int turn = 0; turn < 10; turn++) {
        for (int i = 0; i < 16; i++)
            ck_assert_int_eq(ws_manager_send_text(host.manager,
                                                  ws_websocket_id(peer->websocket), "event", 5),
                             WS_OK);
        ws_loop_run(host.loop, host.now);
    }
    ck_assert_uint_gt(host.called[HOST_RAW], 16);
}
END_TEST

static void send_at_the_end(struct host *of, enum host_callback callback, struct peer *peer,
                            ws_conn_id id)
{
    (void)peer;
    (void)id;
    if (callback == HOST_DISCONNECT)
        ws_manager_send_text(of->manager, ws_websocket_id(of->peers[0].websocket), "gone", 4);
}

static void expect_16_calls(const struct peer *peer)
{
    for (int i = 0; i < 16; i++)
        ck_assert_int_eq(
            ws_manager_send_text(host.manager, ws_websocket_id(peer->websocket), "event", 5),
            WS_OK);
    ck_assert_int_eq(
        ws_manager_send_text(host.manager, ws_websocket_id(peer->websocket), "event", 5),
        WS_ERR_BACKPRESSURE);
    host_turn(&host);
}

/* Nor because of clients that open a WebSocket, or that end theirs in one way or another. */
START_TEST(connecting_clients_do_not_use_up_the_application_s_calls)
{
    enum { OTHERS = 16 };
    struct peer *first;

    options.manager.max_pending = 16;
    first = begin();
    host.hook = send_at_the_end;
    client_request(&frames, "/ws", "");
    for (int i = 0; i < OTHERS; i++)
        read_once(host_peer(&host));
    expect_16_calls(first);
    ck_assert_uint_eq(host.called[HOST_CONNECT], 1 + OTHERS);
    for (int i = 1; i <= OTHERS / 2; i++)
        ws_websocket_eof(host.peers[i].websocket);
    for (int i = OTHERS / 2 + 1; i <= OTHERS; i++)
        peer_free(&host.peers[i]);
    expect_16_calls(first);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], OTHERS);
}
END_TEST

static void emit_when_flooded(struct host *of, enum host_callback callback, struct peer *peer,
                              ws_conn_id id)
{
    (void)peer;
    if (callback == HOST_RAW && of->called[HOST_RAW] == 1)
        sent_result = ws_manager_send_text(of->manager, id, "event", 5);
}

/* Calls of the application are carried out before clients' input, even before input that arrived
 * earlier. */
static void publish(struct host *of, enum host_callback callback, struct peer *peer,
                    ws_conn_id id)
{
    (void)peer;
    (void)id;
    if (callback == HOST_MESSAGE)
        ck_assert_int_eq(ws_manager_emit_to_room(of->manager, "r", "notification", "{}", 2),
                         WS_OK);
}

/* As separate deliveries these would be more than a turn's work for clients: the members would
 * receive them in several pieces, each with a system call of its own. */
START_TEST(a_burst_of_a_client_is_delivered_in_one_piece)
{
    enum { N_MESSAGES = 95 };
    struct peer *publisher;
    struct iovec iov[4];

    options.endpoint.protocol = WS_PROTOCOL_JSON;
    publisher = begin();
    host.hook = publish;
    while (host.n_peers < HOST_MAX_PEERS)
        host_client(&host);
    for (size_t i = 0; i < host.n_peers; i++)
        ck_assert_int_eq(
            ws_manager_join_room(host.manager, ws_websocket_id(host.peers[i].websocket), "r"),
            WS_OK);
    host_turn(&host);
    for (int i = 0; i < N_MESSAGES; i++)
        client_text(&frames, FIN | TEXT, "{\"type\":\"message\"}");
    ck_assert_int_eq(ws_websocket_receive(publisher->websocket, frames.data, frames.length),
                     WS_OK);
    ws_loop_run(host.loop, host.now);
    ck_assert_uint_eq(host.called[HOST_MESSAGE], N_MESSAGES);
    for (size_t i = 1; i < host.n_peers; i++)
        ck_assert_int_eq(ws_websocket_output(host.peers[i].websocket, iov, 4), 1);
}
END_TEST

START_TEST(an_event_does_not_wait_for_clients)
{
    struct peer *peer = begin();

    host.hook = emit_when_flooded;
    add_tiny(N_TINY);
    read_while_wanted(peer);
    ck_assert_int_eq(
        ws_manager_send_text(host.manager, ws_websocket_id(peer->websocket), "first", 5),
        WS_OK);
    ws_loop_run(host.loop, host.now);
    ck_assert_int_eq(sent_result, WS_OK);
    peer_write(peer);
    ck_assert_uint_le(host.called[HOST_RAW], MOST_IN_A_TURN);
    peer_expect_text(peer, "first");
    peer_expect_text(peer, "event");
}
END_TEST

START_TEST(pending_input_is_handled_before_the_end)
{
    struct peer *peer = begin();

    add_tiny(N_TINY);
    read_while_wanted(peer);
    ws_websocket_eof(peer->websocket);
    ck_assert(!ws_websocket_wants_read(peer->websocket));
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 0);
    host_turn(&host);
    ck_assert_uint_eq(host.called[HOST_RAW], N_TINY);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 1);
    ck_assert_uint_eq(host.code, 1006);
    ck_assert(peer->ended);
}
END_TEST

START_TEST(a_close_is_handled_after_pending_messages)
{
    struct peer *peer = begin();

    add_tiny(5000);
    client_close(&frames, 4000, "");
    peer_send(peer, &frames);
    ck_assert_uint_eq(host.called[HOST_RAW], 5000);
    ck_assert_uint_eq(host.code, 4000);
    peer_expect_close(peer, 4000);
}
END_TEST

/* With the handshake in one piece, before there is a connection. */
START_TEST(frames_after_the_handshake_wait_for_the_connection)
{
    struct peer *peer;

    host_open(&host, &options);
    host.echo = false;
    peer = host_peer(&host);
    client_request(&frames, "/ws", "");
    add_tiny(3000);
    ck_assert_int_eq(ws_websocket_receive(peer->websocket, frames.data, frames.length), WS_OK);
    ck_assert(!ws_websocket_wants_read(peer->websocket));
    ck_assert_int_eq(ws_websocket_receive(peer->websocket, "x", 1), WS_ERR_BACKPRESSURE);
    host_turn(&host);
    ck_assert_uint_eq(host.called[HOST_CONNECT], 1);
    ck_assert_uint_eq(host.called[HOST_RAW], 3000);
    ck_assert(ws_websocket_wants_read(peer->websocket));
}
END_TEST

/* The client has violated the protocol and does not read: until it is disconnected, further input
 * is not even read. */
START_TEST(nothing_is_read_once_a_close_is_pending)
{
    struct peer *peer = begin();

    peer->writable = 0;
    client_frame(&frames, FIN | 3, "reserved", 8);
    peer_send(peer, &frames);
    bytes_free(&frames);
    client_close(&frames, 1000, "");
    peer_send(peer, &frames);
    ck_assert(!peer->ended);
    ck_assert(!ws_websocket_wants_read(peer->websocket));
    host_pass(&host, 3100);
    ck_assert(peer->ended);
}
END_TEST

static void end_at_first(struct host *of, enum host_callback callback, struct peer *peer,
                         ws_conn_id id)
{
    (void)id;
    if (callback == HOST_RAW && of->called[HOST_RAW] == 1)
        ws_websocket_eof(peer->websocket);
}

/* A callback that writes may find the socket broken. */
START_TEST(an_end_within_a_callback_comes_after_pending_input)
{
    struct peer *peer = begin();

    host.hook = end_at_first;
    add_tiny(3000);
    read_while_wanted(peer);
    host_turn(&host);
    ck_assert_uint_eq(host.called[HOST_RAW], 3000);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 1);
}
END_TEST

/* The client reads none of its answers: they take no more memory than they are counted as, and the
 * limit ends the client. */
START_TEST(unread_answers_cost_no_more_than_the_queue)
{
    struct peer *peer;
    size_t before;

    host_options_init(&options);
    options.endpoint.protocol = WS_PROTOCOL_JSON;
    peer = begin();
    peer->writable = 0;
    for (int i = 0; i < 2000; i++)
        client_text(&frames, FIN | TEXT, "{\"type\":\"ping\"}");
    before = host.memory.bytes;
    host.memory.most_bytes = before;
    for (int i = 0; i < 10 && host.called[HOST_DISCONNECT] == 0; i++)
        peer_send(peer, &frames);
    ck_assert_uint_eq(host.code, 1013);
    ck_assert_uint_lt(host.memory.most_bytes - before, 1048576 + 262144);
}
END_TEST

static unsigned heard_of[3];

static void count_and_post_at_the_end(struct host *of, enum host_callback callback,
                                      struct peer *peer, ws_conn_id id)
{
    (void)id;
    if (callback == HOST_RAW)
        heard_of[peer - of->peers]++;
    if (callback == HOST_DISCONNECT)
        for (int i = 0; i < 2048; i++)
            ws_manager_send_text(of->manager, ws_websocket_id(of->peers[2].websocket), "x", 1);
    if (callback == HOST_RAW && heard_of[2] == 6)
        ck_assert_uint_eq(heard_of[1], 6);
}

/* The first client is disconnected, which makes the application send a lot; that is not charged to
 * the next client. */
START_TEST(the_end_of_a_client_is_not_charged_to_the_next)
{
    options.manager.message_rate = 1;
    options.manager.message_burst = 6;
    begin();
    host_client(&host);
    host_client(&host);
    memset(heard_of, 0, sizeof heard_of);
    host.hook = count_and_post_at_the_end;
    add_tiny(7);
    read_once(&host.peers[0]);
    bytes_free(&frames);
    add_tiny(6);
    read_once(&host.peers[1]);
    read_once(&host.peers[2]);
    host_turn(&host);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 1);
    ck_assert_uint_eq(heard_of[2], 6);
}
END_TEST

static void free_it(struct host *of, enum host_callback callback, struct peer *peer,
                    ws_conn_id id)
{
    (void)of;
    (void)id;
    if (callback == HOST_RAW && peer->websocket != NULL)
        peer_free(peer);
}

START_TEST(freed_while_it_is_being_served)
{
    struct peer *peer = begin();

    host.hook = free_it;
    add_tiny(N_TINY);
    read_while_wanted(peer);
    host_turn(&host);
    ck_assert_uint_eq(host.called[HOST_RAW], 1);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 1);
}
END_TEST

START_TEST(freed_while_its_input_waits)
{
    struct peer *peer = begin();

    add_tiny(N_TINY);
    read_while_wanted(peer);
    peer_free(peer);
    host_turn(&host);
    ck_assert_uint_eq(host.called[HOST_RAW], 0);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 1);
}
END_TEST

/* The pong may be among the bytes that the host was told not to read. */
START_TEST(no_pong_is_missed_while_reading_is_paused)
{
    struct peer *peer;

    options.endpoint.ping_interval_ms = 1000;
    options.endpoint.pong_timeout_ms = 500;
    peer = begin();
    add_tiny(N_TINY);
    read_while_wanted(peer);
    host.now += 1050;
    ws_loop_run(host.loop, host.now);
    peer_write(peer);
    peer_expect(peer, PING, NULL, 0);
    for (int i = 0; i < 5; i++) {
        ck_assert(!ws_websocket_wants_read(peer->websocket));
        host.now += 600;
        ws_loop_run(host.loop, host.now);
        ck_assert(!ws_websocket_ended(peer->websocket));
    }
    /* The socket is read again, and nothing arrives. */
    host_turn(&host);
    ck_assert(!peer->ended);
    host_pass(&host, 600);
    ck_assert(peer->ended);
}
END_TEST

/* With a rate limit a flood costs no more than its own bytes. */
START_TEST(messages_above_the_rate_take_no_memory)
{
    struct peer *peer;
    size_t before;

    options.manager.message_rate = 1;
    options.manager.message_burst = 1;
    peer = begin();
    add_tiny(N_TINY);
    before = host.memory.bytes;
    host.memory.most_bytes = before;
    peer_feed(peer, frames.data, frames.length, WHOLE);
    host_turn(&host);
    ck_assert_uint_eq(host.called[HOST_RAW], 1);
    ck_assert_uint_lt(host.memory.most_bytes - before, READ_BYTES + 16384);
    peer_expect_close(peer, 1008);
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("websocket-input");
    TCase *tests = tcase_create("input");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, the_host_learns_to_stop_reading);
    tcase_add_test(tests, small_reads_are_bounded_too);
    tcase_add_test(tests, only_a_paused_connection_is_listed_for_reading);
    tcase_add_test(tests, a_paused_connection_with_a_full_socket_is_listed_too);
    tcase_add_test(tests, a_turn_handles_a_bounded_number_of_messages);
    tcase_add_test(tests, a_flooding_client_delays_others_by_a_share_of_a_turn);
    tcase_add_test(tests, flooding_clients_share_a_turn);
    tcase_add_test(tests, no_inflated_message_waits);
    tcase_add_test(tests, a_turn_inflates_a_bounded_number_of_bytes);
    tcase_add_test(tests, a_turn_inflates_a_bounded_number_of_blocks);
    tcase_add_test(tests, a_turn_compresses_a_bounded_number_of_answers);
    tcase_add_test(tests, other_clients_are_served_within_a_costly_message);
    tcase_add_test(tests, clients_do_not_use_up_the_application_s_calls);
    tcase_add_test(tests, connecting_clients_do_not_use_up_the_application_s_calls);
    tcase_add_test(tests, a_burst_of_a_client_is_delivered_in_one_piece);
    tcase_add_test(tests, an_event_does_not_wait_for_clients);
    tcase_add_test(tests, pending_input_is_handled_before_the_end);
    tcase_add_test(tests, a_close_is_handled_after_pending_messages);
    tcase_add_test(tests, frames_after_the_handshake_wait_for_the_connection);
    tcase_add_test(tests, nothing_is_read_once_a_close_is_pending);
    tcase_add_test(tests, an_end_within_a_callback_comes_after_pending_input);
    tcase_add_test(tests, unread_answers_cost_no_more_than_the_queue);
    tcase_add_test(tests, the_end_of_a_client_is_not_charged_to_the_next);
    tcase_add_test(tests, freed_while_it_is_being_served);
    tcase_add_test(tests, freed_while_its_input_waits);
    tcase_add_test(tests, no_pong_is_missed_while_reading_is_paused);
    tcase_add_test(tests, messages_above_the_rate_take_no_memory);
    suite_add_tcase(suite, tests);
    return suite;
}
