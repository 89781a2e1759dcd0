/* descriptor_test.c: WebSockets on real sockets, which block: nothing here waits for one. */
#include <ws_manager/descriptor.h>

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "websocket/host.h"

static struct host host;
static ws_websocket *websocket;
static int ours, clients; /* two ends of a connection */
static struct bytes received;

static void setup(void)
{
    int fds[2];
    struct bytes request = {0};

    memset(&host, 0, sizeof host);
    host_open(&host, NULL);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    ours = fds[0];
    clients = fds[1];
    ck_assert_int_eq(ws_websocket_new(host.loop, host.endpoint, NULL, &websocket), WS_OK);
    client_request(&request, "/ws", "");
    ck_assert_int_eq(send(clients, request.data, request.length, 0), (ssize_t)request.length);
    bytes_free(&request);
}

static void teardown(void)
{
    ws_websocket_free(websocket);
    close(ours);
    close(clients);
    host_close(&host);
    bytes_free(&received);
}

/* A turn of the host; returns the result of the write. */
static int turn(void)
{
    int result = ws_websocket_read_fd(websocket, ours);

    ck_assert_msg(result == WS_OK || result == WS_ERR_CLOSED, "%d", result);
    ws_loop_run(host.loop, host.now);
    return ws_websocket_write_fd(websocket, ours);
}

static void receive(void)
{
    char part[4096];
    ssize_t n;

    while ((n = recv(clients, part, sizeof part, MSG_DONTWAIT)) > 0)
        bytes_add(&received, part, (size_t)n);
}

static void open_connection(void)
{
    ck_assert_int_eq(turn(), WS_OK);
    receive();
    ck_assert_ptr_nonnull(strstr((char *)received.data, "HTTP/1.1 101 "));
    ck_assert_ptr_nonnull(strstr((char *)received.data, CLIENT_ACCEPT));
    received.length = 0;
}

static void send_frame(const void *payload, size_t length)
{
    struct bytes frame = {0};

    client_frame(&frame, FIN | BINARY, payload, length);
    ck_assert_int_eq(send(clients, frame.data, frame.length, MSG_DONTWAIT),
                     (ssize_t)frame.length);
    bytes_free(&frame);
}

START_TEST(messages_go_both_ways)
{
    struct frame frame;

    open_connection();
    send_frame("ping", 4);
    ck_assert_int_eq(turn(), WS_OK);
    receive();
    ck_assert_uint_eq(server_frame(received.data, received.length, &frame), received.length);
    ck_assert_uint_eq(frame.length, 4);
    ck_assert_mem_eq(frame.payload, "ping", 4);
    ck_assert_int_eq(turn(), WS_OK);
}
END_TEST

START_TEST(a_full_socket_is_reported)
{
    static char payload[64 * 1024];
    struct frame frame;
    int size = 1;
    int result;

    ck_assert_int_eq(setsockopt(ours, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
    open_connection();
    memset(payload, 'x', sizeof payload);
    send_frame(payload, sizeof payload);
    for (int i = 0; i < 8 && host.called[HOST_RAW] == 0; i++) {
        ck_assert_int_eq(ws_websocket_read_fd(websocket, ours), WS_OK);
        ws_loop_run(host.loop, host.now);
    }
    ck_assert_uint_eq(host.called[HOST_RAW], 1);
    ck_assert_int_eq(ws_websocket_write_fd(websocket, ours), WS_ERR_BACKPRESSURE);
    ck_assert_int_eq(ws_websocket_write_fd(websocket, ours), WS_ERR_BACKPRESSURE);
    do {
        receive();
        result = ws_websocket_write_fd(websocket, ours);
    } while (result == WS_ERR_BACKPRESSURE);
    ck_assert_int_eq(result, WS_OK);
    receive();
    ck_assert_uint_eq(server_frame(received.data, received.length, &frame), received.length);
    ck_assert_uint_eq(frame.length, sizeof payload);
    ck_assert_mem_eq(frame.payload, payload, sizeof payload);
}
END_TEST

/* As when the host has filled the socket before, with another write. */
START_TEST(a_socket_that_takes_nothing_is_not_named_again)
{
    static char fill[4096];
    unsigned n_named = 0;

    open_connection();
    while (send(ours, fill, sizeof fill, MSG_DONTWAIT) > 0 ||
           send(ours, fill, 1, MSG_DONTWAIT) > 0)
        continue;
    for (int i = 0; i < 3; i++) {
        ws_manager_send_text(host.manager, ws_websocket_id(websocket), "x", 1);
        ws_loop_run(host.loop, host.now);
        while (ws_loop_next_output(host.loop) != NULL) {
            n_named++;
            ck_assert_int_eq(ws_websocket_write_fd(websocket, ours), WS_ERR_BACKPRESSURE);
        }
    }
    ck_assert_uint_eq(n_named, 1);
    receive();
    ck_assert_int_eq(ws_websocket_write_fd(websocket, ours), WS_OK);
    ws_manager_send_text(host.manager, ws_websocket_id(websocket), "x", 1);
    ws_loop_run(host.loop, host.now);
    ck_assert_ptr_eq(ws_loop_next_output(host.loop), websocket);
}
END_TEST

/* It raises no SIGPIPE, which would end the test. */
START_TEST(a_client_that_is_gone_ends_the_connection)
{
    open_connection();
    close(clients);
    ck_assert_int_eq(ws_manager_send_text(host.manager, ws_websocket_id(websocket), "hello", 5),
                     WS_OK);
    ws_loop_run(host.loop, host.now);
    ck_assert_int_eq(ws_websocket_write_fd(websocket, ours), WS_ERR_CLOSED);
    clients = dup(ours);
}
END_TEST

START_TEST(the_end_of_the_input_ends_the_connection)
{
    open_connection();
    ck_assert_int_eq(shutdown(clients, SHUT_WR), 0);
    ck_assert_int_eq(turn(), WS_ERR_CLOSED);
    ck_assert_int_eq(host.called[HOST_DISCONNECT], 1);
    ck_assert_int_eq(host.code, WS_CLOSE_ABNORMAL);
    ck_assert_int_eq(ws_websocket_read_fd(websocket, ours), WS_ERR_CLOSED);
}
END_TEST

START_TEST(a_closing_handshake_ends_the_connection)
{
    struct bytes frame = {0};

    open_connection();
    client_close(&frame, 1000, "");
    ck_assert_int_eq(send(clients, frame.data, frame.length, 0), (ssize_t)frame.length);
    bytes_free(&frame);
    ck_assert_int_eq(turn(), WS_ERR_CLOSED);
    receive();
    ck_assert_uint_eq(received.data[0], FIN | CLOSE);
}
END_TEST

START_TEST(a_turn_reads_a_bounded_part)
{
    static char payload[32 * 1024];
    int waiting;
    socklen_t size = sizeof waiting;

    open_connection();
    waiting = 1024 * 1024;
    ck_assert_int_eq(setsockopt(clients, SOL_SOCKET, SO_SNDBUF, &waiting, size), 0);
    for (int i = 0; i < 4; i++)
        send_frame(payload, sizeof payload);
    ck_assert_int_eq(ws_websocket_read_fd(websocket, ours), WS_OK);
    ck_assert_int_eq(recv(ours, payload, sizeof payload, MSG_DONTWAIT | MSG_PEEK),
                     (ssize_t)sizeof payload);
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("websocket-descriptor");
    TCase *tests = tcase_create("descriptor");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, messages_go_both_ways);
    tcase_add_test(tests, a_full_socket_is_reported);
    tcase_add_test(tests, a_socket_that_takes_nothing_is_not_named_again);
    tcase_add_test(tests, a_client_that_is_gone_ends_the_connection);
    tcase_add_test(tests, the_end_of_the_input_ends_the_connection);
    tcase_add_test(tests, a_closing_handshake_ends_the_connection);
    tcase_add_test(tests, a_turn_reads_a_bounded_part);
    suite_add_tcase(suite, tests);
    return suite;
}
