/* socketio_connect_test.c: how a client of Socket.IO opens a session and connects sockets, how it
 * is refused, and how sessions and sockets end. */
#include <stdio.h>
#include <string.h>

#include "transport/engineio/unconnected.h"
#include "websocket/socketio_host.h"

static unsigned n_judged;
static char judged[512];
static int judge_result;

static int judge(struct host *of, struct peer *peer, ws_handshake *handshake)
{
    const char *header = ws_handshake_header(handshake, "X-Test");

    (void)of;
    (void)peer;
    n_judged++;
    snprintf(judged, sizeof judged, "%s %s %s %s %s", ws_handshake_namespace(handshake),
             ws_handshake_auth(handshake), ws_handshake_path(handshake),
             ws_handshake_query(handshake), header != NULL ? header : "-");
    if (judge_result == WS_ERR_FORBIDDEN)
        ws_handshake_refuse(handshake, 403, "not \"you\"");
    return judge_result;
}

static void setup(void)
{
    socketio_open(NULL);
    host.judge = judge;
    n_judged = 0;
    judge_result = WS_OK;
}

static void teardown(void)
{
    socketio_close();
}

/* --- sessions -------------------------------------------------------------------------------- */

START_TEST(a_session_is_opened_before_the_application_is_asked)
{
    struct peer *peer = host_peer(&host);
    struct bytes request = {NULL, 0, 0};
    struct frame frame;
    const char *rest;

    client_request(&request, SOCKETIO_TARGET, "");
    peer_send(peer, &request);
    bytes_free(&request);
    ck_assert_int_eq(peer_head(peer), 101);
    ck_assert(peer_next(peer, &frame));
    rest = strchr((const char *)frame.payload, ',');
    ck_assert_ptr_nonnull(rest);
    ck_assert_uint_ge((size_t)(rest - (const char *)frame.payload), 20);
    rest = ",\"upgrades\":[],\"pingInterval\":10000,\"pingTimeout\":2000,\"maxPayload\":1000}";
    ck_assert_mem_eq(frame.payload + frame.length - strlen(rest), rest, strlen(rest));
    ck_assert_uint_eq(n_judged, 0);
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 0);
    ck_assert_uint_eq(ws_websocket_id(peer->websocket), 0);
}
END_TEST

START_TEST(another_query_is_refused)
{
    static const char *const targets[] = {
        "/socket.io/",
        "/socket.io/?EIO=4",
        "/socket.io/?EIO=3&transport=websocket",
        "/socket.io/?EIO=4&transport=polling",
    };

    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        struct peer *peer = host_peer(&host);
        struct bytes request = {NULL, 0, 0};

        client_request(&request, targets[i], "");
        peer_send(peer, &request);
        bytes_free(&request);
        ck_assert_int_eq(peer_head(peer), 400);
        ck_assert(peer->ended);
    }
    ck_assert_uint_eq(n_judged, 0);
}
END_TEST

START_TEST(endpoints_check_their_options)
{
    static const char *const bad[] = {"", "/", "custom", "/a,b", "/a\n"};
    ws_socketio_options socketio;
    struct host_options options;
    ws_endpoint *endpoint = NULL;

    socketio_options_init(&options);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ws_socketio_options_init(&socketio);
        socketio.namespaces = &bad[i];
        socketio.n_namespaces = 1;
        options.endpoint.socketio = &socketio;
        ck_assert_int_eq(ws_endpoint_new(host.manager, &options.endpoint, &endpoint),
                         WS_ERR_INVALID);
    }
    ws_socketio_options_init(&socketio);
    socketio.connect_timeout_ms = 0;
    ck_assert_int_eq(ws_endpoint_new(host.manager, &options.endpoint, &endpoint),
                     WS_ERR_INVALID);
    ws_socketio_options_init(&socketio);
    options.endpoint.ping_interval_ms = 0;
    ck_assert_int_eq(ws_endpoint_new(host.manager, &options.endpoint, &endpoint),
                     WS_ERR_INVALID);
    options.endpoint.ping_interval_ms = 1000;
    options.endpoint.protocol = 4;
    ck_assert_int_eq(ws_endpoint_new(host.manager, &options.endpoint, &endpoint),
                     WS_ERR_INVALID);
    options.endpoint.protocol = WS_PROTOCOL_SOCKETIO;
    options.endpoint.socketio = NULL;
    ck_assert_int_eq(ws_endpoint_new(host.manager, &options.endpoint, &endpoint), WS_OK);
    ws_endpoint_free(endpoint);
}
END_TEST

/* --- sockets --------------------------------------------------------------------------------- */

START_TEST(the_application_sees_the_request_and_the_auth)
{
    struct peer *peer = socketio_session("X-Test: yes\r\n");

    socketio_send(peer, "40{\"token\":\"1\"}");
    ck_assert_str_eq(judged, "/ {\"token\":\"1\"} /socket.io/ EIO=4&transport=websocket yes");
    socketio_expect_prefix(peer, "40{\"sid\":\"");
    peer_expect_nothing(peer);
    ck_assert_uint_eq(n_judged, 1);
    ck_assert_uint_eq(host.called[HOST_CONNECT], 1);
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 1);
    socketio_send(peer, "40/custom,");
    ck_assert_str_eq(judged, "/custom {} /socket.io/ EIO=4&transport=websocket yes");
    socketio_expect_prefix(peer, "40/custom,{\"sid\":\"");
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 2);
}
END_TEST

START_TEST(the_request_is_not_kept_for_ever)
{
    struct peer *peer = socketio_session("X-Test: yes\r\n");

    socketio_send(peer, "40");
    host_pass(&host, 9000);
    socketio_send(peer, "3");
    host_pass(&host, 1100);
    socketio_send(peer, "3");
    socketio_send(peer, "40/custom");
    ck_assert_str_eq(judged, "/custom {}   -");
}
END_TEST

START_TEST(the_sid_is_the_name_of_the_connection)
{
    struct peer *peer = socketio_session("");
    struct frame frame;
    char text[128];
    char wanted[128];

    socketio_send(peer, "40");
    ck_assert(peer_next(peer, &frame));
    snprintf(text, sizeof text, "%.*s", (int)frame.length, (const char *)frame.payload);
    snprintf(wanted, sizeof wanted, "40{\"sid\":\"%s-%llx\"}",
             ws_manager_process_id(host.manager), (unsigned long long)socketio_id(peer));
    ck_assert_str_eq(text, wanted);
}
END_TEST

START_TEST(the_id_of_a_session_names_its_loop)
{
    static const char *const strangers[] = {
        "",
        "/",
        "/?",
        "/?sid",
        "/?sid=",
        "/?sid=abc",
        "/?sid=aaaaaaaaaa-0.0123456789abcdef0123456789abcdef",
        "/?sid=%GG",
        "/?session=abc",
    };
    struct peer *peer = host_peer(&host);
    struct bytes request = {NULL, 0, 0};
    struct frame frame;
    char target[256];
    char sid[101];

    client_request(&request, SOCKETIO_TARGET, "");
    peer_send(peer, &request);
    bytes_free(&request);
    ck_assert_int_eq(peer_head(peer), 101);
    ck_assert(peer_next(peer, &frame));
    ck_assert_int_eq(sscanf((const char *)frame.payload, "0{\"sid\":\"%100[^\"]\"", sid), 1);
    snprintf(target, sizeof target, "/socket.io/?EIO=4&sid=%s&transport=polling", sid);
    ck_assert_ptr_eq(ws_manager_session_loop(host.manager, target), host.loop);
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++)
        ck_assert_ptr_null(ws_manager_session_loop(host.manager, strangers[i]));
    snprintf(target, sizeof target, "/?sid=%s0", sid);
    ck_assert_ptr_null(ws_manager_session_loop(host.manager, target));
    snprintf(target, sizeof target, "/?sid=%s%%00", sid);
    ck_assert_ptr_null(ws_manager_session_loop(host.manager, target));
    sid[strcspn(sid, ".") - 1] = '7'; /* a loop that does not exist */
    snprintf(target, sizeof target, "/?sid=%s", sid);
    ck_assert_ptr_null(ws_manager_session_loop(host.manager, target));
}
END_TEST

START_TEST(a_refusal_is_a_connect_error_and_the_client_may_try_again)
{
    struct peer *peer = socketio_session("");

    judge_result = WS_ERR_FORBIDDEN;
    socketio_send(peer, "40");
    socketio_expect(peer, "44{\"message\":\"not \\\"you\\\"\",\"data\":{\"status\":403}}");
    judge_result = WS_ERR_NO_MEMORY;
    socketio_send(peer, "40/custom");
    socketio_expect(peer, "44/custom,{\"message\":\"the application refused the "
                          "client\",\"data\":{\"status\":503}}");
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 0);
    host_expect_stats(&host, "\"handshakes_refused\":2,");
    judge_result = WS_OK;
    socketio_send(peer, "40");
    socketio_expect_prefix(peer, "40{");
    ck_assert_uint_eq(host.called[HOST_CONNECT], 1);
}
END_TEST

START_TEST(an_unknown_namespace_is_refused_without_asking)
{
    struct peer *peer = socketio_session("");

    socketio_send(peer, "40/other,{}");
    socketio_expect(peer, "44/other,{\"message\":\"Invalid namespace\"}");
    ck_assert_uint_eq(n_judged, 0);
}
END_TEST

START_TEST(attempts_to_connect_are_limited)
{
    struct peer *peer = socketio_session("");

    judge_result = WS_ERR_FORBIDDEN;
    for (int i = 0; i < 34; i++) {
        socketio_send(peer, "40");
        socketio_expect_prefix(peer, "44{");
    }
    socketio_send(peer, "40");
    peer_expect_close_reason(peer, 1008, "too many attempts to connect");
    ck_assert_uint_eq(n_judged, 34);
}
END_TEST

/* However many names it tries: nothing of them is kept, and nobody is asked. */
START_TEST(a_client_may_try_few_namespaces)
{
    struct peer *peer = socketio_session("");
    char packet[128];

    for (int i = 0; i < 34; i++) {
        snprintf(packet, sizeof packet, "40/space%d,{}", i);
        socketio_send(peer, packet);
        snprintf(packet, sizeof packet, "44/space%d,{\"message\":\"Invalid namespace\"}", i);
        socketio_expect(peer, packet);
    }
    socketio_send(peer, "40/space34,{}");
    peer_expect_close_reason(peer, 1008, "too many attempts to connect");
    ck_assert_uint_eq(n_judged, 0);
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 0);
}
END_TEST

START_TEST(a_namespace_is_connected_once)
{
    struct peer *peer = socketio_client();

    socketio_send(peer, "40");
    peer_expect_close(peer, 1002);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 1);
    ck_assert_uint_eq(host.code, 1002);
}
END_TEST

START_TEST(a_session_without_a_socket_ends)
{
    struct peer *peer = socketio_session("");

    host_pass(&host, 9900);
    peer_expect_nothing(peer);
    host_pass(&host, 200);
    socketio_expect(peer, "2");
    peer_expect_close_reason(peer, 1008, "no socket was connected in time");
    host_expect_stats(&host, "\"timeouts\":1,");
}
END_TEST

START_TEST(a_full_server_closes_with_a_code_to_retry)
{
    ws_drain_options drain;
    struct peer *peer = socketio_session("");

    ws_drain_options_init(&drain);
    ck_assert_int_eq(ws_manager_drain(host.manager, &drain), WS_OK);
    socketio_send(peer, "40");
    peer_expect_close_reason(peer, 1013, "the server is draining");
}
END_TEST

/* --- the end ---------------------------------------------------------------------------------- */

START_TEST(a_client_disconnects_a_socket_and_connects_it_again)
{
    struct peer *peer = socketio_client();

    socketio_send(peer, "41");
    peer_expect_nothing(peer);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 1);
    ck_assert_uint_eq(host.code, 1000);
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 0);
    socketio_send(peer, "42[\"late\"]"); /* ignored: it may have crossed a disconnect */
    ck_assert_uint_eq(seen.n_events, 0);
    socketio_send(peer, "40");
    socketio_expect_prefix(peer, "40{");
    ck_assert_uint_eq(host.called[HOST_CONNECT], 2);
}
END_TEST

START_TEST(a_socket_is_connected_again_right_behind_its_end)
{
    struct peer *peer = socketio_client();
    struct bytes bytes = {NULL, 0, 0};

    client_text(&bytes, FIN | TEXT, "41");
    client_text(&bytes, FIN | TEXT, "40");
    peer_send(peer, &bytes);
    bytes_free(&bytes);
    socketio_expect_prefix(peer, "40{");
    peer_expect_nothing(peer);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 1);
    ck_assert_uint_eq(host.called[HOST_CONNECT], 2);
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 1);
}
END_TEST

START_TEST(a_session_that_lost_its_last_socket_ends)
{
    struct peer *peer = socketio_client();

    host_pass(&host, 9000);
    socketio_send(peer, "3");
    socketio_send(peer, "41");
    host_pass(&host, 9000);
    socketio_expect(peer, "2");
    socketio_send(peer, "3");
    host_pass(&host, 1100);
    peer_expect_close(peer, 1008);
}
END_TEST

START_TEST(the_server_disconnects_a_socket)
{
    struct peer *peer = socketio_client();

    socketio_send(peer, "40/custom");
    socketio_expect_prefix(peer, "40/custom,{");
    ck_assert_int_eq(ws_manager_disconnect(host.manager, socketio_id(peer), 4401, "bye"),
                     WS_OK);
    host_turn(&host);
    socketio_expect(peer, "41");
    peer_expect_nothing(peer);
    ck_assert_uint_eq(host.code, 4401);
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 1);
    socketio_send(peer, "42/custom,[\"still\"]");
    ck_assert_str_eq(seen.name, "still");
    ck_assert_int_eq(ws_manager_disconnect(host.manager, seen.connection, 1000, NULL), WS_OK);
    host_turn(&host);
    socketio_expect(peer, "41/custom,");
    peer_expect_nothing(peer);
}
END_TEST

START_TEST(some_codes_close_the_websocket_with_all_sockets)
{
    static const uint16_t codes[] = {1001, 1008, 1011, 1012, 1013};

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        struct peer *peer = socketio_client();

        socketio_send(peer, "40/custom");
        socketio_expect_prefix(peer, "40/custom,{");
        ws_manager_disconnect(host.manager, socketio_id(peer), codes[i], "again");
        host_turn(&host);
        peer_expect_close_reason(peer, codes[i], "again");
        ck_assert_uint_eq(host.code, codes[i]);
        ck_assert_uint_eq(ws_manager_connection_count(host.manager), 0);
        ck_assert_uint_eq(host.called[HOST_DISCONNECT], 2 * (i + 1));
    }
}
END_TEST

START_TEST(a_drain_closes_websockets)
{
    ws_drain_options drain;
    struct peer *peer = socketio_client();

    ws_drain_options_init(&drain);
    drain.code = WS_CLOSE_SERVICE_RESTART;
    ck_assert_int_eq(ws_manager_drain(host.manager, &drain), WS_OK);
    host_turn(&host);
    peer_expect_close(peer, 1012);
}
END_TEST

START_TEST(the_host_closes_a_websocket)
{
    struct peer *peer = socketio_client();

    socketio_send(peer, "40/custom");
    socketio_expect_prefix(peer, "40/custom,{");
    ck_assert_int_eq(ws_websocket_close(peer->websocket, 4000, "host"), WS_OK);
    host_turn(&host);
    peer_expect_close_reason(peer, 4000, "host");
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 2);
    ck_assert_int_eq(ws_websocket_close(peer->websocket, 4000, NULL), WS_ERR_CLOSED);
    peer = socketio_session("");
    ck_assert_int_eq(ws_websocket_close(peer->websocket, 4001, NULL), WS_OK);
    host_turn(&host);
    peer_expect_close(peer, 4001);
}
END_TEST

START_TEST(the_client_ends_its_session)
{
    struct peer *peer = socketio_client();

    socketio_send(peer, "1");
    peer_expect_close(peer, 1000);
    ck_assert_uint_eq(host.code, 1000);
    peer = socketio_session("");
    socketio_send(peer, "1");
    peer_expect_close(peer, 1000);
    peer = socketio_client();
    peer_send_close(peer, 1001, "");
    peer_expect_close(peer, 1001);
    ck_assert_uint_eq(host.code, 1001);
    peer = socketio_client();
    ws_websocket_eof(peer->websocket);
    host_turn(&host);
    ck_assert_uint_eq(host.code, 1006);
    ck_assert(peer->ended);
}
END_TEST

/* The first pings are spread over the second half of the interval. */
START_TEST(sessions_that_open_together_are_not_pinged_together)
{
    struct peer *peers[3];
    size_t pinged = 0;

    for (size_t i = 0; i < 3; i++)
        peers[i] = socketio_client();
    host_pass(&host, 9900);
    for (size_t i = 0; i < 3; i++) {
        struct frame frame;

        pinged += peer_next(peers[i], &frame);
    }
    ck_assert_uint_eq(pinged, 2);
}
END_TEST

START_TEST(the_server_pings_and_ends_a_silent_session)
{
    struct peer *peer = socketio_client();

    for (int i = 0; i < 3; i++) {
        host_pass(&host, 10050);
        socketio_expect(peer, "2");
        peer_expect_nothing(peer);
        socketio_send(peer, "3");
    }
    host_pass(&host, 10050);
    socketio_expect(peer, "2");
    host_pass(&host, 2050);
    peer_expect_nothing(peer);
    ck_assert(peer->ended);
    ck_assert_uint_eq(host.code, 1006);
}
END_TEST

/* --- callbacks that free the websocket -------------------------------------------------------- */

static enum host_callback freed_in;

static void free_in_hook(struct host *of, enum host_callback callback, struct peer *peer,
                         ws_conn_id id)
{
    (void)of;
    (void)id;
    if (callback == freed_in)
        peer_free(peer);
}

static int free_in_judge(struct host *of, struct peer *peer, ws_handshake *handshake)
{
    (void)of;
    (void)handshake;
    peer_free(peer);
    return WS_OK;
}

static struct peer *freed_peer;

static void free_in_event(ws_conn_id connection, const ws_socketio_event *event)
{
    (void)connection;
    (void)event;
    peer_free(freed_peer);
}

START_TEST(callbacks_may_free_the_websocket)
{
    struct peer *peer = socketio_session("");

    host.judge = free_in_judge;
    socketio_send(peer, "40");
    ck_assert_ptr_null(peer->websocket);
    host.judge = NULL;
    freed_in = HOST_CONNECT;
    host.hook = free_in_hook;
    peer = socketio_session("");
    socketio_send(peer, "40");
    ck_assert_ptr_null(peer->websocket);
    host.hook = NULL;
    freed_peer = socketio_client();
    socketio_send(freed_peer, "40/custom");
    on_event_hook = free_in_event;
    socketio_send(freed_peer, "421[\"x\",[1,2]]");
    ck_assert_ptr_null(freed_peer->websocket);
    on_event_hook = NULL;
    peer = socketio_client();
    socketio_send(peer, "40/custom");
    host.hook = free_in_hook;
    freed_in = HOST_DISCONNECT;
    socketio_send(peer, "41");
    ck_assert_ptr_null(peer->websocket);
    peer = socketio_client();
    ws_manager_disconnect(host.manager, socketio_id(peer), 1013, NULL);
    host_turn(&host);
    ck_assert_ptr_null(peer->websocket);
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 0);
}
END_TEST

static void free_when_high(ws_manager *manager, const ws_connection_info *connection,
                           int is_high, void *user_data)
{
    (void)manager;
    (void)user_data;
    (void)is_high;
    peer_free(connection->user_data);
}

START_TEST(a_callback_about_one_socket_may_free_the_websocket_of_all)
{
    struct host_options options;
    struct peer *peer;

    socketio_close();
    socketio_options_init(&options);
    options.manager.on_backpressure = free_when_high;
    options.endpoint.queue_high_bytes = 100;
    socketio_open(&options);
    peer = socketio_client();
    socketio_send(peer, "40/custom");
    peer->writable = 0;
    ws_manager_emit_order_created(host.manager, "1", 1);
    ws_loop_run(host.loop, host.now);
    ck_assert_ptr_null(peer->websocket);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 2);
}
END_TEST

/* A turn that throws away what clients are sent. */
static void write_nowhere(void)
{
    ws_websocket *websocket;

    while (ws_loop_run(host.loop, host.now) <= host.now)
        continue;
    while ((websocket = ws_loop_next_output(host.loop)) != NULL) {
        struct iovec pieces[8];
        size_t length = 0;
        int count = ws_websocket_output(websocket, pieces, 8);

        for (int i = 0; i < count; i++)
            length += pieces[i].iov_len;
        ws_websocket_sent(websocket, length);
    }
}

/* Sessions without a socket, many of them: the host has not so many peers, and this one is all of
 * theirs. */
static void add_sessions(ws_websocket **crowd, int count, struct peer *peer)
{
    static const ws_header headers[] = {
        {"Host", "localhost"},
        {"Upgrade", "websocket"},
        {"Connection", "Upgrade"},
        {"Sec-WebSocket-Version", "13"},
        {"Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="},
    };

    for (int i = 0; i < count; i++) {
        ck_assert_int_eq(ws_websocket_new(host.loop, host.endpoint, peer, &crowd[i]), WS_OK);
        ws_websocket_upgrade(crowd[i], "GET", 1, 1, SOCKETIO_TARGET, headers, 5);
        write_nowhere();
    }
}

START_TEST(of_sessions_without_a_socket_the_oldest_gives_way)
{
    enum { MOST = UNCONNECTED_WEBSOCKET_MAX };
    static ws_websocket *crowd[MOST - 2];
    struct peer *connected = socketio_client();
    struct peer *disconnected = socketio_client();
    struct peer *oldest = socketio_session("");
    struct peer *last;

    add_sessions(crowd, MOST - 2, oldest);
    socketio_send(disconnected, "41");
    peer_expect_nothing(oldest);
    last = socketio_session("");
    peer_expect_close_reason(oldest, 1013, "too many clients without a socket");

    socketio_send(disconnected, "40"); /* makes room */
    socketio_expect_prefix(disconnected, "40{");
    socketio_session("");
    socketio_send(last, "40");
    socketio_expect_prefix(last, "40{");
    for (int i = 0; i < MOST - 2; i++)
        ck_assert(!ws_websocket_ended(crowd[i]));
    peer_expect_nothing(connected);
    for (int i = 0; i < MOST - 2; i++)
        ws_websocket_free(crowd[i]);
    ck_assert_uint_eq(shared_part_of(host.loop)->unconnected[1].count, 1);
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("socketio-connect");
    TCase *cases = tcase_create("socketio-connect");

    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_session_is_opened_before_the_application_is_asked);
    tcase_add_test(cases, another_query_is_refused);
    tcase_add_test(cases, endpoints_check_their_options);
    tcase_add_test(cases, the_application_sees_the_request_and_the_auth);
    tcase_add_test(cases, the_request_is_not_kept_for_ever);
    tcase_add_test(cases, the_sid_is_the_name_of_the_connection);
    tcase_add_test(cases, the_id_of_a_session_names_its_loop);
    tcase_add_test(cases, a_refusal_is_a_connect_error_and_the_client_may_try_again);
    tcase_add_test(cases, an_unknown_namespace_is_refused_without_asking);
    tcase_add_test(cases, attempts_to_connect_are_limited);
    tcase_add_test(cases, a_client_may_try_few_namespaces);
    tcase_add_test(cases, a_namespace_is_connected_once);
    tcase_add_test(cases, a_session_without_a_socket_ends);
    tcase_add_test(cases, a_full_server_closes_with_a_code_to_retry);
    tcase_add_test(cases, a_client_disconnects_a_socket_and_connects_it_again);
    tcase_add_test(cases, a_socket_is_connected_again_right_behind_its_end);
    tcase_add_test(cases, a_session_that_lost_its_last_socket_ends);
    tcase_add_test(cases, the_server_disconnects_a_socket);
    tcase_add_test(cases, some_codes_close_the_websocket_with_all_sockets);
    tcase_add_test(cases, a_drain_closes_websockets);
    tcase_add_test(cases, the_host_closes_a_websocket);
    tcase_add_test(cases, the_client_ends_its_session);
    tcase_add_test(cases, sessions_that_open_together_are_not_pinged_together);
    tcase_add_test(cases, the_server_pings_and_ends_a_silent_session);
    tcase_add_test(cases, callbacks_may_free_the_websocket);
    tcase_add_test(cases, a_callback_about_one_socket_may_free_the_websocket_of_all);
    tcase_add_test(cases, of_sessions_without_a_socket_the_oldest_gives_way);
    suite_add_tcase(suite, cases);
    return suite;
}
