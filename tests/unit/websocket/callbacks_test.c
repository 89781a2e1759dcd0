/* callbacks_test.c: a connection that is freed, closed or ended by its peer within its own
 * callbacks, from every state. */
#include <string.h>

#include "support/drain.h"
#include "websocket/host.h"

static struct host host;

/* Whom the next line of the log frees. */
static struct peer *freed_by_log;

static void log_line(int level, const char *line, void *user_data)
{
    struct peer *peer = freed_by_log;

    (void)level;
    (void)line;
    (void)user_data;
    freed_by_log = NULL;
    if (peer != NULL)
        peer_free(peer);
}

static void open_host(int32_t protocol)
{
    struct host_options options;

    host_options_init(&options);
    options.endpoint.protocol = protocol;
    options.endpoint.ping_interval_ms = 10000;
    options.endpoint.pong_timeout_ms = 1000;
    options.endpoint.max_queue_bytes = 1000;
    options.manager.log = log_line;
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

static void expect_calls(unsigned connects, unsigned disconnects)
{
    ck_assert_uint_eq(host.called[HOST_CONNECT], connects);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], disconnects);
}

/* --- accept_handshake ---------------------------------------------------------------------- */

static int free_in_judge(struct host *of, struct peer *peer, ws_handshake *handshake)
{
    (void)of;
    peer_free(peer);
    ck_assert_str_eq(ws_handshake_path(handshake), "/ws"); /* valid during the call */
    return WS_OK;
}

static int refuse_and_free(struct host *of, struct peer *peer, ws_handshake *handshake)
{
    (void)of;
    ws_handshake_refuse(handshake, 401, "no");
    peer_free(peer);
    return WS_ERR_FORBIDDEN;
}

/* With frames after the head, which no connection will receive. */
static void expect_freed_in_handshake(int (*judge)(struct host *, struct peer *,
                                                   ws_handshake *))
{
    struct peer *peer = host_peer(&host);
    struct bytes bytes = {0};

    host.judge = judge;
    client_request(&bytes, "/ws", "Origin: a\r\n");
    client_text(&bytes, FIN | TEXT, "x");
    ck_assert_int_eq(peer_send(peer, &bytes), WS_ERR_CLOSED);
    bytes_free(&bytes);
    ck_assert_uint_eq(peer->received.length, 0);
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 0);
    expect_calls(0, 0);
}

START_TEST(freed_in_accept_handshake)
{
    expect_freed_in_handshake(free_in_judge);
    expect_freed_in_handshake(refuse_and_free);
}
END_TEST

static int feed_in_judge(struct host *of, struct peer *peer, ws_handshake *handshake)
{
    struct bytes request = {0};

    (void)of;
    (void)handshake;
    client_request(&request, "/ws", "");
    ck_assert_int_eq(ws_websocket_receive(peer->websocket, request.data, request.length),
                     WS_OK);
    bytes_free(&request);
    ck_assert_int_eq(ws_websocket_upgrade(peer->websocket, "GET", 1, 1, "/ws", NULL, 0),
                     WS_ERR_INVALID);
    return WS_OK;
}

START_TEST(fed_in_accept_handshake)
{
    struct peer *peer;

    host.judge = feed_in_judge;
    peer = host_newcomer(&host);
    host_turn(&host);
    ck_assert_int_eq(peer_head(peer), 101);
    peer_expect_nothing(peer);
    expect_calls(1, 0);
}
END_TEST

static int refuse_in_judge(struct host *of, struct peer *peer, ws_handshake *handshake)
{
    (void)of;
    (void)peer;
    ws_handshake_refuse(handshake, 401, "no");
    return WS_ERR_FORBIDDEN;
}

/* Refused by HTTP and by a close code, not readable, and too late. */
START_TEST(freed_in_log)
{
    static const char *const heads[] = {"GET /ws HTTP/1.1\r\n\r\n", "bad\r\n\r\n", "GET /ws"};
    struct bytes request = {0};

    host.judge = refuse_in_judge;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        freed_by_log = host_peer(&host);
        peer_feed(freed_by_log, heads[i], strlen(heads[i]), WHOLE);
        host_turn(&host);
        host_pass(&host, 20000);
        ck_assert_ptr_null(freed_by_log);
    }
    for (int is_browser = 0; is_browser < 2; is_browser++) {
        freed_by_log = host_peer(&host);
        client_request(&request, "/ws", is_browser ? "Origin: a\r\n" : "");
        peer_feed(freed_by_log, request.data, request.length, WHOLE);
        bytes_free(&request);
        request = (struct bytes){0};
        ck_assert_ptr_null(freed_by_log);
    }
    expect_calls(0, 0);
}
END_TEST

static int close_in_judge(struct host *of, struct peer *peer, ws_handshake *handshake)
{
    (void)of;
    (void)handshake;
    ck_assert_int_eq(ws_websocket_close(peer->websocket, 1000, NULL), WS_OK);
    return WS_OK;
}

static int eof_in_judge(struct host *of, struct peer *peer, ws_handshake *handshake)
{
    (void)of;
    (void)handshake;
    ws_websocket_eof(peer->websocket);
    return WS_OK;
}

START_TEST(ended_in_accept_handshake)
{
    for (int i = 0; i < 2; i++) {
        struct peer *peer;

        host.judge = i == 0 ? close_in_judge : eof_in_judge;
        peer = host_newcomer(&host);
        host_turn(&host);
        ck_assert(peer->ended);
        ck_assert_uint_eq(peer->received.length, 0);
        expect_calls(0, 0);
    }
}
END_TEST

/* --- the manager's callbacks --------------------------------------------------------------- */

static enum host_callback free_in;

static void free_peer(struct host *of, enum host_callback callback, struct peer *peer,
                      ws_conn_id id)
{
    (void)of;
    (void)id;
    if (callback == free_in && peer->websocket != NULL)
        peer_free(peer);
}

START_TEST(freed_in_on_connect)
{
    for (int32_t protocol = WS_PROTOCOL_JSON; protocol <= WS_PROTOCOL_RAW; protocol++) {
        struct peer *peer;

        host_close(&host);
        open_host(protocol);
        host.hook = free_peer;
        free_in = HOST_CONNECT;
        peer = host_newcomer(&host);
        host_turn(&host);
        ck_assert_ptr_null(peer->websocket);
        expect_calls(1, 1);
        ck_assert_uint_eq(host.code, 1006);
    }
}
END_TEST

/* The rest of the bytes that came with the message is dropped. */
START_TEST(freed_in_on_raw_and_on_message)
{
    for (int32_t protocol = WS_PROTOCOL_JSON; protocol <= WS_PROTOCOL_RAW; protocol++) {
        struct peer *peer;
        struct bytes frames = {0};

        host_close(&host);
        open_host(protocol);
        host.hook = free_peer;
        free_in = protocol == WS_PROTOCOL_RAW ? HOST_RAW : HOST_MESSAGE;
        peer = host_client(&host);
        client_text(&frames, FIN | TEXT, "{\"type\":\"message\",\"data\":1}");
        client_text(&frames, FIN | TEXT, "{\"type\":\"message\",\"data\":2}");
        client_text(&frames, TEXT, "half");
        peer_send(peer, &frames);
        bytes_free(&frames);
        ck_assert_ptr_null(peer->websocket);
        ck_assert_uint_eq(host.called[free_in], 1);
        expect_calls(1, 1);
    }
}
END_TEST

/* --- on_disconnect ------------------------------------------------------------------------- */

static void end_by_client(struct peer *peer)
{
    peer_send_close(peer, 1000, "");
}

static void end_by_server(struct peer *peer)
{
    ck_assert_int_eq(ws_websocket_close(peer->websocket, 1000, NULL), WS_OK);
}

static void end_by_manager(struct peer *peer)
{
    ws_manager_disconnect(host.manager, ws_websocket_id(peer->websocket), 1000, "");
    host_turn(&host);
}

static void end_by_drain(struct peer *peer)
{
    (void)peer;
    drain_with(host.manager, 1001, NULL);
    host_turn(&host);
}

static void end_by_error(struct peer *peer)
{
    peer_send_frame(peer, FIN | 3, "x", 1);
}

static void end_by_broken_header(struct peer *peer)
{
    peer_send_frame(peer, PING, "x", 1);
}

static void end_by_eof(struct peer *peer)
{
    ws_websocket_eof(peer->websocket);
    host_turn(&host);
}

static void end_by_silence(struct peer *peer)
{
    (void)peer;
    host_pass(&host, 10050);
    host_pass(&host, 1050);
}

static void end_by_slowness(struct peer *peer)
{
    static const char much[900];

    peer->writable = 0;
    for (int i = 0; i < 4 && peer->websocket != NULL; i++) {
        ws_manager_send_binary(host.manager, ws_websocket_id(peer->websocket), much,
                               sizeof much);
        host_turn(&host);
    }
}

static void (*const ends[])(struct peer *peer) = {
    end_by_client, end_by_server,        end_by_manager, end_by_drain,    end_by_error,
    end_by_eof,    end_by_broken_header, end_by_silence, end_by_slowness,
};

enum { N_ENDS = sizeof ends / sizeof *ends };

START_TEST(freed_in_on_disconnect)
{
    struct peer *peer = host_client(&host);
    struct peer *other = host_client(&host);

    host.hook = free_peer;
    free_in = HOST_DISCONNECT;
    peer_send_frame(other, FIN | PONG, "", 0);
    ends[_i](peer);
    host_turn(&host);
    ck_assert_ptr_null(peer->websocket);
    ck_assert_uint_ge(host.called[HOST_DISCONNECT], 1);
    peer_free(other);
    expect_calls(2, 2);
}
END_TEST

static void end_again(struct host *of, enum host_callback callback, struct peer *peer,
                      ws_conn_id id)
{
    if (callback != HOST_DISCONNECT || peer->websocket == NULL)
        return;
    ck_assert_int_eq(ws_manager_disconnect(of->manager, id, 1000, NULL), WS_ERR_NOT_FOUND);
    ws_websocket_close(peer->websocket, 4999, "again");
    ws_websocket_eof(peer->websocket);
}

START_TEST(ended_again_in_on_disconnect)
{
    struct peer *peer = host_client(&host);

    host.hook = end_again;
    ends[_i](peer);
    host_turn(&host);
    expect_calls(1, 1);
    ck_assert_uint_ne(host.code, 4999);
    peer->writable = SIZE_MAX;
    if (!peer->ended)
        peer_write(peer);
    host_turn(&host);
    host_pass(&host, 10000);
    ck_assert(peer->ended);
    expect_calls(1, 1);
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("websocket-callbacks");
    TCase *tests = tcase_create("callbacks");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, freed_in_accept_handshake);
    tcase_add_test(tests, fed_in_accept_handshake);
    tcase_add_test(tests, freed_in_log);
    tcase_add_test(tests, ended_in_accept_handshake);
    tcase_add_test(tests, freed_in_on_connect);
    tcase_add_test(tests, freed_in_on_raw_and_on_message);
    tcase_add_loop_test(tests, freed_in_on_disconnect, 0, N_ENDS);
    tcase_add_loop_test(tests, ended_again_in_on_disconnect, 0, N_ENDS);
    suite_add_tcase(suite, tests);
    return suite;
}
