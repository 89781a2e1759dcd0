/* keepalive_test.c: the server's pings, and which clients are considered dead (RFC 6455 section
 * 5.5.2). Timers fire up to 32 ms late, never early: the numbers here allow for that. */
#include <stdio.h>
#include <string.h>

#include "websocket/host.h"

static struct host host;
static struct peer *peer;

static void setup(void)
{
    struct host_options options;

    host_options_init(&options);
    options.endpoint.ping_interval_ms = 10000;
    options.endpoint.pong_timeout_ms = 2000;
    host_open(&host, &options);
    peer = host_client(&host);
}

static void teardown(void)
{
    host_close(&host);
}

/* In steps, like a host: by the deadline that ws_loop_run() returns. */
static void pass_by_deadlines(uint64_t ms)
{
    const uint64_t until = host.now + ms;

    while (host.now < until) {
        uint64_t deadline = ws_loop_run(host.loop, host.now);

        host.now = deadline < until ? deadline : until;
        host_turn(&host);
    }
}

static void expect_pinged(void)
{
    pass_by_deadlines(9990);
    peer_expect_nothing(peer);
    pass_by_deadlines(60);
    peer_expect(peer, PING, "", 0);
    peer_expect_nothing(peer);
}

START_TEST(a_ping_is_sent_every_interval_and_answered)
{
    for (int i = 0; i < 5; i++) {
        expect_pinged();
        peer_send_frame(peer, FIN | PONG, "", 0);
    }
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 0);
}
END_TEST

START_TEST(without_a_pong_the_connection_ends_with_1006)
{
    expect_pinged();
    host_pass(&host, 1900);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 0);
    host_pass(&host, 150);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 1);
    ck_assert_uint_eq(host.code, 1006);
    ck_assert(peer->ended);
    ck_assert_uint_eq(peer->listed, 1);
    peer_expect_nothing(peer); /* RFC 6455 section 7.4.1: 1006 is never sent */
    host_expect_stats(&host, "\"timeouts\":1,");
    ck_assert_uint_eq(ws_websocket_id(peer->websocket), 0);
}
END_TEST

/* The host's clock is not monotonic: it is set back while a pong, or the next ping, is awaited. */
START_TEST(a_clock_that_is_set_back_hides_no_dead_peer)
{
    const uint64_t hour = 3600000;

    host_pass(&host, hour);
    peer_expect(peer, PING, "", 0);
    peer_send_frame(peer, FIN | PONG, "", 0);
    pass_by_deadlines(5000);
    host.now -= hour;
    host_turn(&host);
    peer_expect_nothing(peer);
    pass_by_deadlines(4900);
    peer_expect_nothing(peer);
    pass_by_deadlines(200);
    peer_expect(peer, PING, "", 0);
    host.now -= 1500;
    pass_by_deadlines(1900);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 0);
    pass_by_deadlines(200);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 1);
    ck_assert_uint_eq(host.code, 1006);
    host_expect_stats(&host, "\"timeouts\":1,");
}
END_TEST

START_TEST(any_received_byte_counts_as_alive)
{
    struct bytes bytes = {0};
    size_t sent = 0;

    client_text(&bytes, FIN | TEXT, "slowly");
    while (sent < bytes.length) {
        expect_pinged();
        pass_by_deadlines(1900);
        ck_assert_int_eq(peer_feed(peer, bytes.data + sent++, 1, WHOLE), WS_OK);
    }
    host_turn(&host);
    peer_expect_text(peer, "slowly");
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 0);
    bytes_free(&bytes);
}
END_TEST

START_TEST(a_client_may_die_after_it_was_alive)
{
    expect_pinged();
    peer_send_frame(peer, FIN | PONG, "", 0);
    expect_pinged();
    pass_by_deadlines(2050);
    ck_assert_uint_eq(host.code, 1006);
    ck_assert(peer->ended);
}
END_TEST

/* The dead client's socket is full: nothing can be written, but the connection is listed. */
START_TEST(a_client_that_reads_nothing_dies_too)
{
    peer->writable = 1;
    ws_manager_send_text(host.manager, ws_websocket_id(peer->websocket), "hello", 5);
    host_turn(&host);
    pass_by_deadlines(10050);
    ck_assert(!peer->ended);
    pass_by_deadlines(2050);
    ck_assert(peer->ended);
    ck_assert_uint_eq(host.code, 1006);
    ck_assert_int_eq(ws_websocket_output(peer->websocket, &(struct iovec){0}, 1), 0);
    ck_assert_int_eq(ws_websocket_sent(peer->websocket, 0), WS_ERR_CLOSED);
}
END_TEST

/* The ping is queued after a long message: while the message is being read, the client is alive;
 * once it no longer is, the client is dead. */
START_TEST(a_slow_client_that_keeps_reading_is_alive)
{
    static const char much[60000];

    peer->writable = 1000;
    ws_manager_send_binary(host.manager, ws_websocket_id(peer->websocket), much, sizeof much);
    host_turn(&host);
    for (int i = 0; i < 40; i++) {
        pass_by_deadlines(1000);
        ck_assert(!peer->ended);
        peer->writable += 1000;
        peer_write(peer);
    }
    pass_by_deadlines(2 * 2050);
    ck_assert(peer->ended);
    ck_assert_uint_eq(host.code, 1006);
}
END_TEST

/* Sends something in each of `n` intervals, in which it is pinged, and reads nothing. */
static void send_for_intervals(unsigned n)
{
    while (n-- > 0) {
        pass_by_deadlines(10050);
        peer_send_frame(peer, FIN | PONG, "", 0);
    }
    ck_assert(!peer->ended);
}

START_TEST(a_client_that_reads_nothing_has_one_ping_in_its_queue)
{
    peer->writable = 1;
    ws_manager_send_text(host.manager, ws_websocket_id(peer->websocket), "hello", 5);
    host_turn(&host);
    send_for_intervals(20);
    peer->writable = SIZE_MAX;
    peer_write(peer);
    peer_expect(peer, TEXT, "hello", 5);
    peer_expect(peer, PING, "", 0);
    peer_expect_nothing(peer);
    expect_pinged();
    pass_by_deadlines(2050);
    ck_assert(peer->ended);
}
END_TEST

/* Pings the server `n` times, and reads nothing until the next interval is over. */
static void ping_unread(unsigned n)
{
    while (n-- > 0)
        peer_send_frame(peer, FIN | PING, "x", 1);
    pass_by_deadlines(10050);
    peer_send_frame(peer, FIN | PONG, "", 0);
}

/* Only the newest messages are examined: a queue may hold ten thousand. */
START_TEST(a_ping_far_from_the_end_of_a_queue_is_not_looked_for)
{
    struct frame frame;
    unsigned pings = 0;

    peer->writable = 1;
    ping_unread(1);
    ping_unread(30);
    ping_unread(100);
    ping_unread(0);
    ck_assert(!peer->ended);
    peer->writable = SIZE_MAX;
    peer_write(peer);
    host_turn(&host);
    while (peer_next(peer, &frame))
        pings += frame.opcode == PING;
    ck_assert_uint_eq(pings, 2);
}
END_TEST

/* The second ping is not sent, because the first one waits still. The time for the pong is as
 * long as if it was: it counts from the end of what waited then. */
START_TEST(a_ping_that_waits_does_not_shorten_the_next_ones_deadline)
{
    static const char much[20000];

    peer->writable = 1;
    ws_manager_send_binary(host.manager, ws_websocket_id(peer->websocket), much, sizeof much);
    host_turn(&host);
    send_for_intervals(1);
    ws_manager_send_binary(host.manager, ws_websocket_id(peer->websocket), much, sizeof much);
    host_turn(&host);
    pass_by_deadlines(10050);
    for (int i = 0; i < 39; i++) {
        pass_by_deadlines(1000);
        ck_assert(!peer->ended);
        peer->writable += 1000;
        peer_write(peer);
    }
    pass_by_deadlines(2 * 2050);
    ck_assert(peer->ended);
    ck_assert_uint_eq(host.code, 1006);
}
END_TEST

/* The ping that waits is the first in the queue, and the only entry. */
START_TEST(a_ping_that_waits_alone_does_not_shorten_the_next_ones_deadline)
{
    peer->writable = 0;
    send_for_intervals(1);
    pass_by_deadlines(10050);
    pass_by_deadlines(1900);
    peer->writable = 1;
    peer_write(peer);
    pass_by_deadlines(1900);
    ck_assert(!peer->ended);
    pass_by_deadlines(2050);
    ck_assert(peer->ended);
}
END_TEST

START_TEST(a_closing_connection_is_not_pinged)
{
    ws_websocket_close(peer->websocket, 1000, NULL);
    host_turn(&host);
    peer_expect_close(peer, 1000);
    pass_by_deadlines(20000);
    peer_expect_nothing(peer);
    ck_assert(peer->ended);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 1);
    ck_assert_uint_eq(host.code, 1000);
}
END_TEST

START_TEST(an_interval_of_0_sends_no_pings)
{
    struct host_options options;

    host_close(&host);
    host_options_init(&options);
    options.endpoint.ping_interval_ms = 0;
    options.endpoint.pong_timeout_ms = 0;
    host_open(&host, &options);
    peer = host_client(&host);
    ck_assert_uint_eq(ws_loop_run(host.loop, host.now), WS_NO_DEADLINE);
    host_pass(&host, 1000000);
    peer_expect_nothing(peer);
    ck_assert(!peer->ended);
}
END_TEST

/* A loop that was not run for long (a laptop's sleep) does not send the pings that it missed. */
START_TEST(a_long_pause_is_followed_by_one_ping)
{
    host_pass(&host, 3600000);
    peer_expect(peer, PING, "", 0);
    peer_expect_nothing(peer);
    ck_assert(!peer->ended);
    peer_send_frame(peer, FIN | PONG, "", 0);
    expect_pinged();
}
END_TEST

/* The others' first pings are spread over half of the interval. */
START_TEST(clients_that_connect_together_are_not_pinged_together)
{
    struct peer *peers[HOST_MAX_PEERS - 1];
    enum { N = sizeof peers / sizeof *peers };
    uint64_t begin_ms = host.now;
    size_t pinged = 0;

    for (size_t i = 0; i < N; i++)
        peers[i] = host_client(&host);
    while (pinged < N) {
        size_t now = 0;

        pass_by_deadlines(10);
        for (size_t i = 0; i < N; i++) {
            struct frame frame;

            if (!peer_next(peers[i], &frame))
                continue;
            ck_assert_uint_eq(frame.opcode, PING);
            now++;
        }
        if (now > 0)
            ck_assert_uint_ge(host.now - begin_ms, 5000);
        ck_assert_uint_le(now, 2);
        pinged += now;
    }
    ck_assert_uint_le(host.now - begin_ms, 10060);
}
END_TEST

/* Their first pings are spread over five seconds, and they answer at the same time, so that all
 * later ones are due together. A thousand rooms of its own take a client a quarter of a millisecond
 * to leave. */
START_TEST(few_clients_in_many_rooms_die_in_one_turn)
{
    struct peer *peers[HOST_MAX_PEERS - 1];
    enum { N = sizeof peers / sizeof *peers, N_ROOMS = 1000, MOST = 8192 / (2 * N_ROOMS) + 1 };
    struct host_options options;

    host_close(&host);
    host_options_init(&options);
    options.endpoint.ping_interval_ms = 10000;
    options.endpoint.pong_timeout_ms = 6000;
    options.endpoint.protocol = WS_PROTOCOL_JSON;
    host_open(&host, &options);
    for (size_t i = 0; i < N; i++) {
        ws_conn_id id;

        peers[i] = host_client(&host);
        id = ws_websocket_id(peers[i]->websocket);
        for (int number = 0; number < N_ROOMS; number++) {
            char room[64];

            snprintf(room, sizeof room, "%d of client %zu", number, i);
            ck_assert_int_eq(ws_manager_join_room(host.manager, id, room), WS_OK);
        }
        host_turn(&host);
    }
    pass_by_deadlines(10100);
    for (size_t i = 0; i < N; i++)
        peer_send_frame(peers[i], FIN | PONG, "", 0);
    pass_by_deadlines(10100);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 0);
    host.now += 6000;
    ws_loop_run(host.loop, host.now);
    ck_assert_uint_ge(host.called[HOST_DISCONNECT], 1);
    ck_assert_uint_le(host.called[HOST_DISCONNECT], MOST);
    pass_by_deadlines(100);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], N);
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("websocket-keepalive");
    TCase *tests = tcase_create("keepalive");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_ping_is_sent_every_interval_and_answered);
    tcase_add_test(tests, without_a_pong_the_connection_ends_with_1006);
    tcase_add_test(tests, a_clock_that_is_set_back_hides_no_dead_peer);
    tcase_add_test(tests, any_received_byte_counts_as_alive);
    tcase_add_test(tests, a_client_may_die_after_it_was_alive);
    tcase_add_test(tests, a_client_that_reads_nothing_dies_too);
    tcase_add_test(tests, a_slow_client_that_keeps_reading_is_alive);
    tcase_add_test(tests, a_client_that_reads_nothing_has_one_ping_in_its_queue);
    tcase_add_test(tests, a_ping_far_from_the_end_of_a_queue_is_not_looked_for);
    tcase_add_test(tests, a_ping_that_waits_does_not_shorten_the_next_ones_deadline);
    tcase_add_test(tests, a_ping_that_waits_alone_does_not_shorten_the_next_ones_deadline);
    tcase_add_test(tests, a_closing_connection_is_not_pinged);
    tcase_add_test(tests, an_interval_of_0_sends_no_pings);
    tcase_add_test(tests, a_long_pause_is_followed_by_one_ping);
    tcase_add_test(tests, clients_that_connect_together_are_not_pinged_together);
    tcase_add_test(tests, few_clients_in_many_rooms_die_in_one_turn);
    suite_add_tcase(suite, tests);
    return suite;
}
