/* waiting_input_test.c: the memory of what clients have sent and what waits until they have read
 * what their rooms keep. Not here: that it waits, and until when (slow_test.c). */
#include <stdlib.h>
#include <string.h>

#include "support/unfinished_crowd.h"
#include "websocket/host.h"

enum { N_VALUES = 40, VALUE = 900, CROWD = 1000, LARGE = 60000 };

static struct host host;
static struct bytes frames;

/* A room has more values than the queue of a client accepts. */
static void setup(void)
{
    struct host_options options;
    ws_last_values_options keep;
    char value[VALUE];

    host_options_init(&options);
    options.endpoint.protocol = WS_PROTOCOL_JSON;
    options.endpoint.deflate = 0;
    options.endpoint.queue_high_bytes = 3 * VALUE;
    host_open(&host, &options);
    ws_last_values_options_init(&keep);
    keep.by_key = 0;
    ck_assert_int_eq(ws_manager_keep_last_values(host.manager, &keep), WS_OK);
    memset(value, '1', sizeof value);
    for (int i = 0; i < N_VALUES; i++)
        ck_assert_int_eq(
            ws_manager_emit_to_room(host.manager, "r", "order_created", value, VALUE), WS_OK);
}

static void teardown(void)
{
    bytes_free(&frames);
    host_close(&host);
}

/* A client's request to enter the room, in a message of this length. */
static void add_join(size_t length)
{
    static const char join[] = "{\"type\":\"join_room\",\"room\":\"r\",\"state\":true}";
    char *text = malloc(length);

    memset(text, ' ', length);
    memcpy(text, join, sizeof join - 1);
    client_frame(&frames, FIN | TEXT, text, length);
    free(text);
}

/* Connects clients that read nothing. */
static void add_crowd(ws_websocket **crowd, struct peer *peer)
{
    static const ws_header headers[] = {
        {"Host", "a"},
        {"Upgrade", "websocket"},
        {"Connection", "Upgrade"},
        {"Sec-WebSocket-Version", "13"},
        {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
    };

    for (int i = 0; i < CROWD; i++) {
        ck_assert_int_eq(ws_websocket_new(host.loop, host.endpoint, peer, &crowd[i]), WS_OK);
        ws_websocket_upgrade(crowd[i], "GET", 1, 1, "/ws", headers, 5);
    }
    while (ws_loop_run(host.loop, host.now) <= host.now)
        continue;
}

START_TEST(no_buffer_of_a_message_is_kept_while_its_client_must_read)
{
    enum { OF_ONE = 8192 }; /* wslay's buffer, and the answer */
    static ws_websocket *crowd[CROWD];
    struct peer *peer = host_client(&host);
    size_t before;

    add_join(LARGE);
    add_crowd(crowd, peer);
    before = host.memory.bytes;
    for (int i = 0; i < CROWD; i++) {
        ws_websocket_receive(crowd[i], frames.data, LARGE / 2);
        ws_loop_run(host.loop, host.now);
        ws_websocket_receive(crowd[i], frames.data + LARGE / 2, frames.length - LARGE / 2);
        while (ws_loop_run(host.loop, host.now) <= host.now)
            continue;
    }
    ck_assert_uint_lt(host.memory.bytes - before, (size_t)CROWD * OF_ONE);
    ck_assert_uint_eq(unfinished_bytes(host.loop), 0);
    for (int i = 0; i < CROWD; i++)
        ws_websocket_free(crowd[i]);
}
END_TEST

/* Enters the room, sends another message, if it has a length, and reads nothing. */
static void enter_slowly(struct peer *peer, const void *more, size_t length)
{
    frames.length = 0;
    add_join(100);
    if (length > 0)
        client_frame(&frames, FIN | TEXT, more, length);
    peer->writable = 0;
    peer_send(peer, &frames);
    host_turn(&host);
}

START_TEST(bytes_count_while_their_client_must_read)
{
    static const char text[1000];
    struct peer *peer = host_client(&host);

    enter_slowly(peer, NULL, 0);
    ck_assert_uint_eq(unfinished_bytes(host.loop), 0);
    peer_send_frame(peer, FIN | PING, text, 100);
    ck_assert_uint_ge(unfinished_bytes(host.loop), 106);
    peer_send_frame(peer, BINARY, text, sizeof text);
    ck_assert_uint_ge(unfinished_bytes(host.loop), 1114);
    peer->writable = SIZE_MAX;
    do {
        host.n_wakes = 0;
        peer_write(peer);
        host_turn(&host);
    } while (host.n_wakes > 0);
    ck_assert_uint_eq(unfinished_bytes(host.loop), sizeof text); /* the unfinished message */
    peer_free(peer);
    ck_assert_uint_eq(unfinished_bytes(host.loop), 0);
}
END_TEST

/* What exceeds the limit comes before its client must read, and is longer than wslay's buffer, or
 * `_i` while it must. */
START_TEST(the_oldest_client_ends_when_too_many_bytes_wait)
{
    static const char text[5000];
    struct peer *first = host_client(&host);
    struct peer *last = host_client(&host);

    enter_slowly(first, NULL, 0);
    peer_send_frame(first, FIN | TEXT, text, 1000);
    ck_assert_uint_ge(unfinished_bytes(host.loop), 1000);
    if (_i == 1)
        enter_slowly(last, NULL, 0);
    unfinished_crowd_begin(host.loop);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 0);
    if (_i == 0)
        enter_slowly(last, text, sizeof text);
    else
        peer_send_frame(last, FIN | TEXT, text, 1000);
    host_turn(&host);
    ck_assert_uint_eq(host.called[HOST_DISCONNECT], 1);
    ck_assert_str_eq(host.reason, "too many unfinished messages");
    ck_assert_uint_ne(ws_websocket_id(last->websocket), 0);
    peer_free(first);
    peer_free(last);
    unfinished_crowd_end(host.loop);
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("websocket-waiting-input");
    TCase *tests = tcase_create("waiting input");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, no_buffer_of_a_message_is_kept_while_its_client_must_read);
    tcase_add_test(tests, bytes_count_while_their_client_must_read);
    tcase_add_loop_test(tests, the_oldest_client_ends_when_too_many_bytes_wait, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
