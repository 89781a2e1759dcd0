/* socketio_messages_test.c: what clients of Socket.IO receive of the manager's events,
 * and their requests and their acknowledgements. Not here: events of the application
 * (socketio_events_test.c), acknowledgements of clients (socketio_acks_test.c). */
#include <stdio.h>
#include <string.h>

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

/* As in the JSON protocol: what is not understood is not left out. */
START_TEST(a_wish_that_is_not_valid_is_answered_with_an_error)
{
    static const struct {
        const char *wish;
        const char *message;
    } bad[] = {
        {"{\"presence\":\"yes\"}", "\\\"presence\\\" must be true or false"},
        {"{\"presence\":1}", "\\\"presence\\\" must be true or false"},
        {"{\"presence\":null}", "\\\"presence\\\" must be true or false"},
        {"true", "the second argument must be an object"},
        {"[]", "the second argument must be an object"},
        {"\"presence\"", "the second argument must be an object"},
    };
    static const char *const good[] = {"null", "{}", "{\"other\":1}", "{\"presence\":false}"};
    struct peer *peer = socketio_client();
    char packet[256];

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(packet, sizeof packet, "421[\"join_room\",\"a\",%s]", bad[i].wish);
        socketio_send(peer, packet);
        snprintf(packet, sizeof packet,
                 "431[{\"type\":\"error\",\"data\":{\"code\":\"bad_request\","
                 "\"message\":\"%s\"}}]",
                 bad[i].message);
        socketio_expect(peer, packet);
        ck_assert(!ws_manager_is_member(host.manager, socketio_id(peer), "a"));
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        snprintf(packet, sizeof packet, "421[\"join_room\",\"a\",%s]", good[i]);
        socketio_send(peer, packet);
        expect_event(peer, "431[{\"type\":\"room_joined\",\"data\":{\"room\":\"a\"", "}}]");
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
                          "\"message\":\"the application does not allow this request\"}}]");
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
                          "\"message\":\"too many messages; send more slowly\"}}]");
    socketio_send(peer, "42[\"x\"]");
    socketio_expect_prefix(peer, "42[\"error\",{");
    socketio_send(peer, "42[\"x\"]");
    peer_expect_close_reason(peer, 1008, "too many messages; send more slowly");
}
END_TEST

/* --- slow clients ----------------------------------------------------------------------------- */

START_TEST(a_slow_client_is_closed_with_a_code_to_retry)
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

START_TEST(packets_of_the_session_itself_count_for_the_queue_limit)
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
    peer_expect_close_reason(peer, 1013, "the client reads too slowly; its queue is full");
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
    tcase_add_test(cases, a_wish_that_is_not_valid_is_answered_with_an_error);
    tcase_add_test(cases, the_application_decides_about_requests);
    tcase_add_test(cases, requests_and_events_keep_their_order);
    tcase_add_test(cases, the_rate_of_events_is_limited);
    tcase_add_test(cases, a_slow_client_is_closed_with_a_code_to_retry);
    tcase_add_test(cases, packets_of_the_session_itself_count_for_the_queue_limit);
    tcase_add_test(cases, engineio_carries_raw_messages);
    suite_add_tcase(suite, cases);
    return suite;
}
