/* upgrade_test.c: sessions of Engine.IO that move from polling to a WebSocket, or do not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "polling/client.h"

static struct host_options options;

/* The client's WebSocket; its "socket" is a buffer. */
static struct {
    ws_websocket *websocket;
    ws_loop *loop;
    unsigned char received[1 << 20];
    size_t length;
    size_t read;
    bool ended;
} peer;

/* --- the WebSocket --------------------------------------------------------------------------- */

static void write_peer(void)
{
    struct iovec pieces[8];
    int count;

    while ((count = ws_websocket_output(peer.websocket, pieces, 8)) > 0) {
        size_t n = 0;

        for (int i = 0; i < count; i++) {
            ck_assert_uint_le(peer.length + pieces[i].iov_len, sizeof peer.received);
            memcpy(peer.received + peer.length, pieces[i].iov_base, pieces[i].iov_len);
            peer.length += pieces[i].iov_len;
            n += pieces[i].iov_len;
        }
        ws_websocket_sent(peer.websocket, n);
    }
    peer.ended = ws_websocket_ended(peer.websocket) != 0;
}

static void turn(void)
{
    ws_websocket *websocket;

    host_turn(&host);
    for (int i = 0; i < HOST_LOOPS; i++)
        while ((websocket = ws_loop_next_output(host.loops[i])) != NULL)
            write_peer();
}

static void pass(uint64_t ms)
{
    host_pass(&host, ms);
    turn();
}

/* Opens a WebSocket with the id of the client's session, or another query; returns the status. */
static int open_peer(int loop, const char *query)
{
    static const ws_header headers[] = {
        {"Host", "localhost"},
        {"Upgrade", "websocket"},
        {"Connection", "Upgrade"},
        {"Sec-WebSocket-Version", "13"},
        {"Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="},
    };
    char target[256];
    const char *end;

    ws_websocket_free(peer.websocket);
    memset(&peer, 0, sizeof peer);
    snprintf(target, sizeof target, "/engine.io/?EIO=4&transport=websocket%s", query);
    ck_assert_int_eq(ws_websocket_new(host.loops[loop], host.endpoint, &peer, &peer.websocket),
                     WS_OK);
    ws_websocket_upgrade(peer.websocket, "GET", 1, 1, target, headers, 5);
    turn();
    peer.received[peer.length] = '\0';
    end = strstr((const char *)peer.received, "\r\n\r\n");
    ck_assert_ptr_nonnull(end);
    peer.read = (size_t)(end + 4 - (const char *)peer.received);
    return atoi((const char *)peer.received + strlen("HTTP/1.1 "));
}

static void feed(const char *packet)
{
    unsigned char frame[256] = {0x81, (unsigned char)(0x80 | strlen(packet))};

    memcpy(frame + 6, packet, strlen(packet)); /* masked with zeros */
    ws_websocket_receive(peer.websocket, frame, 6 + strlen(packet));
}

static void tell(const char *packet)
{
    feed(packet);
    turn();
}

/* Checks the next frame: its first byte, and its payload. */
static void expect_frame(unsigned first, const char *payload, size_t length)
{
    const unsigned char *frame = peer.received + peer.read;

    ck_assert_uint_le(peer.read + 2 + length, peer.length);
    ck_assert_uint_eq(frame[0], first);
    ck_assert_uint_eq(frame[1], length);
    ck_assert_msg(memcmp(frame + 2, payload, length) == 0, "%.*s", (int)length, frame + 2);
    peer.read += 2 + length;
}

static void expect(const char *packet)
{
    expect_frame(0x81, packet, strlen(packet));
}

static void expect_nothing(void)
{
    ck_assert_uint_eq(peer.read, peer.length);
}

static void probe(const char *query)
{
    ck_assert_int_eq(open_peer(0, query), 101);
    tell("2probe");
    expect("3probe");
    expect_nothing();
}

static void send_text(const char *text)
{
    ck_assert_int_eq(ws_manager_send_text(host.manager, connected, text, strlen(text)), WS_OK);
}

static void setup(void)
{
    polling_options_init(&options, WS_PROTOCOL_ENGINEIO);
    options.endpoint.deflate = 0;
    host_open(&host, &options);
}

static void teardown(void)
{
    ws_websocket_free(peer.websocket);
    memset(&peer, 0, sizeof peer);
    host_close(&host);
}

/* The WebSocket carries the session, both ways, and no HTTP request does. */
static void expect_upgraded(void)
{
    tell("4hello");
    expect("4hello");
    send_text("x");
    turn();
    expect("4x");
    expect_error(polling_poll(0), 400, 1);
    expect_error(polling_post(1, "4y"), 400, 1);
    ck_assert_uint_eq(host.n_connects, 1);
    ck_assert_uint_eq(host.n_disconnects, 0);
    ck_assert_uint_eq(ws_websocket_id(peer.websocket), connected);
}

/* --- upgrades -------------------------------------------------------------------------------- */

START_TEST(a_session_moves)
{
    probe(polling_session());
    tell("5");
    expect_nothing();
    expect_upgraded();
}
END_TEST

/* The host counts the WebSocket. */
START_TEST(a_session_that_has_moved_does_not_count_for_its_client)
{
    host_close(&host);
    options.endpoint.max_sessions_per_client = 1;
    host_open(&host, &options);
    host.client = "a";
    probe(polling_session());
    ck_assert_int_eq(polling_exchange(1, "GET", "", NULL)->status, 429);
    tell("5");
    expect_upgraded();
    polling_session();
    ws_websocket_free(peer.websocket);
    peer.websocket = NULL;
    turn();
    ck_assert_int_eq(polling_exchange(1, "GET", "", NULL)->status, 429);
}
END_TEST

START_TEST(a_poll_that_waits_is_released)
{
    const char *query = polling_session();
    struct page *poll = polling_wait(_i);

    ck_assert_int_eq(open_peer(0, query), 101);
    ck_assert_int_eq(polling_answer(poll)->status, 0);
    tell("2probe");
    turn();
    expect_packets(polling_answer(poll), "6");
    expect("3probe");
    expect_packets(polling_poll(_i), "6"); /* one that was under way */
    tell("5");
    expect_upgraded();
}
END_TEST

START_TEST(what_waits_moves_in_order)
{
    const char *query = polling_session();

    send_text("a");
    ck_assert_int_eq(open_peer(0, query), 101);
    send_text("b");
    ws_manager_send_binary(host.manager, connected, "\1\2", 2);
    tell("2probe");
    expect("3probe");
    send_text("c");
    turn();
    expect_nothing();
    feed("5");
    send_text("d");
    turn();
    expect("4a");
    expect("4b");
    expect_frame(0x82, "\1\2", 2);
    expect("4c");
    expect("4d");
    expect_upgraded();
}
END_TEST

START_TEST(posts_are_processed_first)
{
    struct page *page;

    probe(polling_session());
    page = polling_begin_post(_i, "4first\x1e"
                                  "4second");
    if (_i == 1) /* it is on its way: on the wire, the client would not know that */
        ws_loop_run(host.loops[0], host.now);
    feed("5");
    feed("4third");
    turn();
    ck_assert_str_eq(polling_answer(page)->body, "ok");
    expect("4first");
    expect("4second");
    expect("4third");
    expect_upgraded();
}
END_TEST

static int admit(ws_handshake *handshake, void *user_data)
{
    (void)handshake;
    (void)user_data;
    return WS_OK;
}

enum { VERY_MANY = 50000, VALUE_BYTES = 100 };

/* Opens a session whose socket has more values of its room to read than its queue accepts. */
static const char *enter_sized(uint32_t n_values, size_t bytes)
{
    uint32_t queue_bytes = n_values * bytes < VERY_MANY * VALUE_BYTES ? 600 : 600000;
    static ws_socketio_options socketio;
    ws_last_values_options keep;
    const char *query;
    static char data[60000];

    host_close(&host);
    polling_options_init(&options, WS_PROTOCOL_SOCKETIO);
    options.endpoint.deflate = 0;
    ws_socketio_options_init(&socketio);
    options.endpoint.socketio = &socketio;
    options.endpoint.accept_handshake = admit;
    options.endpoint.queue_high_bytes = queue_bytes;
    if (queue_bytes > options.endpoint.max_message_bytes)
        options.endpoint.max_message_bytes = queue_bytes;
    host_open(&host, &options);
    ws_last_values_options_init(&keep);
    keep.by_key = 0;
    keep.max_values = n_values;
    keep.max_bytes = 32 << 20;
    ck_assert_int_eq(ws_manager_keep_last_values(host.manager, &keep), WS_OK);
    memset(data, '1', bytes);
    for (uint32_t i = 0; i < n_values; i++)
        ck_assert_int_eq(
            ws_manager_emit_to_room(host.manager, "r", "order_created", data, bytes), WS_OK);
    query = polling_session();
    ck_assert_str_eq(polling_post(0, "40")->body, "ok");
    polling_poll(0);
    ck_assert_str_eq(polling_post(0, "421[\"join_room\",\"r\",{\"state\":true}]")->body, "ok");
    return query;
}

static const char *enter_slowly(uint32_t n_values)
{
    return enter_sized(n_values, VALUE_BYTES);
}

START_TEST(a_post_waits_until_the_client_has_read_what_its_room_keeps)
{
    struct page *post;
    int n_polls = 0;

    enter_slowly(20);
    post = polling_begin_post(_i, "422[\"leave_room\",\"r\"]");
    turn();
    ck_assert_uint_gt(ws_loop_run(host.loops[0], host.now), host.now);
    while (post->http != NULL && !post->ended) {
        struct page *poll = polling_wait(0);

        pass(100);
        ck_assert_int_eq(polling_answer(poll)->status, 200);
        n_polls++;
    }
    ck_assert_int_gt(n_polls, 2);
    ck_assert_str_eq(polling_answer(post)->body, "ok");
}
END_TEST

/* Nothing of a POST is carried out behind the answer that it was not. */
START_TEST(a_post_that_waits_too_long_ends_its_session)
{
    struct page *post;

    enter_slowly(20);
    post = polling_begin_post(_i, "422[\"leave_room\",\"r\"]");
    pass(options.endpoint.handshake_timeout_ms - 100);
    ck_assert_int_eq(polling_answer(post)->status, 0);
    pass(200);
    ck_assert_int_eq(polling_answer(post)->status, 503);
    expect_error(polling_poll(0), 400, 1);
    ck_assert_uint_eq(host.n_disconnects, 1);
}
END_TEST

/* The client does not poll while it waits for its POST, to go on with the upgrade. */
START_TEST(a_post_does_not_wait_if_the_client_wants_to_upgrade)
{
    const char *query = enter_slowly(_i < 2 ? 20 : 3000);
    struct page *post = NULL;

    if (_i % 2 == 0)
        post = polling_begin_post(0, "422[\"leave_room\",\"r\"]");
    turn();
    probe(query);
    if (_i % 2 == 1)
        post = polling_begin_post(0, "422[\"leave_room\",\"r\"]");
    turn();
    ck_assert_str_eq(polling_answer(post)->body, "ok");
}
END_TEST

/* Its second packet waits for the first one's request alone. */
START_TEST(the_packets_of_a_post_do_not_wait_either)
{
    const char *query = enter_slowly(20);
    struct page *post;

    probe(query);
    post = polling_begin_post(0, "422[\"leave_room\",\"r\"]\x1e"
                                 "423[\"leave_room\",\"r\"]");
    turn();
    ck_assert_str_eq(polling_answer(post)->body, "ok");
}
END_TEST

/* A POST waits although the client wants to upgrade: very much waits for the client. */
static struct page *begin_to_move(bool is_large)
{
    const char *query = is_large ? enter_sized(300, 60000) : enter_slowly(VERY_MANY);
    struct page *post = polling_begin_post(0, "422[\"leave_room\",\"r\"]");

    turn();
    probe(query);
    feed("5");
    feed("423[\"leave_room\",\"r\"]");
    turn();
    expect_nothing();
    return post;
}

START_TEST(a_loop_sleeps_while_a_session_is_about_to_move)
{
    struct page *post = begin_to_move(_i == 1);

    ck_assert_uint_gt(ws_loop_run(host.loops[0], host.now), host.now);
    for (int i = 0; post->http != NULL && !post->ended; i++) {
        ck_assert_int_lt(i, 200);
        ck_assert_int_eq(polling_poll(0)->status, 200);
        pass(10); /* the queue is filled again */
    }
    ck_assert_str_eq(polling_answer(post)->body, "ok");
    turn();
    ck_assert(!peer.ended);
    ck_assert_uint_gt(peer.length, peer.read);
    ck_assert_uint_gt(ws_loop_run(host.loops[0], host.now), host.now);
    expect_error(polling_poll(0), 400, 1);
}
END_TEST

/* What the client has sent on its WebSocket is read on, to the end. */
START_TEST(a_session_ends_that_is_about_to_move)
{
    struct page *post = begin_to_move(false);

    if (_i == 0) {
        polling_post(0, "1");
    } else if (_i == 1) {
        ws_websocket_close(peer.websocket, WS_CLOSE_NORMAL, NULL);
    } else {
        ws_websocket_free(peer.websocket);
        peer.websocket = NULL;
    }
    turn();
    ck_assert_int_eq(polling_answer(post)->status, _i == 0 ? 400 : 0);
    if (_i < 2) {
        static const unsigned char close_frame[] = {0x88, 0x80, 0, 0, 0, 0};

        ck_assert_uint_eq(peer.received[peer.read], 0x88);
        ws_websocket_receive(peer.websocket, close_frame, sizeof close_frame);
        turn();
        ck_assert(peer.ended);
    }
    ck_assert_uint_gt(ws_loop_run(host.loops[0], host.now), host.now);
}
END_TEST

START_TEST(a_ping_that_waits_is_answered_on_the_websocket)
{
    const char *query = polling_session();

    pass(10000);
    probe(query);
    tell("5");
    expect("2");
    if (_i == 1) {
        pass(5100);
        ck_assert(peer.ended);
        ck_assert_uint_eq(host.n_disconnects, 1);
        return;
    }
    tell("3");
    pass(5100);
    expect_upgraded();
    pass(5000);
    expect("2");
}
END_TEST

/* The client gives up when ping_interval_ms and pong_timeout_ms have passed without a ping. The
 * session moves before its first one, or behind the pong. */
START_TEST(the_next_ping_comes_as_if_the_session_had_not_moved)
{
    uint64_t since = host.now;
    char query[128];

    strcpy(query, polling_session());
    if (_i == 1) {
        pass(options.endpoint.ping_interval_ms);
        expect_packets(polling_poll(0), "2");
        since = host.now;
        polling_post(0, "3");
    }
    pass(options.endpoint.ping_interval_ms * 6 / 10);
    probe(query);
    tell("5");
    while (peer.read == peer.length && host.now - since < 60000)
        pass(50);
    expect("2");
    ck_assert_uint_le(host.now - since, options.endpoint.ping_interval_ms + 100);
}
END_TEST

START_TEST(the_application_ends_a_session_that_has_moved)
{
    probe(polling_session());
    tell("5");
    ws_manager_disconnect(host.manager, connected, WS_CLOSE_NORMAL, NULL);
    turn();
    expect_frame(0x88, "\x03\xe8", 2);
    ck_assert_uint_eq(host.n_disconnects, 1);
}
END_TEST

START_TEST(the_end_of_the_websocket_is_that_of_a_session_that_has_moved)
{
    probe(polling_session());
    tell("5");
    ws_websocket_free(peer.websocket);
    peer.websocket = NULL;
    turn();
    ck_assert_uint_eq(host.n_disconnects, 1);
}
END_TEST

/* --- probes that fail ------------------------------------------------------------------------ */

static void expect_polling(void)
{
    ck_assert_str_eq(polling_post(0, "4still")->body, "ok");
    ck_assert_ptr_nonnull(strstr(polling_poll(0)->body, "4still"));
    ck_assert_uint_eq(host.n_disconnects, 0);
}

static const char *const wrong[] = {"5", "3probe", "4early", "2", "2probe2"};

START_TEST(a_probe_that_breaks_the_protocol_ends)
{
    ck_assert_int_eq(open_peer(0, polling_session()), 101);
    tell(wrong[_i]);
    ck_assert_uint_eq(peer.received[peer.read], 0x88);
    expect_polling();
}
END_TEST

START_TEST(a_probe_that_breaks_the_protocol_later_ends)
{
    probe(polling_session());
    tell("2probe");
    ck_assert_uint_eq(peer.received[peer.read], 0x88);
    expect_polling();
}
END_TEST

START_TEST(a_probe_has_a_time_limit)
{
    const char *query = polling_session();

    if (_i == 0)
        ck_assert_int_eq(open_peer(0, query), 101);
    else
        probe(query);
    pass(options.endpoint.handshake_timeout_ms + 100);
    ck_assert(peer.ended);
    expect_polling();
}
END_TEST

START_TEST(a_probe_that_vanishes_leaves_polling)
{
    probe(polling_session());
    if (_i == 0) {
        ws_websocket_free(peer.websocket);
        peer.websocket = NULL;
    } else if (_i == 1) {
        ws_websocket_eof(peer.websocket);
    } else {
        ws_websocket_close(peer.websocket, WS_CLOSE_NORMAL, NULL);
    }
    turn();
    expect_polling();
    ck_assert_int_eq(polling_answer(polling_wait(0))->status, 0); /* polls wait again */
}
END_TEST

START_TEST(a_probe_whose_client_reads_nothing_ends)
{
    const unsigned char ping[6 + 125] = {0x89, 0x80 | 125};

    host_close(&host);
    options.endpoint.max_queue_bytes = 4096;
    options.endpoint.queue_high_bytes = 4096;
    host_open(&host, &options);
    ck_assert_int_eq(open_peer(0, polling_session()), 101);
    for (int i = 0; i < 100; i++)
        ws_websocket_receive(peer.websocket, ping, sizeof ping);
    host_turn(&host);
    feed("2probe");
    host_turn(&host);
    ws_websocket_free(peer.websocket);
    peer.websocket = NULL;
    turn();
    expect_polling();
    ck_assert_int_eq(polling_answer(polling_wait(0))->status, 0); /* polls wait again */
}
END_TEST

/* The client gets its WebSocket, and a close that scripts can read. */
static void expect_closed_at_once(const char *query)
{
    static const char reason[] = "\003\352the session that sid names cannot be upgraded here";

    ck_assert_int_eq(open_peer(0, query), 101);
    expect_frame(0x88, reason, sizeof reason - 1);
    tell("2probe");
    expect_nothing();
}

START_TEST(one_probe_at_a_time)
{
    const char *query = polling_session();
    ws_websocket *first;

    ck_assert_int_eq(open_peer(0, query), 101);
    first = peer.websocket;
    peer.websocket = NULL;
    expect_closed_at_once(query);
    ws_websocket_free(first);
    probe(query);
    tell("5");
    expect_upgraded();
    first = peer.websocket;
    peer.websocket = NULL;
    expect_closed_at_once(query);
    ck_assert(!ws_websocket_ended(first));
    ws_websocket_free(first);
    expect_closed_at_once(query); /* its session has ended */
}
END_TEST

START_TEST(a_probe_comes_to_the_loop_of_its_session)
{
    const char *query = polling_session();

    ck_assert_int_eq(open_peer(1, query), 400);
    ck_assert_int_eq(open_peer(0, "&sid=abc"), 400);
    ck_assert_int_eq(open_peer(0, "&sid="), 400);
    expect_polling();
}
END_TEST

START_TEST(a_probe_ends_with_its_session)
{
    probe(polling_session());
    if (_i == 0) {
        polling_post(0, "abc");
    } else if (_i == 1) {
        polling_post(0, "1");
    } else {
        ws_manager_disconnect(host.manager, connected, WS_CLOSE_NORMAL, NULL);
        turn();
        expect_packets(polling_poll(0), "1");
    }
    turn();
    ck_assert_uint_eq(peer.received[peer.read], 0x88);
    tell("5");
    ck_assert_uint_eq(host.n_disconnects, 1);
}
END_TEST

Suite *sse_suite(void)
{
    const int n_wrong = sizeof wrong / sizeof *wrong;
    Suite *suite = suite_create("polling-upgrade");
    TCase *tests = tcase_create("upgrades");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_session_moves);
    tcase_add_test(tests, a_session_that_has_moved_does_not_count_for_its_client);
    tcase_add_loop_test(tests, a_poll_that_waits_is_released, 0, 2);
    tcase_add_test(tests, what_waits_moves_in_order);
    tcase_add_loop_test(tests, posts_are_processed_first, 0, 2);
    tcase_add_loop_test(tests, a_post_waits_until_the_client_has_read_what_its_room_keeps, 0,
                        2);
    tcase_add_loop_test(tests, a_post_that_waits_too_long_ends_its_session, 0, 2);
    tcase_add_loop_test(tests, a_post_does_not_wait_if_the_client_wants_to_upgrade, 0, 4);
    tcase_add_test(tests, the_packets_of_a_post_do_not_wait_either);
    tcase_add_loop_test(tests, a_loop_sleeps_while_a_session_is_about_to_move, 0, 2);
    tcase_add_loop_test(tests, a_session_ends_that_is_about_to_move, 0, 3);
    tcase_add_loop_test(tests, a_ping_that_waits_is_answered_on_the_websocket, 0, 2);
    tcase_add_loop_test(tests, the_next_ping_comes_as_if_the_session_had_not_moved, 0, 2);
    tcase_add_test(tests, the_application_ends_a_session_that_has_moved);
    tcase_add_test(tests, the_end_of_the_websocket_is_that_of_a_session_that_has_moved);
    tcase_add_loop_test(tests, a_probe_that_breaks_the_protocol_ends, 0, n_wrong);
    tcase_add_test(tests, a_probe_that_breaks_the_protocol_later_ends);
    tcase_add_loop_test(tests, a_probe_has_a_time_limit, 0, 2);
    tcase_add_loop_test(tests, a_probe_that_vanishes_leaves_polling, 0, 3);
    tcase_add_test(tests, a_probe_whose_client_reads_nothing_ends);
    tcase_add_test(tests, one_probe_at_a_time);
    tcase_add_test(tests, a_probe_comes_to_the_loop_of_its_session);
    tcase_add_loop_test(tests, a_probe_ends_with_its_session, 0, 3);
    suite_add_tcase(suite, tests);
    return suite;
}
