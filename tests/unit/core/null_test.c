/* null_test.c: the rule for NULL (types.h), for each pointer of each exported function: where NULL
 * has no meaning the function has no effect, and its result says so. */
#include <string.h>

#include <ws_manager/cluster.h>
#include <ws_manager/ws_manager.h>

#include "support/calls.h"
#include "support/host.h"
#include "support/suite.h"

#define REFUSES(function, ...) ck_assert_int_eq(CALLED(function)(__VA_ARGS__), WS_ERR_INVALID)
#define IS_NULL(function, ...) ck_assert_ptr_null(CALLED(function)(__VA_ARGS__))
#define IS_ZERO(function, ...) ck_assert_uint_eq((uint64_t)CALLED(function)(__VA_ARGS__), 0)
#define HAS_NO_EFFECT(function, ...) CALLED(function)(__VA_ARGS__)

static struct host host;

static int stop(ws_conn_id connection, void *user_data)
{
    (void)connection;
    (void)user_data;
    return 1;
}

static void ignore_ack(ws_manager *manager, ws_conn_id connection,
                       const ws_socketio_ack_result *result, void *user_data)
{
    (void)manager;
    (void)connection;
    (void)result;
    (void)user_data;
}

static void check_options(void)
{
    HAS_NO_EFFECT(ws_manager_options_init_size, NULL, sizeof(ws_manager_options));
    HAS_NO_EFFECT(ws_loop_options_init_size, NULL, sizeof(ws_loop_options));
    HAS_NO_EFFECT(ws_connect_options_init_size, NULL, sizeof(ws_connect_options));
    HAS_NO_EFFECT(ws_drain_options_init_size, NULL, sizeof(ws_drain_options));
    HAS_NO_EFFECT(ws_endpoint_options_init_size, NULL, sizeof(ws_endpoint_options));
    HAS_NO_EFFECT(ws_last_values_options_init_size, NULL, sizeof(ws_last_values_options));
    HAS_NO_EFFECT(ws_room_history_options_init_size, NULL, sizeof(ws_room_history_options));
    HAS_NO_EFFECT(ws_socketio_options_init_size, NULL, sizeof(ws_socketio_options));
    HAS_NO_EFFECT(ws_socketio_message_init_size, NULL, sizeof(ws_socketio_message));
    HAS_NO_EFFECT(ws_request_init_size, NULL, sizeof(ws_request));
    HAS_NO_EFFECT(ws_http_request_init_size, NULL, sizeof(ws_http_request));
    HAS_NO_EFFECT(ws_http_response_head_init_size, NULL, sizeof(ws_http_response_head));
}

static int refuse(ws_manager *manager, const ws_connection_info *connection,
                  const ws_client_message *message, void *user_data)
{
    (void)manager;
    (void)connection;
    (void)message;
    (void)user_data;
    return WS_ERR_FORBIDDEN;
}

static void check_answers(ws_manager *manager)
{
    char *text;

    ws_answer answer = {0};

    REFUSES(ws_manager_enable_presence, NULL, "r");
    REFUSES(ws_manager_disable_presence, NULL, "r");
    REFUSES(ws_manager_get_presence, NULL, "r", &text, NULL);
    REFUSES(ws_manager_get_presence, manager, "r", NULL, NULL);
    REFUSES(ws_manager_set_presence_state, NULL, "r", "ann", "1", 1);
    REFUSES(ws_manager_set_presence_state, manager, "r", NULL, "1", 1);
    REFUSES(ws_manager_set_presence_state, manager, "r", "ann", NULL, 1);
    REFUSES(ws_manager_register_method, NULL, "m", refuse, NULL);
    REFUSES(ws_manager_register_method, manager, NULL, refuse, NULL);
    REFUSES(ws_manager_register_method, manager, "m", NULL, NULL);
    REFUSES(ws_manager_register_message_type, NULL, "m", NULL, NULL);
    REFUSES(ws_manager_register_message_type, manager, NULL, NULL, NULL);
    REFUSES(ws_manager_request, NULL, 1, NULL);
    REFUSES(ws_manager_request, manager, 1, NULL);
    REFUSES(ws_manager_answer, NULL, answer, "1", 1);
    REFUSES(ws_manager_answer, manager, answer, NULL, 1);
    REFUSES(ws_manager_answer_error, NULL, answer, "code", NULL);
    REFUSES(ws_manager_answer_error, manager, answer, NULL, NULL);
}

static void check_manager(ws_manager *manager)
{
    char *text = NULL;
    void *user_data;

    REFUSES(ws_manager_new, NULL, NULL);
    HAS_NO_EFFECT(ws_manager_free, NULL);
    IS_NULL(ws_manager_process_id, NULL);
    REFUSES(ws_manager_drain, NULL, NULL);
    IS_ZERO(ws_manager_is_draining, NULL);
    check_answers(manager);
    REFUSES(ws_manager_disconnect, NULL, 1, WS_CLOSE_NORMAL, NULL);
    REFUSES(ws_manager_get_user_data, NULL, 1, &user_data);
    REFUSES(ws_manager_get_user_data, manager, 1, NULL);
    REFUSES(ws_manager_set_user_data, NULL, 1, NULL);
    IS_ZERO(ws_manager_connection_count, NULL);
    REFUSES(ws_manager_get_stats, NULL, &text, NULL);
    REFUSES(ws_manager_get_stats, manager, NULL, NULL);
    REFUSES(ws_manager_get_stats_within, NULL, 1, &text, NULL);
    REFUSES(ws_manager_get_stats_within, manager, 1, NULL, NULL);
    REFUSES(ws_manager_get_metrics, NULL, &text, NULL);
    REFUSES(ws_manager_get_metrics, manager, NULL, NULL);
    HAS_NO_EFFECT(ws_manager_free_text, NULL, NULL);
    HAS_NO_EFFECT(ws_manager_free_text, manager, NULL);
    IS_ZERO(ws_name_is_valid, NULL);
}

static void check_rooms(ws_manager *manager)
{
    REFUSES(ws_manager_join_room, NULL, 1, "r");
    REFUSES(ws_manager_join_room, manager, 1, NULL);
    REFUSES(ws_manager_leave_room, NULL, 1, "r");
    REFUSES(ws_manager_leave_room, manager, 1, NULL);
    REFUSES(ws_manager_reauthorize, NULL, 1);
    REFUSES(ws_manager_for_each_member, NULL, "r", stop, NULL);
    REFUSES(ws_manager_for_each_member, manager, NULL, stop, NULL);
    REFUSES(ws_manager_for_each_member, manager, "r", NULL, NULL);
    REFUSES(ws_manager_for_each_connection_of_user, NULL, "u", stop, NULL);
    REFUSES(ws_manager_for_each_connection_of_user, manager, NULL, stop, NULL);
    REFUSES(ws_manager_for_each_connection_of_user, manager, "u", NULL, NULL);
    REFUSES(ws_manager_disconnect_user, NULL, "u", WS_CLOSE_NORMAL, NULL);
    REFUSES(ws_manager_disconnect_user, manager, NULL, WS_CLOSE_NORMAL, NULL);
    REFUSES(ws_manager_join_room_of_user, NULL, "u", "r");
    REFUSES(ws_manager_join_room_of_user, manager, NULL, "r");
    REFUSES(ws_manager_join_room_of_user, manager, "u", NULL);
    REFUSES(ws_manager_leave_room_of_user, NULL, "u", "r");
    REFUSES(ws_manager_leave_room_of_user, manager, NULL, "r");
    REFUSES(ws_manager_leave_room_of_user, manager, "u", NULL);
    REFUSES(ws_manager_reauthorize_user, NULL, "u");
    REFUSES(ws_manager_reauthorize_user, manager, NULL);
    REFUSES(ws_manager_send_to_processes, NULL, "t", "1", 1);
    REFUSES(ws_manager_send_to_processes, manager, NULL, "1", 1);
    REFUSES(ws_manager_send_to_processes, manager, "t", NULL, 0);
    IS_ZERO(ws_manager_is_member, NULL, 1, "r");
    IS_ZERO(ws_manager_is_member, manager, 1, NULL);
}

static void check_events(ws_manager *manager, ws_event *event)
{
    ws_event *made = NULL;
    ws_last_values_options values;
    ws_room_history_options history;
    size_t length;

    ws_last_values_options_init(&values);
    ws_room_history_options_init(&history);
    REFUSES(ws_event_new, NULL, "stock_low", "1", 1, &made);
    REFUSES(ws_event_new, manager, NULL, "1", 1, &made);
    REFUSES(ws_event_new, manager, "stock_low", NULL, 0, &made);
    REFUSES(ws_event_new, manager, "stock_low", "1", 1, NULL);
    ck_assert_ptr_null(made);
    HAS_NO_EFFECT(ws_event_free, NULL);
    REFUSES(ws_event_set_user_id, NULL, "u");
    REFUSES(ws_event_set_user_id, event, NULL);
    REFUSES(ws_event_set_key, NULL, "k");
    REFUSES(ws_event_set_key, event, NULL);
    REFUSES(ws_event_set_sequence, NULL, "p", 1);
    REFUSES(ws_event_set_sequence, event, NULL, 1);
    REFUSES(ws_event_set_stored_callback, NULL, NULL, NULL);
    IS_NULL(ws_event_type, NULL);
    IS_NULL(ws_event_data, NULL, &length);
    IS_NULL(ws_event_user_id, NULL);
    IS_NULL(ws_event_id, NULL);
    IS_ZERO(ws_event_timestamp_ms, NULL);
    REFUSES(ws_manager_register_event_type, NULL, "t");
    REFUSES(ws_manager_register_event_type, manager, NULL);
    REFUSES(ws_manager_keep_last_values, NULL, &values);
    REFUSES(ws_manager_keep_last_values, manager, NULL);
    REFUSES(ws_manager_keep_room_history, NULL, &history);
    REFUSES(ws_manager_keep_room_history, manager, NULL);
    REFUSES(ws_manager_route_event_type, NULL, "stock_low", "r");
    REFUSES(ws_manager_route_event_type, manager, NULL, "r");
}

static void check_sending(ws_manager *manager, ws_event *event)
{
    REFUSES(ws_manager_broadcast, NULL, event, NULL, 0);
    REFUSES(ws_manager_broadcast, manager, NULL, NULL, 0);
    REFUSES(ws_manager_broadcast, manager, event, NULL, 1);
    REFUSES(ws_manager_broadcast_to_room, NULL, "r", event, NULL, 0);
    REFUSES(ws_manager_broadcast_to_room, manager, NULL, event, NULL, 0);
    REFUSES(ws_manager_broadcast_to_room, manager, "r", NULL, NULL, 0);
    REFUSES(ws_manager_broadcast_to_room, manager, "r", event, NULL, 1);
    REFUSES(ws_manager_send_to_user, NULL, "u", event, NULL, 0);
    REFUSES(ws_manager_send_to_user, manager, NULL, event, NULL, 0);
    REFUSES(ws_manager_send_to_user, manager, "u", NULL, NULL, 0);
    REFUSES(ws_manager_send_to_user, manager, "u", event, NULL, 1);
    REFUSES(ws_manager_send_personal_message, NULL, 1, event, NULL, 0);
    REFUSES(ws_manager_send_personal_message, manager, 1, NULL, NULL, 0);
    REFUSES(ws_manager_send_personal_message, manager, 1, event, NULL, 1);
    REFUSES(ws_manager_send_text, NULL, 1, "", 0);
    REFUSES(ws_manager_send_text, manager, 1, NULL, 1);
    REFUSES(ws_manager_send_binary, NULL, 1, "", 0);
    REFUSES(ws_manager_send_binary, manager, 1, NULL, 1);
    REFUSES(ws_manager_emit_event, NULL, event);
    REFUSES(ws_manager_emit_event, manager, NULL);
    REFUSES(ws_manager_emit_to_room, NULL, "r", "stock_low", "1", 1);
    REFUSES(ws_manager_emit_to_room, manager, NULL, "stock_low", "1", 1);
    REFUSES(ws_manager_emit_to_room, manager, "r", NULL, "1", 1);
    REFUSES(ws_manager_emit_to_room, manager, "r", "stock_low", NULL, 1);
    REFUSES(ws_manager_emit_to_user, NULL, "u", "stock_low", "1", 1);
    REFUSES(ws_manager_emit_to_user, manager, NULL, "stock_low", "1", 1);
    REFUSES(ws_manager_emit_to_user, manager, "u", NULL, "1", 1);
    REFUSES(ws_manager_emit_to_user, manager, "u", "stock_low", NULL, 1);
}

static void check_socketio(ws_manager *manager)
{
    ws_socketio_message message;

    ws_socketio_message_init(&message);
    REFUSES(ws_socketio_emit, manager, 1, &message);
    message.name = "a";
    REFUSES(ws_socketio_emit, NULL, 1, &message);
    REFUSES(ws_socketio_emit, manager, 1, NULL);
    REFUSES(ws_socketio_emit_with_ack, NULL, 1, &message, 1, ignore_ack, NULL);
    REFUSES(ws_socketio_emit_with_ack, manager, 1, NULL, 1, ignore_ack, NULL);
    REFUSES(ws_socketio_emit_with_ack, manager, 1, &message, 1, NULL, NULL);
    REFUSES(ws_socketio_ack, NULL, 1, 1, NULL);
    REFUSES(ws_socketio_ack, manager, 1, 1, &message);
    message.n_attachments = 1;
    REFUSES(ws_socketio_emit, manager, 1, &message);
    message.name = NULL;
    REFUSES(ws_socketio_ack, manager, 1, 1, &message);
}

#define EMITTER_REFUSES(type)                                                                  \
    REFUSES(emit_##type, NULL);                                                                \
    REFUSES(ws_manager_emit_##type, NULL, "1", 1);                                             \
    REFUSES(ws_manager_emit_##type, manager, NULL, 0)

static void check_emitters(ws_manager *manager)
{
    EMITTER_REFUSES(order_created);
    EMITTER_REFUSES(order_updated);
    EMITTER_REFUSES(order_status_changed);
    EMITTER_REFUSES(client_created);
    EMITTER_REFUSES(client_updated);
    EMITTER_REFUSES(inventory_updated);
    EMITTER_REFUSES(stock_low);
    EMITTER_REFUSES(user_connected);
    EMITTER_REFUSES(user_disconnected);
    REFUSES(emit_notification, NULL, "u", "info");
    REFUSES(emit_notification, "m", "u", NULL);
    REFUSES(ws_manager_emit_notification, NULL, "m", "u", "info");
    REFUSES(ws_manager_emit_notification, manager, NULL, "u", "info");
    REFUSES(ws_manager_emit_notification, manager, "m", "u", NULL);
    REFUSES(ws_emit, NULL, "1");
    REFUSES(ws_emit, "stock_low", NULL);
    REFUSES(ws_manager_emit, NULL, "stock_low", "1", 1);
    REFUSES(ws_manager_emit, manager, NULL, "1", 1);
    REFUSES(ws_manager_emit, manager, "stock_low", NULL, 0);
}

static void check_transports(ws_manager *manager, ws_loop *loop)
{
    ws_connect_options options;
    ws_conn_id connection;
    ws_loop *made = NULL;
    size_t length;

    ws_connect_options_init(&options);
    REFUSES(ws_loop_new, NULL, NULL, 0, &made);
    REFUSES(ws_loop_new, manager, NULL, 0, NULL);
    HAS_NO_EFFECT(ws_loop_free, NULL);
    ck_assert_uint_eq(CALLED(ws_loop_run)(NULL, 5), WS_NO_DEADLINE);
    IS_NULL(ws_loop_next_output, NULL);
    REFUSES(ws_manager_connect, NULL, loop, &options, &connection);
    REFUSES(ws_manager_connect, manager, NULL, &options, &connection);
    REFUSES(ws_manager_connect, manager, loop, NULL, &connection);
    REFUSES(ws_manager_connect, manager, loop, &options, NULL);
    REFUSES(ws_manager_receive, NULL, 1, "", 0, 1);
    REFUSES(ws_manager_receive, manager, 1, NULL, 1, 1);
    REFUSES(ws_manager_transport_writable, NULL, 1);
    REFUSES(ws_manager_transport_closed, NULL, 1, WS_CLOSE_ABNORMAL, NULL);
    IS_NULL(ws_message_payload, NULL, &length);
    IS_ZERO(ws_message_is_text, NULL);
    IS_NULL(ws_message_ref, NULL);
    HAS_NO_EFFECT(ws_message_unref, NULL);
}

static void check_cluster(ws_manager *manager)
{
    ws_cluster_event event = {.size = sizeof event};

    REFUSES(ws_manager_set_cluster, NULL, NULL, NULL);
    REFUSES(ws_cluster_new_epoch, NULL);
    REFUSES(ws_manager_cluster_start, NULL, "aaaaaaaaaa", 0, NULL, 0);
    REFUSES(ws_manager_cluster_start, manager, NULL, 0, NULL, 0);
    REFUSES(ws_manager_cluster_start, manager, "aaaaaaaaaa", 1, NULL, 1);
    REFUSES(ws_manager_cluster_start_with, NULL, "aaaaaaaaaa", 0, NULL, 0, NULL, 0);
    REFUSES(ws_manager_cluster_start_with, manager, NULL, 0, NULL, 0, NULL, 0);
    REFUSES(ws_manager_cluster_start_with, manager, "aaaaaaaaaa", 1, NULL, 1, NULL, 0);
    REFUSES(ws_manager_cluster_start_with, manager, "aaaaaaaaaa", 1, NULL, 0, NULL, 1);
    REFUSES(ws_manager_cluster_deliver, NULL, &event);
    REFUSES(ws_manager_cluster_deliver, manager, NULL);
    HAS_NO_EFFECT(ws_manager_cluster_stored, NULL, NULL, WS_OK, 1);
    HAS_NO_EFFECT(ws_manager_cluster_stored, manager, NULL, WS_OK, 1);
    REFUSES(ws_manager_cluster_fetched, NULL, &event, NULL, 0);
    REFUSES(ws_manager_cluster_fetched, manager, NULL, NULL, 0);
    REFUSES(ws_manager_cluster_fetched, manager, &event, NULL, 1);
    REFUSES(ws_manager_cluster_recalled, NULL, &event, NULL, 0);
    REFUSES(ws_manager_cluster_recalled, manager, NULL, NULL, 0);
    REFUSES(ws_manager_cluster_recalled, manager, &event, NULL, 1);
}

static int check_handshake(ws_handshake *handshake, void *user_data)
{
    const char *value;
    size_t length;

    *(int *)user_data += 1;
    IS_NULL(ws_handshake_path, NULL);
    IS_NULL(ws_handshake_query, NULL);
    IS_NULL(ws_handshake_header, NULL, "Host");
    IS_NULL(ws_handshake_header, handshake, NULL);
    REFUSES(ws_handshake_query_parameter, NULL, "a", &value, &length);
    REFUSES(ws_handshake_query_parameter, handshake, NULL, &value, &length);
    REFUSES(ws_handshake_query_parameter, handshake, "a", NULL, &length);
    IS_NULL(ws_handshake_websocket, NULL);
    IS_NULL(ws_handshake_host_data, NULL);
    IS_NULL(ws_handshake_method, NULL);
    REFUSES(ws_handshake_set_user_id, NULL, "u");
    REFUSES(ws_handshake_set_user_id, handshake, NULL);
    HAS_NO_EFFECT(ws_handshake_set_user_data, NULL, NULL);
    REFUSES(ws_handshake_set_subprotocol, NULL, "p");
    HAS_NO_EFFECT(ws_handshake_decline_deflate, NULL);
    IS_NULL(ws_handshake_auth, NULL);
    IS_NULL(ws_handshake_namespace, NULL);
    REFUSES(ws_handshake_refuse, NULL, 403, NULL);
    return WS_OK;
}

static void check_websocket(ws_loop *loop, ws_endpoint *endpoint, ws_websocket *websocket)
{
    static const ws_header headers[] = {
        {"Host", "h"},
        {"Upgrade", "websocket"},
        {"Connection", "Upgrade"},
        {"Sec-WebSocket-Version", "13"},
        {"Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="},
    };
    enum { N_HEADERS = sizeof headers / sizeof *headers };
    struct iovec piece;
    ws_websocket *made = NULL;

    REFUSES(ws_websocket_new, NULL, endpoint, NULL, &made);
    REFUSES(ws_websocket_new, loop, NULL, NULL, &made);
    REFUSES(ws_websocket_new, loop, endpoint, NULL, NULL);
    HAS_NO_EFFECT(ws_websocket_free, NULL);
    IS_NULL(ws_websocket_user_data, NULL);
    IS_ZERO(ws_websocket_id, NULL);
    REFUSES(ws_websocket_upgrade, NULL, "GET", 1, 1, "/", headers, N_HEADERS);
    REFUSES(ws_websocket_upgrade, websocket, NULL, 1, 1, "/", headers, N_HEADERS);
    REFUSES(ws_websocket_upgrade, websocket, "GET", 1, 1, NULL, headers, N_HEADERS);
    REFUSES(ws_websocket_upgrade, websocket, "GET", 1, 1, "/", NULL, N_HEADERS);
    ck_assert_int_eq(ws_websocket_upgrade(websocket, "GET", 1, 1, "/?a=b", headers, N_HEADERS),
                     WS_OK);
    REFUSES(ws_websocket_receive, NULL, "", 0);
    REFUSES(ws_websocket_receive, websocket, NULL, 1);
    IS_ZERO(ws_websocket_wants_read, NULL);
    HAS_NO_EFFECT(ws_websocket_eof, NULL);
    IS_ZERO(ws_websocket_output, NULL, &piece, 1);
    IS_ZERO(ws_websocket_output, websocket, NULL, 1);
    REFUSES(ws_websocket_sent, NULL, 0);
    REFUSES(ws_websocket_read_fd, NULL, 0);
    REFUSES(ws_websocket_read_fd, websocket, -1);
    REFUSES(ws_websocket_write_fd, NULL, 0);
    REFUSES(ws_websocket_write_fd, websocket, -1);
    IS_ZERO(ws_websocket_ended, NULL);
    REFUSES(ws_websocket_close, NULL, WS_CLOSE_NORMAL, NULL);
}

static void check_http(ws_manager *manager, ws_loop *loop, ws_endpoint *endpoint)
{
    ws_http_response_head head;
    ws_http_request request;
    struct iovec piece;
    ws_http *http;

    ws_http_request_init(&request);
    REFUSES(ws_http_new, loop, endpoint, NULL, &request, &http);
    request.method = "POST";
    REFUSES(ws_http_new, loop, endpoint, NULL, &request, &http);
    request.target = "/";
    REFUSES(ws_http_new, NULL, endpoint, NULL, &request, &http);
    REFUSES(ws_http_new, loop, NULL, NULL, &request, &http);
    REFUSES(ws_http_new, loop, endpoint, NULL, NULL, &http);
    REFUSES(ws_http_new, loop, endpoint, NULL, &request, NULL);
    request.body_only = 1;
    ck_assert_int_eq(ws_http_new(loop, endpoint, NULL, &request, &http), WS_OK);
    IS_NULL(ws_http_user_data, NULL);
    IS_ZERO(ws_http_id, NULL);
    IS_ZERO(ws_http_wants_read, NULL);
    REFUSES(ws_http_receive, NULL, "", 0);
    REFUSES(ws_http_receive, http, NULL, 1);
    REFUSES(ws_http_end, NULL);
    HAS_NO_EFFECT(ws_http_eof, NULL);
    REFUSES(ws_http_response, NULL, &head);
    REFUSES(ws_http_response, http, NULL);
    IS_ZERO(ws_http_output, NULL, &piece, 1);
    IS_ZERO(ws_http_output, http, NULL, 1);
    REFUSES(ws_http_sent, NULL, 0);
    IS_ZERO(ws_http_ended, NULL);
    IS_ZERO(ws_http_keeps_alive, NULL);
    REFUSES(ws_http_close, NULL, WS_CLOSE_NORMAL, NULL);
    HAS_NO_EFFECT(ws_http_free, NULL);
    ws_http_free(http);
    IS_NULL(ws_manager_session_loop, NULL, "/?sid=x");
    IS_NULL(ws_manager_session_loop, manager, NULL);
    IS_NULL(ws_loop_next_http, NULL);
    IS_ZERO(ws_loop_unfetched_sessions, NULL);
}

static void check_websockets(ws_manager *manager, ws_loop *loop)
{
    int n_handshakes = 0;
    ws_endpoint_options options;
    ws_endpoint *endpoint;
    ws_websocket *websocket;

    ws_endpoint_options_init(&options);
    options.accept_handshake = check_handshake;
    options.user_data = &n_handshakes;
    REFUSES(ws_endpoint_new, NULL, &options, &endpoint);
    REFUSES(ws_endpoint_new, manager, &options, NULL);
    HAS_NO_EFFECT(ws_endpoint_free, NULL);
    IS_NULL(ws_endpoint_manager, NULL);
    ck_assert_int_eq(ws_endpoint_new(manager, &options, &endpoint), WS_OK);
    ck_assert_int_eq(ws_websocket_new(loop, endpoint, NULL, &websocket), WS_OK);
    check_websocket(loop, endpoint, websocket);
    ck_assert_int_eq(n_handshakes, 1);
    ws_websocket_free(websocket);
    check_http(manager, loop, endpoint);
    ws_endpoint_free(endpoint);
}

/* For which NULL means something, and which take no pointer. */
static void check_others(void)
{
    CALLED(ws_manager_set_default)(NULL);
    ck_assert_ptr_nonnull(CALLED(ws_manager_default)());
    ws_manager_set_default(NULL);
    ck_assert_ptr_nonnull(CALLED(ws_manager_version)());
    ck_assert_int_eq(CALLED(ws_manager_version_num)(), WS_MANAGER_VERSION_NUM);
    ck_assert_ptr_nonnull(CALLED(ws_strerror)(WS_OK));
}

START_TEST(null_is_refused_where_it_means_nothing)
{
    ws_event *event;

    host_open(&host);
    ck_assert_int_eq(ws_event_new(host.manager, "stock_low", "1", 1, &event), WS_OK);
    check_options();
    check_manager(host.manager);
    check_rooms(host.manager);
    check_events(host.manager, event);
    check_sending(host.manager, event);
    check_socketio(host.manager);
    check_emitters(host.manager);
    check_transports(host.manager, host.loop);
    check_cluster(host.manager);
    check_websockets(host.manager, host.loop);
    check_others();
    calls_expect_all(VERSION_SCRIPT);
    /* Nothing came of all that. */
    ck_assert_int_eq(ws_manager_broadcast(host.manager, event, NULL, 0), WS_OK);
    ck_assert_str_eq(strrchr(ws_event_id(event), '.'), ".1");
    ws_event_free(event);
    host_close(&host);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {null_is_refused_where_it_means_nothing, NULL};

    return suite_run("null", tests);
}
