/* socketio_memory_test.c: the memory of an idle client of Socket.IO; and every allocation in the
 * life of such a client fails in turn. */
#include <stdio.h>
#include <string.h>

#include "support/counting_allocator.h"
#include "websocket/socketio_host.h"

enum { N = 2000, IN_A_TURN = 100, MOST_MORE_BYTES = 200 };

/* --- the memory of an idle client ------------------------------------------------------------- */

static ws_websocket *websockets[N];
static ws_manager *manager;
static ws_loop *loop;
static ws_endpoint *endpoint;

/* What each of N idle clients holds. */
static size_t bytes_of_one(int32_t protocol)
{
    struct counting_allocator counting;
    ws_manager_options manager_options;
    ws_endpoint_options options;
    size_t before;
    size_t bytes;

    counting_allocator_init(&counting);
    ws_manager_options_init(&manager_options);
    manager_options.allocator = &counting.allocator;
    manager_options.presence_events = WS_PRESENCE_OFF;
    ws_endpoint_options_init(&options);
    options.protocol = protocol;
    ck_assert_int_eq(ws_manager_new(&manager_options, &manager), WS_OK);
    ck_assert_int_eq(ws_loop_new(manager, NULL, 0, &loop), WS_OK);
    ck_assert_int_eq(ws_endpoint_new(manager, &options, &endpoint), WS_OK);
    before = counting.bytes;
    for (size_t i = 0; i < N; i++) {
        struct bytes bytes_in = {NULL, 0, 0};

        ck_assert_int_eq(ws_websocket_new(loop, endpoint, NULL, &websockets[i]), WS_OK);
        client_request(&bytes_in, SOCKETIO_TARGET, "User-Agent: of some length\r\n");
        client_text(&bytes_in, FIN | TEXT,
                    protocol == WS_PROTOCOL_SOCKETIO ? "40{\"token\":\"12345\"}"
                                                     : "{\"type\":\"ping\"}");
        ws_websocket_receive(websockets[i], bytes_in.data, bytes_in.length);
        bytes_free(&bytes_in);
        if (i % IN_A_TURN == IN_A_TURN - 1)
            loop_turn(loop);
    }
    ck_assert_uint_eq(ws_manager_connection_count(manager), N);
    bytes = (counting.bytes - before) / N;
    for (size_t i = 0; i < N; i++)
        ws_websocket_free(websockets[i]);
    ws_endpoint_free(endpoint);
    ws_loop_free(loop);
    ws_manager_free(manager);
    ck_assert_uint_eq(counting.bytes, 0);
    return bytes;
}

START_TEST(an_idle_client_costs_little_more_than_a_plain_one)
{
    size_t plain = bytes_of_one(WS_PROTOCOL_JSON);
    size_t socketio = bytes_of_one(WS_PROTOCOL_SOCKETIO);

    ck_assert_msg(socketio <= plain + MOST_MORE_BYTES, "%zu bytes more than %zu",
                  socketio - plain, plain);
}
END_TEST

/* --- failing allocations ---------------------------------------------------------------------- */

static void send_text(struct peer *peer, const char *packet)
{
    if (peer->websocket != NULL && !ws_websocket_ended(peer->websocket))
        peer_send_frame(peer, FIN | TEXT, packet, strlen(packet));
}

static void send_bytes(struct peer *peer, const char *bytes)
{
    if (peer->websocket != NULL && !ws_websocket_ended(peer->websocket))
        peer_send_frame(peer, FIN | BINARY, bytes, strlen(bytes));
}

static unsigned n_settled;

static void count_ack(ws_manager *of, ws_conn_id connection,
                      const ws_socketio_ack_result *result, void *user_data)
{
    (void)of;
    (void)connection;
    (void)result;
    (void)user_data;
    n_settled++;
}

static unsigned n_awaited;

static void answer(ws_conn_id connection, const ws_socketio_event *event)
{
    ws_socketio_message message = socketio_message("back", event->args);

    message.attachments = event->attachments;
    message.n_attachments = event->n_attachments;
    ws_socketio_emit(host.manager, connection, &message);
    message = socketio_message(NULL, "[1]");
    if (event->ack_id != WS_SOCKETIO_NO_ACK)
        ws_socketio_ack(host.manager, connection, event->ack_id, &message);
    message = socketio_message("ask", NULL);
    n_awaited += ws_socketio_emit_with_ack(host.manager, connection, &message, 100, count_ack,
                                           NULL) == WS_OK;
}

static int judge(struct host *of, struct peer *peer, ws_handshake *handshake)
{
    (void)of;
    (void)peer;
    if (strcmp(ws_handshake_namespace(handshake), "/custom") == 0 &&
        strcmp(ws_handshake_auth(handshake), "{}") == 0) {
        ws_handshake_refuse(handshake, 401, "no");
        return WS_ERR_FORBIDDEN;
    }
    return ws_handshake_set_user_id(handshake, "ann");
}

/* Copies the pid that a client has received; false if it has none. */
static bool read_pid(const struct peer *peer, char *pid, size_t size)
{
    static const char before[] = "\"pid\":\"";
    const char *at =
        peer->received.length > 0
            ? memmem(peer->received.data, peer->received.length, before, sizeof before - 1)
            : NULL;

    if (at == NULL)
        return false;
    at += sizeof before - 1;
    snprintf(pid, size, "%.*s", (int)strcspn(at, "\""), at);
    return true;
}

/* A client is in rooms, is cut off, comes back, and is cut off again. */
static void live_twice(void)
{
    char packet[512] = "40";
    char pid[128];

    for (int i = 0; i < 3; i++) {
        struct peer *peer = host_peer(&host);
        struct bytes request = {NULL, 0, 0};

        if (peer->websocket == NULL)
            return;
        client_request(&request, SOCKETIO_TARGET, "");
        peer_send(peer, &request);
        bytes_free(&request);
        send_text(peer, packet);
        if (i == 0) {
            send_text(peer, "421[\"join_room\",\"orders\"]");
            send_text(peer, "421[\"join_room\",\"stock\"]");
            send_text(peer, "421[\"join_room\",\"clients\"]");
        }
        host_turn(&host);
        if (i == 0 && !read_pid(peer, pid, sizeof pid))
            return;
        snprintf(packet, sizeof packet, "40{\"pid\":\"%s\"}", pid);
        peer_free(peer);
        ws_manager_emit_order_created(host.manager, "1", 1);
        host_turn(&host);
    }
}

static void live(void)
{
    struct peer *peer = host_peer(&host);
    struct bytes request = {NULL, 0, 0};

    if (peer->websocket == NULL)
        return;
    client_request(&request, SOCKETIO_TARGET,
                   "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    peer_send(peer, &request);
    bytes_free(&request);
    send_text(peer, "40/custom");
    send_text(peer, "40/other");
    send_text(peer, "40{\"token\":\"1\"}");
    send_text(peer, "40/custom,{\"a\":1}");
    send_text(peer, "421[\"join_room\",\"orders\"]");
    send_text(peer, "42[\"leave_room\",\"stock\"]");
    send_text(peer, "451-2[\"x\",{\"_placeholder\":true,\"num\":0}]");
    send_bytes(peer, "bytes");
    send_text(peer, "42/custom,[\"y\",\"z\"]");
    ws_manager_emit_order_created(host.manager, "1", 1);
    host_turn(&host);
    if (peer->websocket != NULL && ws_websocket_id(peer->websocket) != 0) {
        ws_manager_send_text(host.manager, ws_websocket_id(peer->websocket), "t", 1);
        ws_manager_send_binary(host.manager, ws_websocket_id(peer->websocket), "b", 1);
    }
    host_turn(&host);
    send_text(peer, "41");
    send_text(peer, "452-[\"unfinished\"]");
    host_pass(&host, 11000);
    live_twice();
}

/* True if an allocation failed. */
static bool live_with_failure(size_t at, bool for_good)
{
    struct host_options options;
    ws_socketio_options socketio;
    bool failed;

    socketio_options_init(&options);
    socketio = *options.endpoint.socketio;
    socketio.recovery_ms = 120000;
    options.endpoint.socketio = &socketio;
    memset(&host, 0, sizeof host);
    host.memory.fail_at = at;
    host.memory.for_good = for_good;
    if (host_try_open(&host, &options) == WS_OK) {
        host.judge = judge;
        on_event_hook = answer;
        live();
    } else {
        ck_assert(host.memory.failed);
    }
    failed = host.memory.failed;
    socketio_close();
    ck_assert_uint_eq(n_settled, n_awaited);
    return failed;
}

START_TEST(each_allocation_fails_in_turn)
{
    size_t n = 0;

    while (live_with_failure(n, false))
        n++;
    ck_assert_uint_gt(n, 60);
    for (size_t i = 0; i < n; i++)
        live_with_failure(i, true);
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("socketio-memory");
    TCase *cases = tcase_create("socketio-memory");

    tcase_set_timeout(cases, 100);
    tcase_add_test(cases, an_idle_client_costs_little_more_than_a_plain_one);
    tcase_add_test(cases, each_allocation_fails_in_turn);
    suite_add_tcase(suite, cases);
    return suite;
}
