/* socketio_messages_test.c: what clients of Socket.IO receive and send: the manager's events,
 * requests and their acknowledgements, events of the application, attachments. */
#include <stdio.h>
#include <string.h>

#include "core/costs.h"
#include "core/loop_state.h"
#include "websocket/socketio_host.h"

#define EVENT_REST ",\"timestamp\":\"2026-11-24T22:00:00.123Z\",\"user_id\":null}"

static void setup(void)
{
    socketio_open(NULL);
}

static void teardown(void)
{
    socketio_close();
}

static void emit(const char *type, const char *data)
{
    ws_event *event = NULL;

    ck_assert_int_eq(ws_event_new(host.manager, type, data, strlen(data), &event), WS_OK);
    ck_assert_int_eq(ws_manager_broadcast(host.manager, event, NULL, 0), WS_OK);
    ws_event_free(event);
}

/* Takes the id of an event, which must be its last argument, out of its packet. */
static void take_offset(char *text)
{
    static const char before[] = ",{\"id\":";
    const char *id = strstr(text, before);
    char offset[64];
    char *last;

    if (id == NULL)
        return;
    id += sizeof before - 1;
    snprintf(offset, sizeof offset, ",%.*s]", (int)(strchr(id + 1, '"') + 1 - id), id);
    last = text + strlen(text) - strlen(offset);
    ck_assert_str_eq(last, offset);
    last[0] = ']';
    last[1] = '\0';
}

/* Checks that the next frame is an event of the manager, whose text contains these parts, apart
 * from its last argument if it has an id. */
static void expect_event(struct peer *peer, const char *begin, const char *end)
{
    static char text[32768];
    struct frame frame;

    ck_assert(peer_next(peer, &frame));
    ck_assert_uint_eq(frame.opcode, TEXT);
    ck_assert_uint_ge(frame.length, strlen(begin) + strlen(end));
    snprintf(text, sizeof text, "%.*s", (int)frame.length, (const char *)frame.payload);
    take_offset(text);
    ck_assert_msg(strncmp(text, begin, strlen(begin)) == 0, "%s", text);
    ck_assert_msg(strcmp(text + strlen(text) - strlen(end), end) == 0, "%s", text);
}

/* --- events of the manager -------------------------------------------------------------------- */

START_TEST(an_event_is_emitted_with_its_whole_message)
{
    struct peer *peer = socketio_client();

    emit("order_created", "{\"a\":[1]}");
    host_turn(&host);
    expect_event(peer, "42[\"order_created\",{\"id\":\"",
                 ".1\",\"type\":\"order_created\",\"data\":{\"a\":[1]}" EVENT_REST "]");
    peer_expect_nothing(peer);
}
END_TEST

START_TEST(events_of_one_turn_come_in_order)
{
    struct peer *peer = socketio_client();
    char begin[64];

    for (int i = 0; i < 50; i++)
        emit(i % 2 == 0 ? "order_created" : "stock_low", "null");
    host_turn(&host);
    for (int i = 0; i < 50; i++) {
        snprintf(begin, sizeof begin, "42[\"%s\",{\"id\":\"",
                 i % 2 == 0 ? "order_created" : "stock_low");
        expect_event(peer, begin, "\"data\":null" EVENT_REST "]");
    }
    peer_expect_nothing(peer);
}
END_TEST

START_TEST(all_clients_share_the_bytes)
{
    struct iovec iov[2][4];
    struct peer *peers[2] = {socketio_client(), socketio_client()};

    emit("order_created", "1");
    ws_loop_run(host.loop, host.now);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(ws_websocket_output(peers[i]->websocket, iov[i], 4), 1);
    ck_assert_ptr_eq(iov[0][0].iov_base, iov[1][0].iov_base);
}
END_TEST

START_TEST(large_bundles_come_whole)
{
    static char data[20000];
    struct peer *peer;
    struct host_options options;

    socketio_close();
    socketio_options_init(&options);
    socketio_open(&options);
    peer = socketio_client();
    memset(data, 'x', sizeof data);
    data[0] = data[sizeof data - 2] = '"';
    data[sizeof data - 1] = '\0';
    for (int i = 0; i < 7; i++)
        emit("order_created", data);
    host_turn(&host);
    for (int i = 0; i < 7; i++)
        expect_event(peer, "42[\"order_created\",{", "x\"" EVENT_REST "]");
    peer_expect_nothing(peer);
}
END_TEST

START_TEST(events_are_compressed_once_for_all)
{
    struct iovec iov[2][4];
    struct peer *peers[2];
    char data[600];

    for (int i = 0; i < 2; i++) {
        peers[i] = socketio_session("Sec-WebSocket-Extensions: permessage-deflate\r\n");
        ck_assert_int_eq(peers[i]->window_bits, 15);
        socketio_send(peers[i], "40");
        socketio_expect_prefix(peers[i], "40{");
    }
    memset(data, 'x', sizeof data);
    data[0] = data[sizeof data - 2] = '"';
    data[sizeof data - 1] = '\0';
    emit("order_created", data);
    ws_loop_run(host.loop, host.now);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(ws_websocket_output(peers[i]->websocket, iov[i], 4), 1);
    ck_assert_ptr_eq(iov[0][0].iov_base, iov[1][0].iov_base);
    ck_assert_uint_lt(iov[0][0].iov_len, 300);
    host_turn(&host);
    expect_event(peers[0], "42[\"order_created\",{", "x\"" EVENT_REST "]");
    expect_event(peers[1], "42[\"order_created\",{", "x\"" EVENT_REST "]");
}
END_TEST

START_TEST(a_type_that_socketio_reserves_becomes_message)
{
    struct peer *peer = socketio_client();

    ws_manager_register_event_type(host.manager, "disconnect");
    ws_manager_register_event_type(host.manager, "a\"b\\");
    emit("disconnect", "1");
    emit("a\"b\\", "1");
    host_turn(&host);
    expect_event(peer, "42[\"message\",{\"id\":\"",
                 "\"type\":\"disconnect\",\"data\":1" EVENT_REST "]");
    expect_event(peer, "42[\"a\\\"b\\\\\",{\"id\":\"", "\"data\":1" EVENT_REST "]");
}
END_TEST

START_TEST(personal_messages_and_texts_are_emitted)
{
    struct peer *peer = socketio_client();
    ws_conn_id id = socketio_id(peer);
    ws_event *event = NULL;

    ws_event_new(host.manager, "notification", "1", 1, &event);
    ck_assert_int_eq(ws_manager_send_personal_message(host.manager, id, event, NULL, 0), WS_OK);
    ws_event_free(event);
    ck_assert_int_eq(ws_manager_send_text(host.manager, id, "a\"b", 3), WS_OK);
    ck_assert_int_eq(ws_manager_send_binary(host.manager, id, "\1\2", 2), WS_OK);
    host_turn(&host);
    socketio_expect(peer,
                    "42[\"notification\",{\"type\":\"notification\",\"data\":1" EVENT_REST "]");
    socketio_expect(peer, "42[\"message\",\"a\\\"b\"]");
    socketio_expect(peer, "451-[\"message\",{\"_placeholder\":true,\"num\":0}]");
    peer_expect(peer, BINARY, "\1\2", 2);
}
END_TEST

START_TEST(another_namespace_gets_only_its_own)
{
    struct peer *peer = socketio_session("");
    ws_event *event = NULL;

    socketio_send(peer, "40/custom");
    socketio_expect_prefix(peer, "40/custom,{");
    emit("order_created", "1");
    host_turn(&host);
    peer_expect_nothing(peer);
    socketio_send(peer, "42/custom,[\"x\"]");
    ck_assert_str_eq(seen.name_space, "/custom");
    ck_assert_int_eq(socketio_emit(seen.connection, "y", "[1]"), WS_OK);
    ws_event_new(host.manager, "notification", "1", 1, &event);
    ws_manager_send_personal_message(host.manager, seen.connection, event, NULL, 0);
    ws_event_free(event);
    ws_manager_send_text(host.manager, seen.connection, "t", 1);
    host_turn(&host);
    socketio_expect(peer, "42/custom,[\"y\",1]");
    socketio_expect_prefix(peer, "42/custom,[\"notification\",{\"type\":");
    socketio_expect(peer, "42/custom,[\"message\",\"t\"]");
    ck_assert_int_eq(ws_manager_join_room(host.manager, seen.connection, "r"), WS_OK);
    host_turn(&host);
    ck_assert(!ws_manager_is_member(host.manager, seen.connection, "r"));
}
END_TEST

START_TEST(presence_is_of_the_default_namespace)
{
    struct host_options options;
    struct peer *first;
    struct peer *second;

    socketio_close();
    socketio_options_init(&options);
    options.manager.presence_events = WS_PRESENCE_EVERYONE;
    socketio_open(&options);
    first = socketio_client();
    second = socketio_session("");
    socketio_send(second, "40/custom");
    host_turn(&host);
    peer_expect_nothing(first);
    socketio_send(second, "40");
    host_turn(&host);
    socketio_expect_prefix(first, "42[\"user_connected\",{\"type\":\"user_connected\"");
    socketio_send(second, "41");
    host_turn(&host);
    socketio_expect_prefix(first, "42[\"user_disconnected\",{");
}
END_TEST

/* --- requests --------------------------------------------------------------------------------- */

START_TEST(rooms_are_joined_and_left_with_acknowledgements)
{
    struct peer *peer = socketio_client();
    ws_event *event = NULL;

    socketio_send(peer, "427[\"join_room\",\"orders\"]");
    expect_event(peer, "437[{\"type\":\"room_joined\",\"data\":{\"room\":\"orders\",\"id\":\"",
                 ".0\"}}]");
    ck_assert(ws_manager_is_member(host.manager, socketio_id(peer), "orders"));
    ws_event_new(host.manager, "order_created", "1", 1, &event);
    ws_manager_broadcast_to_room(host.manager, "orders", event, NULL, 0);
    ws_event_free(event);
    host_turn(&host);
    expect_event(peer, "42[\"order_created\",{", ",\"room\":\"orders\"}]");
    socketio_send(peer, "420[\"leave_room\",\"orders\"]");
    expect_event(peer, "430[{\"type\":\"room_left\",\"data\":{\"room\":\"orders\",\"id\":\"",
                 ".1\"}}]");
    socketio_send(peer, "428[\"leave_room\",\"orders\"]");
    socketio_expect(peer, "438[{\"type\":\"error\",\"data\":{\"code\":\"not_member\","
                          "\"message\":\"the connection is not in that room\"}}]");
    ck_assert_uint_eq(seen.n_events, 0);
}
END_TEST

START_TEST(without_an_acknowledgement_answers_are_events)
{
    struct peer *peer = socketio_client();

    socketio_send(peer, "42[\"join_room\",\"a\"]");
    expect_event(peer, "42[\"room_joined\",{\"type\":\"room_joined\",\"data\":{\"room\":\"a\"",
                 "}}]");
    socketio_send(peer, "42[\"leave_room\",\"b\"]");
    expect_event(peer, "42[\"error\",{\"type\":\"error\",\"data\":{\"code\":\"not_member\"",
                 "}}]");
}
END_TEST

START_TEST(requests_without_a_name_are_answered_with_an_error)
{
    static const char *const bad[] = {"421[\"join_room\"]", "421[\"join_room\",1]",
                                      "421[\"join_room\",\"\"]", "421[\"leave_room\",{}]",
                                      "421[\"join_room\",\"a\\u0000\"]"};
    struct peer *peer = socketio_client();

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        socketio_send(peer, bad[i]);
        socketio_expect(peer, "431[{\"type\":\"error\",\"data\":{\"code\":\"bad_request\","
                              "\"message\":\"the argument must be the name of a room\"}}]");
    }
}
END_TEST

static int refuse_join(ws_manager *manager, const ws_connection_info *connection,
                       const char *room, void *user_data)
{
    (void)manager;
    (void)connection;
    (void)room;
    (void)user_data;
    return WS_ERR_FORBIDDEN;
}

static int check_token(ws_manager *manager, const ws_connection_info *connection,
                       const char *token, void *user_data)
{
    (void)manager;
    (void)connection;
    (void)user_data;
    return strcmp(token, "good") == 0 ? WS_OK : WS_ERR_FORBIDDEN;
}

START_TEST(the_application_decides_about_requests)
{
    struct host_options options;
    struct peer *peer;

    socketio_close();
    socketio_options_init(&options);
    options.manager.authorize_join = refuse_join;
    options.manager.authenticate = check_token;
    socketio_open(&options);
    peer = socketio_client();
    socketio_send(peer, "421[\"join_room\",\"a\"]");
    socketio_expect(peer, "431[{\"type\":\"error\",\"data\":{\"code\":\"forbidden\","
                          "\"message\":\"not allowed\"}}]");
    socketio_send(peer, "422[\"authenticate\",\"good\"]");
    expect_event(peer, "432[{\"type\":\"authenticated\",\"data\":{\"id\":\"", "\"}}]");
    socketio_send(peer, "423[\"authenticate\",\"bad\"]");
    socketio_expect_prefix(peer, "433[{\"type\":\"error\",\"data\":{\"code\":\"forbidden\"");
    ck_assert_uint_eq(seen.n_events, 0);
}
END_TEST

START_TEST(requests_and_events_keep_their_order)
{
    struct peer *peer = socketio_client();
    struct bytes bytes = {NULL, 0, 0};

    client_text(&bytes, FIN | TEXT, "421[\"join_room\",\"a\"]");
    client_text(&bytes, FIN | TEXT, "42[\"first\"]");
    client_text(&bytes, FIN | TEXT, "422[\"leave_room\",\"a\"]");
    client_text(&bytes, FIN | TEXT, "41");
    client_text(&bytes, FIN | TEXT, "42[\"late\"]");
    peer_send(peer, &bytes);
    bytes_free(&bytes);
    socketio_expect_prefix(peer, "431[{\"type\":\"room_joined\"");
    socketio_expect_prefix(peer, "432[{\"type\":\"room_left\"");
    peer_expect_nothing(peer);
    ck_assert_uint_eq(seen.n_events, 1);
    ck_assert_str_eq(seen.name, "first");
}
END_TEST

START_TEST(the_rate_of_events_is_limited)
{
    struct host_options options;
    struct peer *peer;

    socketio_close();
    socketio_options_init(&options);
    options.manager.message_rate = 1;
    options.manager.message_burst = 2;
    socketio_open(&options);
    peer = socketio_client();
    for (int i = 0; i < 3; i++)
        socketio_send(peer, "421[\"x\"]");
    ck_assert_uint_eq(seen.n_events, 2);
    socketio_expect(peer, "431[{\"type\":\"error\",\"data\":{\"code\":\"rate_limited\","
                          "\"message\":\"too many messages\"}}]");
    socketio_send(peer, "42[\"x\"]");
    socketio_expect_prefix(peer, "42[\"error\",{");
    socketio_send(peer, "42[\"x\"]");
    peer_expect_close_reason(peer, 1008, "too many messages");
}
END_TEST

/* --- events of the application --------------------------------------------------------------- */

START_TEST(events_reach_the_application)
{
    struct peer *peer = socketio_client();

    socketio_send(peer, "42[\"a\\u00e9\",1,\"2\",{\"3\":[true]}]");
    ck_assert_uint_eq(seen.n_events, 1);
    ck_assert_uint_eq(seen.connection, socketio_id(peer));
    ck_assert_str_eq(seen.name_space, "/");
    ck_assert_str_eq(seen.name, "a\xc3\xa9");
    ck_assert_str_eq(seen.args, "[1,\"2\",{\"3\":[true]}]");
    ck_assert_str_eq(seen.attachments, "");
    ck_assert_int_eq(seen.ack_id, WS_SOCKETIO_NO_ACK);
    socketio_send(peer, "4212[7]");
    ck_assert_str_eq(seen.name, "7");
    ck_assert_str_eq(seen.args, "[]");
    ck_assert_int_eq(seen.ack_id, 12);
    socketio_send(peer, "4213[\"\\u0000\"]");
    ck_assert_uint_eq(seen.n_events, 2);
    socketio_expect_prefix(peer, "4313[{\"type\":\"error\",\"data\":{\"code\":\"bad_request\"");
    host_expect_stats(&host, "\"received_messages\":3,");
}
END_TEST

START_TEST(without_on_event_events_are_answered_with_an_error)
{
    struct host_options options;
    struct peer *peer;

    socketio_close();
    socketio_options_init(&options);
    options.endpoint.socketio = NULL;
    socketio_open(&options);
    peer = socketio_client();
    socketio_send(peer, "421[\"x\"]");
    socketio_expect_prefix(peer, "431[{\"type\":\"error\",\"data\":{\"code\":\"unknown_type\"");
}
END_TEST

START_TEST(an_event_is_acknowledged_later)
{
    struct peer *peer = socketio_client();
    const ws_socketio_attachment bytes[] = {{"\1\2", 2}, {NULL, 0}};
    ws_socketio_message message;

    socketio_send(peer, "429007199254740991[\"x\"]");
    peer_expect_nothing(peer);
    message = socketio_message(NULL, " [ 1, 2 ] ");
    ck_assert_int_eq(ws_socketio_ack(host.manager, seen.connection, seen.ack_id, &message),
                     WS_OK);
    ck_assert_int_eq(ws_socketio_ack(host.manager, seen.connection, 0, NULL), WS_OK);
    message = socketio_message(NULL, "[{\"_placeholder\":true,\"num\":1}]");
    message.attachments = bytes;
    message.n_attachments = 2;
    ck_assert_int_eq(ws_socketio_ack(host.manager, seen.connection, 1, &message), WS_OK);
    host_turn(&host);
    socketio_expect(peer, "439007199254740991[ 1, 2 ] ");
    socketio_expect(peer, "430[]");
    socketio_expect(peer, "462-1[{\"_placeholder\":true,\"num\":1}]");
    peer_expect(peer, BINARY, "\1\2", 2);
    peer_expect(peer, BINARY, "", 0);
}
END_TEST

/* Emits an event with attachments. */
static int emit_bytes(ws_conn_id connection, const char *args,
                      const ws_socketio_attachment *attachments, size_t n_attachments)
{
    ws_socketio_message message = socketio_message("x", args);

    message.attachments = attachments;
    message.n_attachments = n_attachments;
    return ws_socketio_emit(host.manager, connection, &message);
}

START_TEST(emitting_checks_its_arguments)
{
    const ws_socketio_attachment bytes = {"x", 1};
    const ws_socketio_attachment no_bytes = {NULL, 1};
    struct peer *peer = socketio_client();
    ws_conn_id id = socketio_id(peer);
    ws_socketio_message message = socketio_message("x", NULL);

    message.flags = 2;
    ck_assert_int_eq(ws_socketio_emit(host.manager, id, &message), WS_ERR_INVALID);
    message.flags = WS_SOCKETIO_VOLATILE;
    message.size = 1;
    ck_assert_int_eq(ws_socketio_emit(host.manager, id, &message), WS_ERR_INVALID);
    ck_assert_int_eq(socketio_emit(id, "connect", NULL), WS_ERR_INVALID);
    ck_assert_int_eq(socketio_emit(id, "\xff", NULL), WS_ERR_INVALID);
    ck_assert_int_eq(socketio_emit(id, "x", "{}"), WS_ERR_BAD_JSON);
    ck_assert_int_eq(socketio_emit(id, "x", "["), WS_ERR_BAD_JSON);
    ck_assert_int_eq(socketio_emit(id, "x", ""), WS_ERR_BAD_JSON);
    ck_assert_int_eq(emit_bytes(id, "[]", NULL, 1), WS_ERR_INVALID);
    ck_assert_int_eq(emit_bytes(id, "[]", &bytes, 256), WS_ERR_INVALID);
    ck_assert_int_eq(emit_bytes(id, "[]", &no_bytes, 1), WS_ERR_INVALID);
    ck_assert_int_eq(emit_bytes(id, "[{\"_placeholder\":true,\"num\":1}]", &bytes, 1),
                     WS_ERR_INVALID);
    ck_assert_int_eq(socketio_emit(id + 1, "x", NULL), WS_ERR_NOT_FOUND);
    ck_assert_int_eq(ws_socketio_ack(host.manager, id, -1, NULL), WS_ERR_INVALID);
    ck_assert_int_eq(ws_socketio_ack(host.manager, id, INT64_MAX, NULL), WS_ERR_INVALID);
    message = socketio_message("x", NULL);
    ck_assert_int_eq(ws_socketio_ack(host.manager, id, 1, &message), WS_ERR_INVALID);
    message = socketio_message(NULL, NULL);
    message.flags = WS_SOCKETIO_VOLATILE;
    ck_assert_int_eq(ws_socketio_ack(host.manager, id, 1, &message), WS_ERR_INVALID);
    ck_assert_int_eq(socketio_emit(id, "", "[ ]"), WS_OK);
    host_turn(&host);
    socketio_expect(peer, "42[\"\" ]");
    peer_expect_nothing(peer);
}
END_TEST

START_TEST(a_connection_of_another_protocol_is_no_socket)
{
    struct peer *peer;

    socketio_close();
    host_open(&host, NULL);
    peer = host_client(&host);
    ck_assert_int_eq(socketio_emit(socketio_id(peer), "x", NULL), WS_ERR_FORBIDDEN);
}
END_TEST

START_TEST(a_volatile_event_is_dropped_if_anything_waits)
{
    struct peer *peer = socketio_client();
    ws_conn_id id = socketio_id(peer);
    ws_socketio_message message = socketio_message("a", NULL);

    message.flags = WS_SOCKETIO_VOLATILE;
    peer->writable = 0;
    ws_socketio_emit(host.manager, id, &message);
    message.name = "b";
    ws_socketio_emit(host.manager, id, &message);
    socketio_emit(id, "c", NULL);
    host_turn(&host);
    peer->writable = SIZE_MAX;
    peer_write(peer);
    socketio_expect(peer, "42[\"a\"]");
    socketio_expect(peer, "42[\"c\"]");
    peer_expect_nothing(peer);
}
END_TEST

/* --- acknowledgements of clients -------------------------------------------------------------- */

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
    setup();
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
    teardown();
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

/* --- attachments ------------------------------------------------------------------------------ */

START_TEST(attachments_are_collected)
{
    struct peer *peer = socketio_client();

    socketio_send(peer, "452-8[\"x\",{\"_placeholder\":true,\"num\":1}]");
    peer_send_frame(peer, FIN | BINARY, "ab", 2);
    ck_assert_uint_eq(seen.n_events, 0);
    socketio_send(peer, "3"); /* a heartbeat may come between */
    peer_send_frame(peer, FIN | BINARY, "", 0);
    ck_assert_uint_eq(seen.n_events, 1);
    ck_assert_str_eq(seen.args, "[{\"_placeholder\":true,\"num\":1}]");
    ck_assert_str_eq(seen.attachments, "ab||");
    ck_assert_int_eq(seen.ack_id, 8);
    socketio_send(peer, "450-[\"none\"]");
    ck_assert_str_eq(seen.name, "none");
    socketio_send(peer, "451-/custom,[\"x\"]"); /* not connected there: ignored as a whole */
    peer_send_frame(peer, FIN | BINARY, "ab", 2);
    ck_assert_uint_eq(seen.n_events, 2);
    peer_expect_nothing(peer);
}
END_TEST

START_TEST(attachments_are_limited)
{
    static const char packet[] = "452-[\"x\"]";
    char bytes[600] = {0};
    struct peer *peer = socketio_client();

    socketio_send(peer, "453-[\"x\"]");
    peer_expect_close_reason(peer, 1009, "too many attachments");
    peer = socketio_client();
    socketio_send(peer, packet);
    peer_send_frame(peer, FIN | BINARY, bytes, sizeof bytes);
    peer_send_frame(peer, FIN | BINARY, bytes, sizeof bytes);
    peer_expect_close_reason(peer, 1009, "the attachments are too large");
    peer = socketio_client();
    peer_send_frame(peer, FIN | BINARY, bytes, 1);
    peer_expect_close_reason(peer, 1002, "an attachment of no packet");
    peer = socketio_client();
    socketio_send(peer, packet);
    socketio_send(peer, "42[\"x\"]");
    peer_expect_close(peer, 1002);
    ck_assert_uint_eq(seen.n_events, 0);
    peer = socketio_client(); /* freed while it waits */
    socketio_send(peer, packet);
    peer_send_frame(peer, FIN | BINARY, bytes, 1);
}
END_TEST

START_TEST(what_is_no_packet_closes_the_websocket)
{
    static const char *const bad[] = {"",          "9",           "0{}",       "2",
                                      "5",         "4",           "49",        "42{}",
                                      "42[]",      "43[]",        "44{}",      "41{}",
                                      "42[\"a\"x", "4/a,[\"x\"]", "45[\"x\"]", "42/no,[\"x\"]"};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct peer *peer = socketio_client();

        socketio_send(peer, bad[i]);
        peer_expect_close(peer, 1002);
        ck_assert_uint_eq(host.code, 1002);
        peer_free(peer);
    }
    host_expect_stats(&host, "\"protocol_errors\":16,");
}
END_TEST

START_TEST(a_session_must_be_connected_before_it_sends)
{
    struct peer *peer = socketio_session("");

    socketio_send(peer, "42[\"x\"]");
    peer_expect_close_reason(peer, 1002, "the namespace is not connected");
    peer = socketio_session("");
    socketio_send(peer, "451-[\"x\"]");
    peer_expect_close_reason(peer, 1002, "the namespace is not connected");
}
END_TEST

/* --- slow clients ----------------------------------------------------------------------------- */

START_TEST(a_slow_client_is_closed_so_that_it_returns)
{
    struct host_options options;
    struct peer *peer;

    socketio_close();
    socketio_options_init(&options);
    options.endpoint.max_queue_bytes = 1000;
    socketio_open(&options);
    peer = socketio_client();
    socketio_send(peer, "40/custom");
    socketio_expect_prefix(peer, "40/custom");
    peer->writable = 0;
    for (int i = 0; i < 20; i++) {
        emit("order_created", "1");
        host_turn(&host);
    }
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 0);
    ck_assert_uint_eq(host.code, 1013);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 2);
}
END_TEST

START_TEST(a_session_has_no_place_for_its_own_packets_beyond_the_limit)
{
    struct host_options options;
    struct peer *peer;

    socketio_close();
    socketio_options_init(&options);
    options.endpoint.max_queue_bytes = 600;
    socketio_open(&options);
    peer = socketio_client();
    peer->writable = 0;
    for (int i = 0; i < 25; i++) /* fewer than may connect in a minute */
        socketio_send(peer, "40/other");
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 0);
    ck_assert_uint_eq(host.code, 1013);
    host_expect_stats(&host, "\"slow_client\":1,");
    peer->writable = SIZE_MAX;
    peer_write(peer);
    peer_expect_close_reason(peer, 1013, "too slow");
    peer_expect_nothing(peer);
}
END_TEST

/* --- Engine.IO alone -------------------------------------------------------------------------- */

START_TEST(engineio_carries_raw_messages)
{
    struct host_options options;
    struct peer *peer;

    socketio_close();
    socketio_options_init(&options);
    options.endpoint.protocol = WS_PROTOCOL_ENGINEIO;
    socketio_open(&options);
    peer = socketio_session("");
    ck_assert_uint_eq(host.called[HOST_CONNECT], 1);
    ck_assert_uint_ne(socketio_id(peer), 0);
    socketio_send(peer, "4hello");
    socketio_expect(peer, "4hello");
    peer_send_frame(peer, FIN | BINARY, "\1\2", 2);
    peer_expect(peer, BINARY, "\1\2", 2);
    ck_assert_int_eq(socketio_emit(socketio_id(peer), "x", NULL), WS_ERR_FORBIDDEN);
    ws_manager_disconnect(host.manager, socketio_id(peer), 4000, "bye");
    host_turn(&host);
    peer_expect_close_reason(peer, 4000, "bye");
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 1);
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("socketio-messages");
    TCase *cases = tcase_create("socketio-messages");

    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, an_event_is_emitted_with_its_whole_message);
    tcase_add_test(cases, events_of_one_turn_come_in_order);
    tcase_add_test(cases, all_clients_share_the_bytes);
    tcase_add_test(cases, large_bundles_come_whole);
    tcase_add_test(cases, events_are_compressed_once_for_all);
    tcase_add_test(cases, a_type_that_socketio_reserves_becomes_message);
    tcase_add_test(cases, personal_messages_and_texts_are_emitted);
    tcase_add_test(cases, another_namespace_gets_only_its_own);
    tcase_add_test(cases, presence_is_of_the_default_namespace);
    tcase_add_test(cases, rooms_are_joined_and_left_with_acknowledgements);
    tcase_add_test(cases, without_an_acknowledgement_answers_are_events);
    tcase_add_test(cases, requests_without_a_name_are_answered_with_an_error);
    tcase_add_test(cases, the_application_decides_about_requests);
    tcase_add_test(cases, requests_and_events_keep_their_order);
    tcase_add_test(cases, the_rate_of_events_is_limited);
    tcase_add_test(cases, events_reach_the_application);
    tcase_add_test(cases, without_on_event_events_are_answered_with_an_error);
    tcase_add_test(cases, an_event_is_acknowledged_later);
    tcase_add_test(cases, emitting_checks_its_arguments);
    tcase_add_test(cases, a_connection_of_another_protocol_is_no_socket);
    tcase_add_test(cases, a_volatile_event_is_dropped_if_anything_waits);
    tcase_add_test(cases, attachments_are_collected);
    tcase_add_test(cases, attachments_are_limited);
    tcase_add_test(cases, what_is_no_packet_closes_the_websocket);
    tcase_add_test(cases, a_session_must_be_connected_before_it_sends);
    tcase_add_test(cases, a_slow_client_is_closed_so_that_it_returns);
    tcase_add_test(cases, a_session_has_no_place_for_its_own_packets_beyond_the_limit);
    tcase_add_test(cases, engineio_carries_raw_messages);
    suite_add_tcase(suite, cases);
    cases = tcase_create("acknowledgements");
    tcase_add_checked_fixture(cases, setup_acks, teardown_acks);
    tcase_add_test(cases, a_client_acknowledges);
    tcase_add_test(cases, a_request_is_an_event_with_an_acknowledgement);
    tcase_add_test(cases, acknowledgements_may_be_awaited_in_any_order);
    tcase_add_test(cases, acknowledgements_that_end_with_a_connection_are_charged);
    tcase_add_test(cases, an_acknowledgement_has_a_time_limit);
    tcase_add_test(cases, acknowledgements_belong_to_a_socket);
    tcase_add_test(cases, an_acknowledgement_is_settled_however_the_connection_ends);
    tcase_add_test(cases, acknowledgements_are_limited);
    suite_add_tcase(suite, cases);
    return suite;
}
