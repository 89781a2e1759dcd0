/* socketio_acks_test.c: acknowledgements of clients of Socket.IO that the application waits for. */
#include <stdio.h>
#include <string.h>

#include "core/costs.h"
#include "core/loop_state.h"
#include "websocket/socketio_host.h"

static struct {
    unsigned n;
    int result;
    char args[64];
    char attachment[16];
    ws_conn_id connection;
} acked;

static struct peer *freed_by_ack;

static void on_ack(ws_manager *manager, ws_conn_id connection,
                   const ws_socketio_ack_result *result, void *user_data)
{
    ck_assert_ptr_eq(manager, host.manager);
    ck_assert_ptr_eq(user_data, &acked);
    ck_assert_uint_eq(result->size, sizeof *result);
    acked.n++;
    acked.result = result->result;
    acked.connection = connection;
    snprintf(acked.args, sizeof acked.args, "%s", result->args != NULL ? result->args : "");
    ck_assert_uint_eq(result->args_length, strlen(acked.args));
    if (result->n_attachments > 0)
        snprintf(acked.attachment, sizeof acked.attachment, "%.*s",
                 (int)result->attachments[0].length, (const char *)result->attachments[0].data);
    if (freed_by_ack != NULL)
        peer_free(freed_by_ack);
}

/* Emits an event and waits for its acknowledgement; returns the packet that acknowledges it up to
 * the id. The ids count from 1. */
static int emit_with_ack(ws_conn_id connection, uint32_t timeout_ms)
{
    ws_socketio_message message = socketio_message("ask", "[1]");

    return ws_socketio_emit_with_ack(host.manager, connection, &message, timeout_ms, on_ack,
                                     &acked);
}

static void setup_acks(void)
{
    socketio_open(NULL);
    memset(&acked, 0, sizeof acked);
    freed_by_ack = NULL;
}

START_TEST(a_client_acknowledges)
{
    struct peer *peer = socketio_client();

    ck_assert_int_eq(emit_with_ack(socketio_id(peer), 1000), WS_OK);
    ck_assert_int_eq(emit_with_ack(socketio_id(peer), 1000), WS_OK);
    host_turn(&host);
    socketio_expect(peer, "421[\"ask\",1]");
    socketio_expect(peer, "422[\"ask\",1]");
    socketio_send(peer, "431[\"a\", 2]");
    ck_assert_uint_eq(acked.n, 1);
    ck_assert_int_eq(acked.result, WS_OK);
    ck_assert_str_eq(acked.args, "[\"a\", 2]");
    ck_assert_uint_eq(acked.connection, socketio_id(peer));
    socketio_send(peer, "431[]"); /* once */
    socketio_send(peer, "433[]"); /* nobody waits for it */
    ck_assert_uint_eq(acked.n, 1);
    socketio_send(peer, "461-2[{\"_placeholder\":true,\"num\":0}]");
    peer_send_frame(peer, FIN | BINARY, "ab", 2);
    ck_assert_uint_eq(acked.n, 2);
    ck_assert_str_eq(acked.args, "[{\"_placeholder\":true,\"num\":0}]");
    ck_assert_str_eq(acked.attachment, "ab");
    peer_expect_nothing(peer);
    ck_assert_uint_eq(seen.n_events, 0);
}
END_TEST

static void on_response(ws_manager *manager, ws_conn_id connection, const ws_response *response,
                        void *user_data)
{
    (void)manager;
    ck_assert_ptr_eq(user_data, &acked);
    acked.n++;
    acked.result = response->result;
    acked.connection = connection;
    snprintf(acked.args, sizeof acked.args, "%s",
             response->data != NULL ? response->data : "-");
    ck_assert_uint_eq(response->length, response->data != NULL ? strlen(response->data) : 0);
}

static void ask(ws_conn_id connection, const char *data)
{
    ws_request request;

    ws_request_init(&request);
    request.method = "total";
    request.data = data;
    request.length = data != NULL ? strlen(data) : 0;
    request.timeout_ms = 500;
    request.on_response = on_response;
    request.user_data = &acked;
    ck_assert_int_eq(ws_manager_request(host.manager, connection, &request), WS_OK);
    host_turn(&host);
}

START_TEST(a_request_is_an_event_with_an_acknowledgement)
{
    struct peer *peer = socketio_client();

    ask(socketio_id(peer), "{\"a\":1}");
    socketio_expect(peer, "421[\"request\",\"total\",{\"a\":1}]");
    socketio_send(peer, "431[[7], 8]");
    ck_assert_uint_eq(acked.n, 1);
    ck_assert_int_eq(acked.result, WS_OK);
    ck_assert_str_eq(acked.args, "[7]");
    ask(socketio_id(peer), NULL);
    socketio_expect(peer, "422[\"request\",\"total\",null]");
    socketio_send(peer, "432[]");
    ck_assert_uint_eq(acked.n, 2);
    ck_assert_str_eq(acked.args, "null");
    ask(socketio_id(peer), NULL);
    host_pass(&host, 600);
    ck_assert_uint_eq(acked.n, 3);
    ck_assert_int_eq(acked.result, WS_ERR_TIMEOUT);
    ask(socketio_id(peer), NULL);
    peer_free(peer);
    ck_assert_uint_eq(acked.n, 4);
    ck_assert_int_eq(acked.result, WS_ERR_CLOSED);
    ck_assert_str_eq(acked.args, "-");
}
END_TEST

/* Clients that do not acknowledge cause a limited number of calls in a turn. */
START_TEST(calls_for_late_acknowledgements_are_counted)
{
    enum { EMITTED = 400, MOST_IN_A_TURN = 8192 / INPUT_COST_CALLBACK };

    struct peer *peer = socketio_client();

    for (int i = 0; i < EMITTED; i++)
        ck_assert_int_eq(emit_with_ack(socketio_id(peer), 100), WS_OK);
    host_turn(&host);
    host.now += 200;
    for (unsigned before = 0; acked.n < EMITTED; before = acked.n) {
        ws_loop_run(host.loop, host.now);
        ck_assert_uint_gt(acked.n, before);
        ck_assert_uint_le(acked.n - before, MOST_IN_A_TURN);
    }
}
END_TEST

/* An id is taken before the event is posted, so another thread's event with a higher id may be
 * posted first. */
START_TEST(acknowledgements_may_be_awaited_in_any_order)
{
    static const uint64_t ids[] = {6, 3, 5, 4};
    struct peer *peer = socketio_client();

    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        atomic_store(&host.manager->n_acks, ids[i] - 1);
        emit_with_ack(socketio_id(peer), 1000);
    }
    atomic_store(&host.manager->n_acks, 6);
    host_turn(&host);
    socketio_send(peer, "436[]");
    ck_assert_uint_eq(acked.n, 1);
    socketio_send(peer, "434[]");
    ck_assert_uint_eq(acked.n, 2);
    socketio_send(peer, "433[]");
    ck_assert_uint_eq(acked.n, 3);
    socketio_send(peer, "435[]");
    ck_assert_uint_eq(acked.n, 4);
    ck_assert_int_eq(acked.result, WS_OK);
}
END_TEST

START_TEST(acknowledgements_that_end_with_a_connection_are_charged)
{
    enum { N = 100 };
    struct peer *peer = socketio_client();

    for (int i = 0; i < N; i++)
        emit_with_ack(socketio_id(peer), 1000);
    host_turn(&host);
    ck_assert_uint_eq(host.loop->preparing, 0);
    peer_free(peer);
    ck_assert_uint_eq(acked.n, N);
    ck_assert_uint_ge(host.loop->preparing, N * INPUT_COST_CALLBACK);
}
END_TEST

START_TEST(an_acknowledgement_has_a_time_limit)
{
    struct peer *peer = socketio_client();

    emit_with_ack(socketio_id(peer), 500);
    emit_with_ack(socketio_id(peer), 2000);
    host_turn(&host);
    host_pass(&host, 400);
    ck_assert_uint_eq(acked.n, 0);
    host_pass(&host, 150);
    ck_assert_uint_eq(acked.n, 1);
    ck_assert_int_eq(acked.result, WS_ERR_TIMEOUT);
    socketio_send(peer, "431[]");
    ck_assert_uint_eq(acked.n, 1);
    socketio_send(peer, "432[]");
    ck_assert_uint_eq(acked.n, 2);
    ck_assert_int_eq(acked.result, WS_OK);
}
END_TEST

START_TEST(acknowledgements_belong_to_a_socket)
{
    struct peer *peer = socketio_client();

    socketio_send(peer, "40/custom");
    socketio_send(peer, "42/custom,[\"x\"]");
    emit_with_ack(seen.connection, 1000);
    emit_with_ack(socketio_id(peer), 1000);
    host_turn(&host);
    socketio_send(peer, "431[]"); /* of the other namespace */
    ck_assert_uint_eq(acked.n, 0);
    socketio_send(peer, "43/custom,1[]");
    ck_assert_uint_eq(acked.n, 1);
    emit_with_ack(seen.connection, 1000);
    host_turn(&host);
    socketio_send(peer, "41/custom");
    ck_assert_uint_eq(acked.n, 2);
    ck_assert_int_eq(acked.result, WS_ERR_CLOSED);
    ck_assert_uint_eq(acked.connection, seen.connection);
    peer_free(peer);
    ck_assert_uint_eq(acked.n, 3);
    ck_assert_int_eq(acked.result, WS_ERR_CLOSED);
}
END_TEST

START_TEST(an_acknowledgement_is_settled_however_the_connection_ends)
{
    struct peer *peer = socketio_client();

    emit_with_ack(socketio_id(peer), 1000);
    ws_manager_disconnect(host.manager, socketio_id(peer), 4000, NULL);
    emit_with_ack(socketio_id(peer), 1000); /* after the end, but accepted */
    host_turn(&host);
    ck_assert_uint_eq(acked.n, 2);
    ck_assert_int_eq(acked.result, WS_ERR_CLOSED);
    peer = socketio_client();
    emit_with_ack(socketio_id(peer), 1000);
    host_turn(&host);
    ws_manager_disconnect(host.manager, socketio_id(peer), 1012, NULL);
    host_turn(&host);
    ck_assert_uint_eq(acked.n, 3);
    freed_by_ack = peer = socketio_client();
    emit_with_ack(socketio_id(peer), 500);
    host_pass(&host, 1);
    host_pass(&host, 600);
    ck_assert_ptr_null(peer->websocket);
    freed_by_ack = peer = socketio_client();
    emit_with_ack(socketio_id(peer), 500);
    host_turn(&host);
    ws_manager_disconnect(host.manager, socketio_id(peer), 4000, NULL);
    host_turn(&host);
    ck_assert_ptr_null(peer->websocket);
    ck_assert_uint_eq(acked.n, 5);
    freed_by_ack = NULL;
    peer = socketio_client();
    emit_with_ack(socketio_id(peer), 1000); /* never delivered: the loop is freed first */
}
END_TEST

static void teardown_acks(void)
{
    unsigned n = acked.n;
    ws_conn_id id =
        host.n_peers > 0 && host.peers[0].websocket != NULL ? socketio_id(&host.peers[0]) : 0;

    if (id != 0 && emit_with_ack(id, 1000) == WS_OK)
        n++;
    for (size_t i = 0; i < host.n_peers; i++)
        peer_free(&host.peers[i]);
    ws_loop_free(host.loop);
    host.loop = NULL;
    ck_assert_uint_ge(acked.n, n);
    socketio_close();
}

START_TEST(acknowledgements_are_limited)
{
    struct host_options options;
    ws_socketio_options socketio;
    struct peer *peer;

    socketio_close();
    socketio_options_init(&options);
    socketio = *options.endpoint.socketio;
    socketio.max_waiting_acks = 2;
    options.endpoint.socketio = &socketio;
    socketio_open(&options);
    peer = socketio_client();
    for (int i = 0; i < 3; i++)
        emit_with_ack(socketio_id(peer), 1000);
    host_turn(&host);
    ck_assert_uint_eq(acked.n, 1);
    ck_assert_int_eq(acked.result, WS_ERR_LIMIT);
    socketio_expect(peer, "421[\"ask\",1]");
    socketio_expect(peer, "422[\"ask\",1]");
    socketio_expect(peer, "423[\"ask\",1]");
    socketio_send(peer, "431[]");
    ck_assert_uint_eq(acked.n, 2);
    ck_assert_int_eq(acked.result, WS_OK);
    ck_assert_int_eq(emit_with_ack(socketio_id(peer), 0), WS_ERR_INVALID);
    ck_assert_int_eq(emit_with_ack(socketio_id(peer) + 1, 1), WS_ERR_NOT_FOUND);
    ck_assert_uint_eq(acked.n, 2);
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("socketio-acks");
    TCase *cases = tcase_create("socketio-acks");

    tcase_add_checked_fixture(cases, setup_acks, teardown_acks);
    tcase_add_test(cases, a_client_acknowledges);
    tcase_add_test(cases, a_request_is_an_event_with_an_acknowledgement);
    tcase_add_test(cases, acknowledgements_may_be_awaited_in_any_order);
    tcase_add_test(cases, acknowledgements_that_end_with_a_connection_are_charged);
    tcase_add_test(cases, calls_for_late_acknowledgements_are_counted);
    tcase_add_test(cases, an_acknowledgement_has_a_time_limit);
    tcase_add_test(cases, acknowledgements_belong_to_a_socket);
    tcase_add_test(cases, an_acknowledgement_is_settled_however_the_connection_ends);
    tcase_add_test(cases, acknowledgements_are_limited);
    suite_add_tcase(suite, cases);
    return suite;
}
