/* output_test.c: what ws_websocket_output() returns, what ws_websocket_sent() removes, and when
 * ws_loop_next_output() lists a connection. Not here: that no partial write tears a frame
 * (partial_writes_test.c), and the queue's limit (queue_limit_test.c). */
#include <string.h>

#include "core/manager.h"
#include "transport/websocket/websocket.h"
#include "transport/websocket/websocket_new.h"
#include "websocket/host.h"

static struct host host;

static void setup(void)
{
    struct host_options options;

    host_options_init(&options);
    options.endpoint.protocol = WS_PROTOCOL_JSON;
    host_open(&host, &options);
}

static void teardown(void)
{
    host_close(&host);
}

static void emit(const char *type, const char *json)
{
    ck_assert_int_eq(ws_manager_emit(host.manager, type, json, strlen(json)), WS_OK);
}

static void send(const struct peer *peer, const char *text)
{
    ck_assert_int_eq(ws_manager_send_text(host.manager, ws_websocket_id(peer->websocket), text,
                                          strlen(text)),
                     WS_OK);
}

static void run(void)
{
    ws_loop_run(host.loop, host.now);
}

/* The next connection with output is this peer's; NULL: there is none. */
static void expect_named(const struct peer *peer)
{
    ck_assert_ptr_eq(ws_loop_next_output(host.loop), peer != NULL ? peer->websocket : NULL);
}

START_TEST(a_broadcast_is_the_same_bytes_for_everyone)
{
    struct peer *peers[3];
    struct iovec iov[3];

    for (size_t i = 0; i < 3; i++)
        peers[i] = host_client(&host);
    emit("order_created", "{\"id\":1}");
    run();
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(ws_websocket_output(peers[i]->websocket, &iov[i], 1), 1);
        ck_assert_ptr_eq(iov[i].iov_base, iov[0].iov_base);
        ck_assert_uint_eq(iov[i].iov_len, iov[0].iov_len);
    }
    /* Each connection releases the bytes separately. */
    for (size_t i = 0; i < 2; i++)
        ck_assert_int_eq(ws_websocket_sent(peers[i]->websocket, iov[i].iov_len), WS_OK);
    peer_free(peers[0]);
    peer_write(peers[2]);
    peer_expect_type(peers[2], "order_created");
}
END_TEST

START_TEST(a_broadcast_takes_no_memory_for_each_recipient)
{
    size_t before;

    for (size_t i = 0; i < HOST_MAX_PEERS; i++)
        host_client(&host);
    emit("order_created", "1"); /* the inbox grows */
    host_turn(&host);
    before = host.memory.calls;
    emit("order_created", "2");
    run();
    ck_assert_uint_le(host.memory.calls, before + 1); /* the message itself */
    host_turn(&host);
}
END_TEST

START_TEST(many_frames_in_one_call)
{
    struct peer *peer = host_client(&host);
    struct iovec iov[100];
    struct frame frame;
    char text[8] = "0";
    size_t total = 0;

    for (int i = 0; i < 100; i++) {
        text[0] = (char)('0' + i % 10);
        send(peer, text);
    }
    run();
    expect_named(peer);
    ck_assert_int_eq(ws_websocket_output(peer->websocket, iov, 100), 100);
    for (int i = 0; i < 100; i++) {
        ck_assert_uint_eq(server_frame(iov[i].iov_base, iov[i].iov_len, &frame),
                          iov[i].iov_len);
        ck_assert_uint_eq(frame.payload[0], (unsigned)('0' + i % 10));
        total += iov[i].iov_len;
    }
    ck_assert_int_eq(ws_websocket_sent(peer->websocket, total), WS_OK);
    ck_assert_int_eq(ws_websocket_output(peer->websocket, iov, 100), 0);
    expect_named(NULL);
}
END_TEST

START_TEST(a_connection_with_remaining_output_is_listed_again)
{
    struct peer *peer = host_client(&host);
    struct iovec iov[2];

    send(peer, "one");
    send(peer, "two");
    send(peer, "three");
    run();
    expect_named(peer);
    ck_assert_int_eq(ws_websocket_output(peer->websocket, iov, 0), 0);
    ck_assert_int_eq(ws_websocket_output(peer->websocket, iov, -1), 0);
    ck_assert_int_eq(ws_websocket_output(peer->websocket, iov, 2), 2);
    ck_assert_int_eq(ws_websocket_sent(peer->websocket, iov[0].iov_len + iov[1].iov_len),
                     WS_OK);
    expect_named(peer);
    ck_assert_int_eq(ws_websocket_output(peer->websocket, iov, 2), 1);
    ck_assert_mem_eq((char *)iov[0].iov_base + 2, "three", 5);
    ck_assert_int_eq(ws_websocket_sent(peer->websocket, iov[0].iov_len), WS_OK);
    expect_named(NULL);
}
END_TEST

START_TEST(output_returns_the_same_bytes_until_sent)
{
    struct peer *peer = host_client(&host);
    struct iovec first[2];
    struct iovec again[3];

    send(peer, "one");
    send(peer, "two");
    run();
    ck_assert_int_eq(ws_websocket_output(peer->websocket, first, 2), 2);
    ck_assert_int_eq(ws_websocket_output(peer->websocket, again, 3), 2);
    ck_assert_mem_eq(first, again, sizeof first);
    send(peer, "three");
    run();
    ck_assert_int_eq(ws_websocket_output(peer->websocket, again, 3), 3);
    ck_assert_mem_eq(first, again, sizeof first);
    /* Asking again changes nothing in the middle of a frame either. */
    ws_websocket_sent(peer->websocket, 3);
    ck_assert_int_eq(ws_websocket_output(peer->websocket, first, 1), 1);
    ck_assert_int_eq(ws_websocket_output(peer->websocket, again, 1), 1);
    ck_assert_mem_eq(first, again, sizeof *first);
    ck_assert_uint_eq(first[0].iov_len, 2);
    ck_assert_mem_eq(first[0].iov_base, "ne", 2);
}
END_TEST

/* Messages that are queued between output() and sent() are not counted as written. */
START_TEST(messages_queued_between_output_and_sent_stay)
{
    struct peer *peer = host_client(&host);
    struct iovec iov[8];

    send(peer, "one");
    run();
    expect_named(peer);
    ck_assert_int_eq(ws_websocket_output(peer->websocket, iov, 8), 1);
    send(peer, "two");
    run();
    ck_assert_int_eq(ws_websocket_sent(peer->websocket, iov[0].iov_len), WS_OK);
    expect_named(peer);
    expect_named(NULL);
    ck_assert_int_eq(ws_websocket_output(peer->websocket, iov, 8), 1);
    ck_assert_mem_eq((char *)iov[0].iov_base + 2, "two", 3);
}
END_TEST

START_TEST(a_full_socket_is_not_listed_until_it_is_writable)
{
    struct peer *peer = host_client(&host);
    struct iovec iov[8];

    send(peer, "one");
    run();
    expect_named(peer);
    ck_assert_int_eq(ws_websocket_output(peer->websocket, iov, 8), 1);
    ck_assert_int_eq(ws_websocket_sent(peer->websocket, 2), WS_OK);
    expect_named(NULL);
    send(peer, "two");
    run();
    expect_named(NULL);
    peer_send_frame(peer, FIN | PING, "", 0);
    expect_named(NULL);
    /* The socket is writable. */
    ck_assert_int_eq(ws_websocket_output(peer->websocket, iov, 8), 3);
    ck_assert_uint_eq(iov[0].iov_len, 3);
    ck_assert_int_eq(
        ws_websocket_sent(peer->websocket, iov[0].iov_len + iov[1].iov_len + iov[2].iov_len),
        WS_OK);
    expect_named(NULL);
    send(peer, "three");
    run();
    expect_named(peer);
    expect_named(NULL);
}
END_TEST

/* Also when more was queued between the two calls. */
START_TEST(a_full_socket_with_new_output_is_not_listed)
{
    struct peer *peer = host_client(&host);
    struct iovec iov[8];

    send(peer, "one");
    run();
    expect_named(peer);
    ck_assert_int_eq(ws_websocket_output(peer->websocket, iov, 8), 1);
    send(peer, "two");
    run();
    ck_assert_int_eq(ws_websocket_sent(peer->websocket, 2), WS_OK);
    expect_named(NULL);
    ck_assert_int_eq(ws_websocket_output(peer->websocket, iov, 8), 2);
}
END_TEST

START_TEST(zero_bytes_sent_is_a_full_socket)
{
    struct peer *peer = host_client(&host);
    struct iovec iov[1];

    send(peer, "one");
    run();
    expect_named(peer);
    ck_assert_int_eq(ws_websocket_output(peer->websocket, iov, 1), 1);
    ck_assert_int_eq(ws_websocket_sent(peer->websocket, 0), WS_OK);
    expect_named(NULL);
    ck_assert_int_eq(ws_websocket_output(peer->websocket, iov, 1), 1);
    ck_assert_uint_eq(iov[0].iov_len, 5);
}
END_TEST

START_TEST(listed_once_a_turn_for_any_number_of_events)
{
    struct peer *one = host_client(&host);
    struct peer *two = host_client(&host);

    one->writes = two->writes = 0;
    for (int i = 0; i < 20; i++) {
        emit("order_created", "{}");
        send(two, "x");
        ck_assert_int_eq(peer_feed(two, "\x89\x80\0\0\0\0", 6, WHOLE), WS_OK);
    }
    host_turn(&host);
    ck_assert_uint_eq(one->listed, 1);
    ck_assert_uint_eq(two->listed, 1);
    ck_assert_uint_eq(one->writes, 1);
    ck_assert_uint_eq(two->writes, 1);
    host_turn(&host);
    ck_assert_uint_eq(one->listed + two->listed, 0);
}
END_TEST

/* In the order in which they got output; a connection that is freed is removed from the list. */
START_TEST(listed_in_order_and_never_after_being_freed)
{
    struct peer *peers[4];

    for (size_t i = 0; i < 4; i++)
        peers[i] = host_client(&host);
    for (size_t i = 0; i < 4; i++)
        send(peers[i], "x");
    run();
    peer_free(peers[0]);
    peer_free(peers[2]);
    expect_named(peers[1]);
    peer_free(peers[3]);
    expect_named(NULL);
    send(peers[1], "y");
    run();
    expect_named(peers[1]);
    expect_named(NULL);
}
END_TEST

/* Without an endpoint an event has no frame header; here the endpoint is created after the
 * event. */
START_TEST(a_message_older_than_the_endpoint_is_framed)
{
    struct peer *peer = host_client(&host);
    ws_manager *manager = host.manager;

    atomic_store(&manager->builtin[TRANSPORT_WEBSOCKET], NULL);
    emit("order_created", "{}");
    send(peer, "raw");
    atomic_store(&manager->builtin[TRANSPORT_WEBSOCKET], &websocket_transport);
    host_turn(&host);
    peer_expect_type(peer, "order_created");
    peer_expect_text(peer, "raw");
    peer_expect_nothing(peer);
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("websocket-output");
    TCase *tests = tcase_create("output");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_broadcast_is_the_same_bytes_for_everyone);
    tcase_add_test(tests, a_broadcast_takes_no_memory_for_each_recipient);
    tcase_add_test(tests, many_frames_in_one_call);
    tcase_add_test(tests, a_connection_with_remaining_output_is_listed_again);
    tcase_add_test(tests, output_returns_the_same_bytes_until_sent);
    tcase_add_test(tests, messages_queued_between_output_and_sent_stay);
    tcase_add_test(tests, a_full_socket_is_not_listed_until_it_is_writable);
    tcase_add_test(tests, a_full_socket_with_new_output_is_not_listed);
    tcase_add_test(tests, zero_bytes_sent_is_a_full_socket);
    tcase_add_test(tests, listed_once_a_turn_for_any_number_of_events);
    tcase_add_test(tests, listed_in_order_and_never_after_being_freed);
    tcase_add_test(tests, a_message_older_than_the_endpoint_is_framed);
    suite_add_tcase(suite, tests);
    return suite;
}
