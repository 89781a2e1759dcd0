/* output_test.c: what ws_websocket_output() gives, what ws_websocket_sent() takes away, and when
 * ws_loop_next_output() names a connection. Not here: that no cut tears a frame
 * (partial_writes_test.c), and the queue's limit (queue_limit_test.c). */
#include <string.h>

#include "core/manager.h"
#include "transport/websocket/websocket.h"
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

/* Whether the next connection that has output is this one; NULL: there is none. */
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
    /* Each lets go of it by itself. */
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

START_TEST(fewer_pieces_than_wait_and_the_rest_is_named_again)
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

START_TEST(asking_again_gives_the_same_bytes)
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
    /* Within a frame, too. */
    ws_websocket_sent(peer->websocket, 3);
    ck_assert_int_eq(ws_websocket_output(peer->websocket, first, 1), 1);
    ck_assert_int_eq(ws_websocket_output(peer->websocket, again, 1), 1);
    ck_assert_mem_eq(first, again, sizeof *first);
    ck_assert_uint_eq(first[0].iov_len, 2);
    ck_assert_mem_eq(first[0].iov_base, "ne", 2);
}
END_TEST

/* What comes between output() and sent() is not counted as written. */
START_TEST(what_is_queued_meanwhile_stays)
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

START_TEST(a_full_socket_is_not_named_until_it_is_asked_again)
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

/* Also when it had got more to write between the two calls. */
START_TEST(a_full_socket_with_news_is_not_named_either)
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

START_TEST(nothing_written_is_a_full_socket_too)
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

START_TEST(named_once_a_turn_however_many_events)
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

/* In the order in which they got something, and one that is freed is taken off the list. */
START_TEST(named_in_turn_and_never_after_being_freed)
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

/* Nothing is a frame before the frame header is: the endpoint came after the event. */
START_TEST(a_message_from_before_the_endpoint_is_framed)
{
    struct peer *peer = host_client(&host);
    ws_manager *manager = host.manager;

    atomic_store(&manager->inner, NULL);
    emit("order_created", "{}");
    send(peer, "raw");
    atomic_store(&manager->inner, &websocket_transport);
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
    tcase_add_test(tests, fewer_pieces_than_wait_and_the_rest_is_named_again);
    tcase_add_test(tests, asking_again_gives_the_same_bytes);
    tcase_add_test(tests, what_is_queued_meanwhile_stays);
    tcase_add_test(tests, a_full_socket_is_not_named_until_it_is_asked_again);
    tcase_add_test(tests, a_full_socket_with_news_is_not_named_either);
    tcase_add_test(tests, nothing_written_is_a_full_socket_too);
    tcase_add_test(tests, named_once_a_turn_however_many_events);
    tcase_add_test(tests, named_in_turn_and_never_after_being_freed);
    tcase_add_test(tests, a_message_from_before_the_endpoint_is_framed);
    suite_add_tcase(suite, tests);
    return suite;
}
