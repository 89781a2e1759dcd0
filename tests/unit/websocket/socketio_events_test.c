/* socketio_events_test.c: events that clients of Socket.IO and the application send each other, and
 * their attachments. */
#include "support/unfinished_crowd.h"
#include "websocket/socketio_host.h"

static void setup(void)
{
    socketio_open(NULL);
}

static void teardown(void)
{
    socketio_close();
}

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

START_TEST(a_connection_of_another_protocol_is_not_a_socket)
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
    peer_expect_close_reason(peer, 1002,
                             "a binary attachment arrived without a packet that announces it");
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

START_TEST(an_invalid_packet_closes_the_websocket)
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

static char large[951];

/* A packet of 950 bytes that lacks an attachment. */
static const char *large_packet(void)
{
    static const char end[] = "\",{\"_placeholder\":true,\"num\":0}]";

    memset(large, 'x', sizeof large - 1);
    memcpy(large, "451-[\"", 6);
    memcpy(large + sizeof large - sizeof end, end, sizeof end);
    return large;
}

/* All clients' have a limit together: the oldest large one ends. */
START_TEST(attachments_that_never_come_are_limited)
{
    static char attachment[900];
    struct peer *first = socketio_client();
    struct peer *last = socketio_client();

    if (_i == 0) {
        socketio_send(first, large_packet());
        unfinished_crowd_begin(host.loop);
        peer_expect_nothing(first);
        socketio_send(last, large_packet());
        peer_expect_close_reason(first, 1013, "too many unfinished messages");
    } else { /* it becomes large itself */
        socketio_send(first, "452-[\"a\",{\"_placeholder\":true,\"num\":0},"
                             "{\"_placeholder\":true,\"num\":1}]");
        socketio_send(last, large_packet());
        unfinished_crowd_begin(host.loop);
        peer_send_frame(first, FIN | BINARY, attachment, sizeof attachment);
        peer_expect_close_reason(first, 1013, "too many unfinished messages");
    }
    ck_assert_uint_eq(seen.n_events, 0);
    peer_expect_nothing(last);
    peer_send_frame(last, FIN | BINARY, "b", 1);
    ck_assert_uint_eq(seen.n_events, 1);
    unfinished_crowd_end(host.loop);
}
END_TEST

/* A packet whose frame came in two pieces no longer counts as unfinished while it is handled,
 * although a frame that is unfinished follows it. */
START_TEST(a_complete_packet_is_not_unfinished)
{
    struct peer *peer = socketio_client();
    struct bytes bytes = {0};
    struct bytes piece;

    client_frame(&bytes, FIN | TEXT, large_packet(), sizeof large - 1);
    client_frame(&bytes, FIN | TEXT, "3", 1);
    piece = (struct bytes){.data = bytes.data, .length = 500};
    peer_send(peer, &piece);
    unfinished_crowd_begin(host.loop);
    piece = (struct bytes){.data = bytes.data + 500, .length = bytes.length - 500 - 1};
    peer_send(peer, &piece);
    peer_expect_nothing(peer);
    piece = (struct bytes){.data = bytes.data + bytes.length - 1, .length = 1};
    peer_send(peer, &piece);
    peer_send_frame(peer, FIN | BINARY, "b", 1);
    ck_assert_uint_eq(seen.n_events, 1);
    peer_expect_nothing(peer);
    unfinished_crowd_end(host.loop);
    bytes_free(&bytes);
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("socketio-events");
    TCase *cases = tcase_create("socketio-events");

    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, events_reach_the_application);
    tcase_add_test(cases, without_on_event_events_are_answered_with_an_error);
    tcase_add_test(cases, an_event_is_acknowledged_later);
    tcase_add_test(cases, emitting_checks_its_arguments);
    tcase_add_test(cases, a_connection_of_another_protocol_is_not_a_socket);
    tcase_add_test(cases, a_volatile_event_is_dropped_if_anything_waits);
    tcase_add_test(cases, attachments_are_collected);
    tcase_add_loop_test(cases, attachments_that_never_come_are_limited, 0, 2);
    tcase_add_test(cases, a_complete_packet_is_not_unfinished);
    tcase_add_test(cases, attachments_are_limited);
    tcase_add_test(cases, an_invalid_packet_closes_the_websocket);
    tcase_add_test(cases, a_session_must_be_connected_before_it_sends);
    suite_add_tcase(suite, cases);
    return suite;
}
