/* memory_test.c: the memory that the library holds for each of many idle connections, in the sizes
 * that malloc() returns, and that it frees it when they end. Not here: the frame readers of one
 * connection (readers_test.c). */
#include <stdio.h>
#include <string.h>

#include "support/counting_allocator.h"
#include "websocket/host.h"

enum {
    N = 10000,
    MEMBERS = 100, /* of a room */
    IN_A_TURN = 100,
    /* For each connection, its user and its places in two rooms: 316, and some more for blocks
     * that malloc() takes out of a hole of 16 bytes more. */
    MOST_BYTES = 328,
    /* After all have ended: the loop's inboxes, unused frame readers. */
    MOST_BYTES_LEFT = 85000,
};

static struct counting_allocator counting;
static ws_manager *manager;
static ws_loop *loop;
static ws_endpoint *endpoint;
static ws_websocket *websockets[N];
static size_t before; /* bytes without a connection */

static int name_user(ws_handshake *handshake, void *user_data)
{
    const char *user_id;

    (void)user_data;
    ck_assert_int_eq(ws_handshake_query_parameter(handshake, "user_id", &user_id, NULL), WS_OK);
    return ws_handshake_set_user_id(handshake, user_id);
}

/* Presence would make two events of each connection; otherwise the defaults. */
static void setup(void)
{
    ws_manager_options manager_options;
    ws_endpoint_options endpoint_options;

    counting_allocator_init(&counting);
    ws_manager_options_init(&manager_options);
    manager_options.allocator = &counting.allocator;
    manager_options.presence_events = WS_PRESENCE_OFF;
    manager_options.history_events = 0;
    ws_endpoint_options_init(&endpoint_options);
    endpoint_options.accept_handshake = name_user;
    ck_assert_int_eq(ws_manager_new(&manager_options, &manager), WS_OK);
    ck_assert_int_eq(ws_loop_new(manager, NULL, 0, &loop), WS_OK);
    ck_assert_int_eq(ws_endpoint_new(manager, &endpoint_options, &endpoint), WS_OK);
    before = counting.bytes;
}

static void teardown(void)
{
    for (size_t i = 0; i < N; i++) {
        ws_websocket_free(websockets[i]);
        websockets[i] = NULL;
    }
    ws_endpoint_free(endpoint);
    ws_loop_free(loop);
    ws_manager_free(manager);
    ck_assert_uint_eq(counting.bytes, 0);
}

static void receive(size_t number, struct bytes *bytes)
{
    ws_websocket_receive(websockets[number], bytes->data, bytes->length);
    bytes_free(bytes);
}

/* A request like a browser's, for a new user. */
static void open_one(size_t number)
{
    struct bytes request = {0};
    char target[64];

    snprintf(target, sizeof target, "/ws?user_id=user-%zu", N + number);
    client_request(&request, target,
                   "Origin: https://example.com\r\n"
                   "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n");
    ck_assert_int_eq(ws_websocket_new(loop, endpoint, NULL, &websockets[number]), WS_OK);
    receive(number, &request);
    ck_assert_uint_ne(ws_websocket_id(websockets[number]), 0);
}

/* One room of clients that connected together, and one of clients from everywhere. */
static void join_rooms(size_t number)
{
    struct bytes frames = {0};
    char text[64];

    snprintf(text, sizeof text, "{\"type\":\"join_room\",\"room\":\"orders-%zu\"}",
             number / MEMBERS);
    client_text(&frames, FIN | TEXT, text);
    snprintf(text, sizeof text, "{\"type\":\"join_room\",\"room\":\"stock-%zu\"}",
             number % (N / MEMBERS));
    client_text(&frames, FIN | TEXT, text);
    receive(number, &frames);
}

static void close_one(size_t number)
{
    struct bytes frame = {0};

    client_close(&frame, 1001, "");
    receive(number, &frame);
}

static void for_each(void (*act)(size_t number))
{
    for (size_t i = 0; i < N; i++) {
        act(i);
        if (i % IN_A_TURN == IN_A_TURN - 1)
            loop_turn(loop);
    }
}

static void open_all(void)
{
    for_each(open_one);
    for_each(join_rooms);
    ck_assert_uint_eq(ws_manager_connection_count(manager), N);
    ck_assert_int_eq(
        ws_manager_is_member(manager, ws_websocket_id(websockets[N - 1]), "orders-99"), 1);
    ck_assert_int_eq(
        ws_manager_is_member(manager, ws_websocket_id(websockets[N - 1]), "stock-99"), 1);
}

static void close_all(void)
{
    for_each(close_one);
    ck_assert_uint_eq(ws_manager_connection_count(manager), 0);
    for (size_t i = 0; i < N; i++) {
        ck_assert(ws_websocket_ended(websockets[i]));
        ws_websocket_free(websockets[i]);
        websockets[i] = NULL;
    }
}

START_TEST(the_memory_of_an_idle_connection_is_bounded)
{
    size_t bytes;

    open_all();
    bytes = (counting.bytes - before) / N;
    ck_assert_msg(bytes <= MOST_BYTES, "%zu bytes for each connection", bytes);
}
END_TEST

/* A message to all connections leaves no memory with any of them. */
START_TEST(a_broadcast_leaves_no_memory)
{
    char data[500];
    size_t bytes;

    open_all();
    memset(data, 'd', sizeof data);
    data[0] = data[sizeof data - 1] = '"';
    ck_assert_int_eq(ws_manager_emit_order_created(manager, data, sizeof data), WS_OK);
    loop_turn(loop);
    bytes = counting.bytes;
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(ws_manager_emit_order_created(manager, data, sizeof data), WS_OK);
    loop_turn(loop);
    ck_assert_uint_le(counting.bytes, bytes);
}
END_TEST

START_TEST(memory_is_freed_when_connections_end)
{
    size_t left = 0;

    for (int i = 0; i < 3; i++) {
        open_all();
        close_all();
        ck_assert_uint_le(counting.bytes - before, MOST_BYTES_LEFT);
        ck_assert(i == 0 || counting.bytes <= left);
        left = counting.bytes;
    }
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("websocket-memory");
    TCase *tests = tcase_create("memory");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 100);
    tcase_add_test(tests, the_memory_of_an_idle_connection_is_bounded);
    tcase_add_test(tests, a_broadcast_leaves_no_memory);
    tcase_add_test(tests, memory_is_freed_when_connections_end);
    suite_add_tcase(suite, tests);
    return suite;
}
