/* slow_test.c: the application's decisions about clients that do not read. Not here: the limit of a
 * queue itself (queue_limit_test.c). */
#include <string.h>

#include "websocket/host.h"

enum { LIMIT = 8000, PAYLOAD = 900, EVENT_MOST = PAYLOAD + 200 };

static struct host host;
static struct host_options options;
static char payload[PAYLOAD + 1];

/* What on_backpressure and keep_slow_client were called with. */
static unsigned n_high, n_low, n_asked;
static int slow_answer;
static void (*also)(struct peer *peer);

static void on_backpressure(ws_manager *manager, const ws_connection_info *connection,
                            int is_high, void *user_data)
{
    (void)user_data;
    ck_assert_ptr_eq(manager, host.manager);
    ck_assert_uint_ne(connection->id, 0);
    if (is_high)
        n_high++;
    else
        n_low++;
    if (also != NULL)
        also(&host.peers[0]);
}

static int keep_slow_client(ws_manager *manager, const ws_connection_info *connection,
                            void *user_data)
{
    (void)user_data;
    ck_assert_ptr_eq(manager, host.manager);
    ck_assert_uint_ne(connection->id, 0);
    n_asked++;
    return slow_answer;
}

static void setup(void)
{
    host_options_init(&options);
    options.manager.on_backpressure = on_backpressure;
    options.endpoint.protocol = WS_PROTOCOL_JSON;
    options.endpoint.max_queue_bytes = LIMIT;
    options.endpoint.deflate = 0;
    n_high = n_low = n_asked = 0;
    also = NULL;
    memset(payload, 'p', PAYLOAD);
    payload[0] = payload[PAYLOAD - 1] = '"';
}

static void teardown(void)
{
    host_close(&host);
}

static void emit(unsigned times)
{
    while (times-- > 0) {
        ck_assert_int_eq(ws_manager_emit_order_created(host.manager, payload, PAYLOAD), WS_OK);
        host_turn(&host);
    }
}

static size_t count_events(struct peer *peer)
{
    struct frame frame;
    size_t n = 0;

    while (peer_next(peer, &frame)) {
        ck_assert_uint_eq(frame.opcode, TEXT);
        n++;
    }
    return n;
}

START_TEST(on_backpressure_is_called_once_above_and_once_below_the_marks)
{
    struct peer *peer;

    options.endpoint.queue_high_bytes = 3 * EVENT_MOST;
    options.endpoint.queue_low_bytes = EVENT_MOST;
    host_open(&host, &options);
    peer = host_client(&host);
    peer->writable = 0;
    emit(2);
    ck_assert_uint_eq(n_high, 0);
    emit(4);
    ck_assert_uint_eq(n_high, 1);
    peer->writable = 2 * PAYLOAD;
    peer_write(peer);
    ck_assert_uint_eq(n_low, 0);
    peer->writable = SIZE_MAX;
    peer_write(peer);
    ck_assert_uint_eq(n_low, 1);
    ck_assert_uint_eq(count_events(peer), 6);
    peer->writable = 0;
    emit(6);
    ck_assert_uint_eq(n_high, 2);
    peer->writable = SIZE_MAX;
}
END_TEST

/* Sends a frame of so many bytes, its header included: 130 to LIMIT. */
static void send_frame(struct peer *peer, size_t bytes)
{
    static char text[LIMIT];

    memset(text, 't', sizeof text);
    ck_assert_int_eq(
        ws_manager_send_text(host.manager, ws_websocket_id(peer->websocket), text, bytes - 4),
        WS_OK);
    host_turn(&host);
}

START_TEST(the_default_marks_are_a_half_and_an_eighth_of_the_limit)
{
    struct peer *peer;

    host_open(&host, &options);
    peer = host_client(&host);
    peer->writable = 0;
    /* Each frame is counted with some hundred bytes of overhead. */
    send_frame(peer, LIMIT / 2 - 200);
    ck_assert_uint_eq(n_high, 0);
    send_frame(peer, 130);
    ck_assert_uint_eq(n_high, 1);
    send_frame(peer, LIMIT / 8 - 200);
    peer->writable = LIMIT / 2 - 200;
    peer_write(peer);
    ck_assert_uint_eq(n_low, 0);
    peer->writable = 130;
    peer_write(peer);
    ck_assert_uint_eq(n_low, 1);
    peer->writable = SIZE_MAX;
}
END_TEST

START_TEST(each_mark_has_its_own_default)
{
    ws_endpoint *endpoint;

    host_open(&host, &options);
    options.endpoint.queue_low_bytes = LIMIT / 2;
    ck_assert_int_eq(ws_endpoint_new(host.manager, &options.endpoint, &endpoint), WS_OK);
    ws_endpoint_free(endpoint);
    options.endpoint.queue_low_bytes = LIMIT / 2 + 1;
    ck_assert_int_eq(ws_endpoint_new(host.manager, &options.endpoint, &endpoint),
                     WS_ERR_INVALID);
}
END_TEST

static void free_peer(struct peer *peer)
{
    peer_free(peer);
}

START_TEST(the_application_may_free_the_client_when_its_queue_grows)
{
    struct peer *peer;

    host_open(&host, &options);
    peer = host_client(&host);
    peer->writable = 0;
    also = free_peer;
    emit(8);
    ck_assert_uint_eq(n_high, 1);
    ck_assert_ptr_null(peer->websocket);
}
END_TEST

static bool is_falling;

static void free_when_falling(struct peer *peer)
{
    if (is_falling)
        peer_free(peer);
}

START_TEST(the_application_may_free_the_client_when_its_queue_shrinks)
{
    struct iovec iov[64];
    struct peer *peer;
    size_t n = 0;

    host_open(&host, &options);
    peer = host_client(&host);
    peer->writable = 0;
    also = free_when_falling;
    is_falling = false;
    emit(6);
    is_falling = true;
    for (int count = ws_websocket_output(peer->websocket, iov, 64), i = 0; i < count; i++)
        n += iov[i].iov_len;
    ck_assert_int_eq(ws_websocket_sent(peer->websocket, n), WS_ERR_CLOSED);
    ck_assert_uint_eq(n_low, 1);
    ck_assert_ptr_null(peer->websocket);
}
END_TEST

/* A slow client that stays connected: it receives what its queue had room for, and later
 * messages. */
static void expect_dropped(void)
{
    struct peer *peer = host_client(&host);
    size_t n;

    peer->writable = 0;
    emit(100);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 0);
    peer->writable = SIZE_MAX;
    peer_write(peer);
    n = count_events(peer);
    ck_assert_uint_ge(n, LIMIT / EVENT_MOST);
    ck_assert_uint_le(n, LIMIT / PAYLOAD + 1);
    emit(1);
    ck_assert_uint_eq(count_events(peer), 1);
}

START_TEST(messages_may_be_dropped_instead)
{
    options.manager.slow_policy = WS_SLOW_DROP;
    host_open(&host, &options);
    expect_dropped();
}
END_TEST

START_TEST(the_application_decides_for_each_message)
{
    options.manager.keep_slow_client = keep_slow_client;
    host_open(&host, &options);
    slow_answer = WS_OK;
    expect_dropped();
    ck_assert_uint_ge(n_asked, 80);
    slow_answer = WS_ERR_FORBIDDEN;
    host.peers[0].writable = 0;
    emit(100);
    ck_assert_uint_eq(host.code, 1013);
    host.peers[0].writable = SIZE_MAX;
}
END_TEST

/* A client that does not read for a while has room for some events. */
static void expect_room_for(struct peer *peer)
{
    peer->writable = 0;
    emit(4);
    peer->writable = SIZE_MAX;
    peer_write(peer);
    ck_assert_uint_eq(count_events(peer), 4);
}

/* Of two clients that do not read, neither exceeds its own limit, but together they exceed the
 * loop's. */
START_TEST(all_queues_of_a_loop_together_have_a_limit)
{
    struct peer *slow[2];
    struct peer *quick;

    options.endpoint.max_loop_queue_bytes = LIMIT;
    host_open(&host, &options);
    slow[0] = host_client(&host);
    slow[1] = host_client(&host);
    quick = host_client(&host);
    slow[0]->writable = 0;
    slow[1]->writable = 0;
    emit(6);
    ck_assert_uint_eq(host.code, 1013);
    ck_assert_uint_eq(count_events(quick), 6);
    slow[0]->writable = SIZE_MAX;
    slow[1]->writable = SIZE_MAX;
    peer_write(slow[0]);
    peer_write(slow[1]);
    emit(20);
    ck_assert_uint_eq(count_events(quick), 20);
    expect_room_for(quick); /* what was written or dropped is no longer counted */
    ck_assert_uint_le(host.called[HOST_DISCONNECT], 2);
}
END_TEST

START_TEST(the_queue_of_a_freed_client_is_not_counted)
{
    struct peer *slow;
    struct peer *quick;

    options.endpoint.max_loop_queue_bytes = LIMIT;
    host_open(&host, &options);
    slow = host_client(&host);
    quick = host_client(&host);
    slow->writable = 0;
    emit(6);
    peer_free(slow);
    ck_assert_uint_eq(count_events(quick), 6);
    expect_room_for(quick);
}
END_TEST

/* Two clients that read nothing, and stay just below the limit, do not cost a client that reads its
 * place: more than one message may wait for it at the limit. */
START_TEST(a_client_that_reads_has_its_share)
{
    struct peer *slow[2];
    struct peer *quick;

    options.endpoint.max_loop_queue_bytes = LIMIT;
    options.endpoint.max_queue_bytes = LIMIT;
    host_open(&host, &options);
    quick = host_client(&host);
    for (int i = 0; i < 2; i++) {
        slow[i] = host_client(&host);
        slow[i]->writable = 0;
        send_frame(slow[i], LIMIT / 2);
    }
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(
            ws_manager_send_text(host.manager, ws_websocket_id(quick->websocket), "x", 1),
            WS_OK);
    host_turn(&host);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 0);
    for (int i = 0; i < 3; i++)
        peer_expect(quick, TEXT, "x", 1);
    send_frame(slow[0], 100);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 1);
}
END_TEST

/* The answer to the handshake fits, although the queues of the loop are full, and is more than the
 * client's share. */
START_TEST(no_welcome_is_dropped)
{
    enum { SLOW = 30 };
    struct peer *peer;

    options.manager.keep_slow_client = keep_slow_client;
    options.endpoint.max_loop_queue_bytes = LIMIT / 2;
    slow_answer = WS_OK;
    host_open(&host, &options);
    for (int i = 0; i < SLOW; i++)
        host_client(&host);
    for (int i = 0; i < SLOW; i++) {
        host.peers[i].writable = 0;
        send_frame(&host.peers[i], 200);
    }
    peer = host_request(&host, "");
    ck_assert_uint_eq(n_asked, 0);
    ck_assert_int_eq(peer_head(peer), 101);
    peer_expect_close(peer, 1013);
    ck_assert_uint_eq(host.called[HOST_CONNECT], SLOW + 1);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 1);
}
END_TEST

static size_t count_pongs(struct peer *peer)
{
    struct frame frame;
    size_t n = 0;

    peer->writable = SIZE_MAX;
    peer_write(peer);
    while (peer_next(peer, &frame))
        n += frame.opcode == PONG;
    return n;
}

/* No queue reaches its own limit: without the limit of all queues, each would have 20 pongs. */
START_TEST(pongs_stay_within_the_limit_of_all_queues)
{
    enum { PEERS = 10, PINGS = 20 };
    size_t n = 0;

    options.endpoint.max_loop_queue_bytes = LIMIT;
    host_open(&host, &options);
    for (int i = 0; i < PEERS; i++)
        host_client(&host)->writable = 0;
    for (int i = 0; i < PINGS; i++)
        for (size_t at = 0; at < PEERS; at++)
            peer_send_frame(&host.peers[at], FIN | PING, payload, 100);
    for (size_t at = 0; at < PEERS; at++)
        n += count_pongs(&host.peers[at]);
    ck_assert_uint_ge(n, PEERS);
    ck_assert_uint_le(n, LIMIT / 100 + PEERS);
    /* When everything has been read, each client gets its pong again. */
    peer_send_frame(&host.peers[0], FIN | PING, NULL, 0);
    peer_expect(&host.peers[0], PONG, NULL, 0);
}
END_TEST

/* --- what rooms keep ---------------------------------------------------------------------- */

enum { N_VALUES = 40 };

/* The client's socket is full, and its room has more values than its queue accepts. */
static struct peer *enter_slowly(const char *text)
{
    struct bytes frames = {0};
    ws_last_values_options keep;
    struct peer *peer;

    options.endpoint.queue_high_bytes = 3 * EVENT_MOST;
    host_open(&host, &options);
    ws_last_values_options_init(&keep);
    keep.by_key = 0;
    ck_assert_int_eq(ws_manager_keep_last_values(host.manager, &keep), WS_OK);
    for (int i = 0; i < N_VALUES; i++)
        ck_assert_int_eq(
            ws_manager_emit_to_room(host.manager, "r", "order_created", payload, PAYLOAD),
            WS_OK);
    peer = host_client(&host);
    host_turn(&host);
    peer->writable = 0;
    client_text(&frames, FIN | TEXT, "{\"type\":\"join_room\",\"room\":\"r\",\"state\":true}");
    client_text(&frames, FIN | TEXT, text);
    client_frame(&frames, FIN | PING, "p", 1);
    peer_send(peer, &frames);
    host_turn(&host);
    bytes_free(&frames);
    return peer;
}

/* Its messages are processed when it has read, and until then cost the loop nothing. */
START_TEST(messages_wait_until_the_client_has_read_what_its_room_keeps)
{
    struct peer *peer = enter_slowly("{\"type\":\"ping\"}");
    struct frame frame;
    int n = 0;

    ck_assert_uint_gt(ws_loop_run(host.loop, host.now), host.now);
    peer->writable = SIZE_MAX;
    peer_write(peer);
    do {
        host.n_wakes = 0;
        host_turn(&host);
    } while (host.n_wakes > 0);
    while (peer_next(peer, &frame) && frame.opcode == TEXT)
        n++;
    ck_assert_int_eq(n, 1 + N_VALUES); /* room_joined */
    ck_assert_uint_eq(frame.opcode, PONG);
    peer_expect_type(peer, "pong");
}
END_TEST

/* So much more that the host stops reading from it. */
static struct peer *enter_and_fill(void)
{
    static const char much[16384];
    struct bytes frames = {0};
    struct peer *peer;

    options.endpoint.ping_interval_ms = 10000;
    options.endpoint.pong_timeout_ms = 2000;
    peer = enter_slowly("{\"type\":\"ping\"}");
    client_frame(&frames, FIN | BINARY, much, sizeof much);
    peer_send(peer, &frames);
    bytes_free(&frames);
    host_turn(&host);
    ck_assert_int_eq(ws_websocket_wants_read(peer->websocket), 0);
    return peer;
}

/* Its pong could be among the bytes that were not read, but it has to read first. */
START_TEST(a_client_that_reads_nothing_while_its_messages_wait_dies)
{
    const struct peer *peer = enter_and_fill();

    host_pass(&host, 10100);
    ck_assert(!peer->ended);
    host_pass(&host, 2100);
    ck_assert(peer->ended);
}
END_TEST

START_TEST(a_client_that_reads_slowly_while_its_messages_wait_is_alive)
{
    enum { SECONDS = 30 };
    struct peer *peer = enter_and_fill();

    for (int i = 0; i < SECONDS; i++) {
        host_pass(&host, 1000);
        ck_assert(!peer->ended);
        peer->writable += N_VALUES * (size_t)PAYLOAD / (2 * SECONDS);
        peer_write(peer);
    }
    ck_assert_int_eq(ws_websocket_wants_read(peer->websocket), 0);
    for (int i = 0; i < 3; i++) /* it has read during the first deadline */
        host_pass(&host, 2100);
    ck_assert(peer->ended);
}
END_TEST

START_TEST(a_client_that_ends_while_its_messages_wait)
{
    struct peer *peer = enter_slowly("{\"type\":\"ping\"}");

    if (_i == 0)
        ws_manager_disconnect(host.manager, ws_websocket_id(peer->websocket), 1000, "");
    else if (_i == 1)
        ws_websocket_eof(peer->websocket);
    host_turn(&host);
    peer_free(peer);
    host_turn(&host);
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("websocket-slow");
    TCase *tests = tcase_create("slow");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, on_backpressure_is_called_once_above_and_once_below_the_marks);
    tcase_add_test(tests, the_default_marks_are_a_half_and_an_eighth_of_the_limit);
    tcase_add_test(tests, each_mark_has_its_own_default);
    tcase_add_test(tests, the_application_may_free_the_client_when_its_queue_grows);
    tcase_add_test(tests, the_application_may_free_the_client_when_its_queue_shrinks);
    tcase_add_test(tests, messages_may_be_dropped_instead);
    tcase_add_test(tests, the_application_decides_for_each_message);
    tcase_add_test(tests, all_queues_of_a_loop_together_have_a_limit);
    tcase_add_test(tests, the_queue_of_a_freed_client_is_not_counted);
    tcase_add_test(tests, a_client_that_reads_has_its_share);
    tcase_add_test(tests, no_welcome_is_dropped);
    tcase_add_test(tests, pongs_stay_within_the_limit_of_all_queues);
    tcase_add_test(tests, messages_wait_until_the_client_has_read_what_its_room_keeps);
    tcase_add_test(tests, a_client_that_reads_nothing_while_its_messages_wait_dies);
    tcase_add_test(tests, a_client_that_reads_slowly_while_its_messages_wait_is_alive);
    tcase_add_loop_test(tests, a_client_that_ends_while_its_messages_wait, 0, 3);
    suite_add_tcase(suite, tests);
    return suite;
}
