/* life_test.c: a connection's life and its end: freed, closed, and the end of its stream, in every
 * state. Not here: the same within its own callbacks (callbacks_test.c). */
#include <string.h>

#include "websocket/host.h"

static struct host host;

static void open_host(int32_t protocol)
{
    struct host_options options;

    host_options_init(&options);
    options.endpoint.protocol = protocol;
    options.manager.presence_events = WS_PRESENCE_EVERYONE;
    host_open(&host, &options);
}

static void setup(void)
{
    open_host(WS_PROTOCOL_RAW);
}

static void teardown(void)
{
    host_close(&host);
}

static struct peer *half_a_head(void)
{
    struct peer *peer = host_peer(&host);

    peer_send_text(peer, "GET /ws HTTP/1.1\r\nHost: ");
    return peer;
}

static struct peer *in_a_frame(void)
{
    struct peer *peer = host_client(&host);

    peer_feed(peer, "\x81\x85\1\2\3\4ab", 8, WHOLE);
    return peer;
}

static struct peer *in_a_message(void)
{
    struct peer *peer = host_client(&host);

    peer_send_frame(peer, TEXT, "half", 4);
    return peer;
}

static struct peer *with_output(void)
{
    struct peer *peer = host_client(&host);

    peer->writable = 7;
    peer_send_frame(peer, FIN | TEXT, "hello there", 11);
    peer_send_frame(peer, FIN | PING, "hello there", 11);
    return peer;
}

static struct peer *closing(void)
{
    struct peer *peer = host_client(&host);

    ws_websocket_close(peer->websocket, 1000, NULL);
    host_turn(&host);
    return peer;
}

static struct peer *failed(void)
{
    struct peer *peer = host_client(&host);

    peer_send_frame(peer, FIN | 3, "", 0);
    return peer;
}

static struct peer *ended(void)
{
    struct peer *peer = host_client(&host);

    peer_send_close(peer, 1000, "");
    ck_assert(peer->ended);
    return peer;
}

static struct peer *refused(void)
{
    struct peer *peer = host_peer(&host);

    peer_send_text(peer, "POST / HTTP/1.1\r\n\r\n");
    ck_assert(peer->ended);
    return peer;
}

static struct peer *silent(void)
{
    return host_peer(&host);
}

static struct peer *newcomer(void)
{
    return host_newcomer(&host);
}

static struct peer *idle(void)
{
    return host_client(&host);
}

static const struct {
    struct peer *(*make)(void);
    unsigned connects;    /* calls of on_connect until then and until the end */
    unsigned disconnects; /* calls of on_disconnect until then and until the end */
    uint16_t code;        /* passed to on_disconnect when the stream ends */
    int close;            /* what ws_websocket_close() returns */
} states[] = {
    {silent, 0, 0, 0, WS_OK},
    {half_a_head, 0, 0, 0, WS_OK},
    {newcomer, 1, 1, 1006, WS_OK},
    {idle, 1, 1, 1006, WS_OK},
    {in_a_frame, 1, 1, 1006, WS_OK},
    {in_a_message, 1, 1, 1006, WS_OK},
    {with_output, 1, 1, 1006, WS_OK},
    {closing, 1, 1, 1000, WS_ERR_CLOSED},
    {failed, 1, 1, 1002, WS_ERR_CLOSED},
    {ended, 1, 1, 1000, WS_ERR_CLOSED},
    {refused, 0, 0, 0, WS_ERR_CLOSED},
};

enum { N_STATES = sizeof states / sizeof *states };

static void expect_calls(unsigned connects, unsigned disconnects)
{
    ck_assert_uint_eq(host.called[HOST_CONNECT], connects);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], disconnects);
}

START_TEST(freed_in_any_state)
{
    struct peer *peer = states[_i].make();
    const bool known = host.called[HOST_CONNECT] > 0;

    peer_free(peer);
    expect_calls(known, known);
    if (known)
        ck_assert_uint_eq(host.code, states[_i].code);
    host_turn(&host);
    host_pass(&host, 100000);
    expect_calls(known, known);
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 0);
}
END_TEST

START_TEST(the_stream_ends_in_any_state)
{
    struct peer *peer = states[_i].make();

    ws_websocket_eof(peer->websocket);
    host_turn(&host);
    expect_calls(states[_i].connects, states[_i].disconnects);
    ck_assert_uint_eq(host.code, states[_i].code);
    ck_assert_uint_eq(ws_websocket_id(peer->websocket), 0);
    if (states[_i].make == with_output) { /* which its socket may still accept */
        ck_assert(!ws_websocket_ended(peer->websocket));
        peer->writable = SIZE_MAX;
        peer_write(peer);
    }
    ck_assert(peer->ended);
    ck_assert_int_eq(ws_websocket_receive(peer->websocket, "x", 1), WS_ERR_CLOSED);
    ws_websocket_eof(peer->websocket);
    host_pass(&host, 100000);
    expect_calls(states[_i].connects, states[_i].disconnects);
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 0);
}
END_TEST

/* A client that closed only its sending side may still read: its requests are answered. */
START_TEST(input_before_the_end_of_the_stream_is_handled)
{
    struct peer *peer;
    struct bytes frames = {0};

    host_close(&host);
    open_host(WS_PROTOCOL_JSON);
    peer = host_client(&host);
    client_text(&frames, FIN | TEXT, "{\"type\":\"ping\"}");
    client_text(&frames, FIN | TEXT, "{\"type\":\"message\"}");
    peer_feed(peer, frames.data, frames.length, WHOLE);
    ws_websocket_eof(peer->websocket);
    ck_assert(!ws_websocket_ended(peer->websocket));
    host_turn(&host);
    bytes_free(&frames);
    peer_expect_type(peer, "pong");
    peer_expect_nothing(peer); /* no close frame: the peer did not close */
    ck_assert_uint_eq(host.called[HOST_MESSAGE], 1);
    ck_assert_uint_eq(host.code, 1006);
    ck_assert(peer->ended);
}
END_TEST

START_TEST(closed_in_any_state)
{
    struct peer *peer = states[_i].make();
    const bool known = host.called[HOST_CONNECT] > 0;

    ck_assert_int_eq(ws_websocket_close(peer->websocket, 4000, "r"), states[_i].close);
    ck_assert_int_eq(ws_websocket_close(peer->websocket, 4000, "r"), WS_ERR_CLOSED);
    host_turn(&host);
    /* A new client leaves before any other was notified of it. */
    expect_calls(known, known);
    if (states[_i].disconnects > 0 && known)
        ck_assert_uint_eq(host.code, states[_i].close == WS_OK ? 4000 : states[_i].code);
    ck_assert_uint_eq(ws_websocket_id(peer->websocket), 0);
    if (states[_i].make == silent || states[_i].make == half_a_head)
        ck_assert(peer->ended);
    host_pass(&host, 100000);
    ck_assert(peer->ended);
    expect_calls(known, known);
}
END_TEST

/* --- ownership ----------------------------------------------------------------------------- */

START_TEST(the_endpoint_lives_as_long_as_its_connections)
{
    struct peer *peer = half_a_head();
    struct peer *open = host_client(&host);

    ws_endpoint_free(host.endpoint);
    host.endpoint = NULL;
    peer_send_text(peer, "a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Key: " CLIENT_KEY "\r\n"
                         "Sec-WebSocket-Version: 13\r\n\r\n");
    ck_assert_int_eq(peer_head(peer), 101);
    peer_send_frame(open, FIN | TEXT, "still here", 10);
    peer_expect_text(open, "still here");
}
END_TEST

START_TEST(ids_and_user_data)
{
    struct peer *one = host_client(&host);
    struct peer *two = host_client(&host);
    const ws_conn_id id = ws_websocket_id(one->websocket);
    void *user_data = NULL;

    ck_assert_ptr_eq(ws_websocket_user_data(one->websocket), one);
    ck_assert_uint_ne(id, 0);
    ck_assert_uint_ne(id, ws_websocket_id(two->websocket));
    ck_assert_int_eq(ws_manager_get_user_data(host.manager, id, &user_data), WS_OK);
    ck_assert_ptr_eq(user_data, one);
    peer_free(one);
    ck_assert_int_eq(ws_manager_get_user_data(host.manager, id, &user_data), WS_ERR_NOT_FOUND);
    ck_assert_int_eq(ws_manager_send_text(host.manager, id, "x", 1), WS_ERR_NOT_FOUND);
    one = host_client(&host); /* in the same slot */
    ck_assert_uint_ne(ws_websocket_id(one->websocket), id);
    ck_assert_int_eq(ws_manager_send_text(host.manager, id, "x", 1), WS_ERR_NOT_FOUND);
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("websocket-life");
    TCase *tests = tcase_create("life");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, freed_in_any_state, 0, N_STATES);
    tcase_add_loop_test(tests, the_stream_ends_in_any_state, 0, N_STATES);
    tcase_add_test(tests, input_before_the_end_of_the_stream_is_handled);
    tcase_add_loop_test(tests, closed_in_any_state, 0, N_STATES);
    tcase_add_test(tests, the_endpoint_lives_as_long_as_its_connections);
    tcase_add_test(tests, ids_and_user_data);
    suite_add_tcase(suite, tests);
    return suite;
}
