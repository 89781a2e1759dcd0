/* no_memory_test.c: every allocation in the life of two connections, one of which compresses, fails
 * in turn, once or with all later ones: no crash, no leak, and each client reads a correct prefix
 * of its messages, or its connection has ended. */
#include <string.h>

#include "websocket/host.h"
#include "websocket/zlib_peer.h"

static struct host host;
static struct host_options options;

enum { N_LARGE = 3 };

static size_t n_large; /* that were accepted */

static void setup(void)
{
    memset(&host, 0, sizeof host);
    host_options_init(&options);
}

static void teardown(void)
{
    if (host.memory.calls > 0)
        host_close(&host);
}

/* The log line about a refused request is written from the parts of it that exist. */
static void read_line(int level, const char *line, void *user_data)
{
    (void)level;
    (void)user_data;
    ck_assert_uint_lt(strlen(line), 2000);
}

static int judge(struct host *of, struct peer *peer, ws_handshake *handshake)
{
    const char *value;

    (void)of;
    (void)peer;
    ws_handshake_header(handshake, "X-Many");
    if (ws_handshake_query_parameter(handshake, "user", &value, NULL) == WS_OK)
        ws_handshake_set_user_id(handshake, value);
    ws_handshake_set_subprotocol(handshake, "mine");
    return WS_OK;
}

static void take_turn(void)
{
    for (int i = 0; i < 4; i++)
        host_turn(&host);
}

/* Frees ended connections, as a host does. */
static void reap(void)
{
    for (size_t i = 0; i < host.n_peers; i++)
        if (host.peers[i].websocket != NULL && ws_websocket_ended(host.peers[i].websocket)) {
            peer_free(&host.peers[i]);
            host.peers[i].ended = true;
        }
}

static void step(struct peer *peer, struct bytes *bytes)
{
    if (peer->websocket != NULL)
        peer_feed(peer, bytes->data, bytes->length, WHOLE);
    bytes->length = 0;
    take_turn();
    reap();
}

/* --- the scenario -------------------------------------------------------------------------- */

/* `offer` is a header, or "". */
static struct peer *join(const char *offer)
{
    struct bytes headers = {0};
    struct peer *peer = &host.peers[host.n_peers];
    struct bytes bytes = {0};

    if (ws_websocket_new(host.loop, host.endpoint, peer, &peer->websocket) != WS_OK) {
        ck_assert(host.memory.failed);
        return NULL;
    }
    peer->host = &host;
    peer->writable = SIZE_MAX;
    host.n_peers++;
    bytes_add_text(&headers,
                   "X-Many: a\r\nX-Many: b\r\nSec-WebSocket-Protocol: other, mine\r\n");
    bytes_add_text(&headers, offer);
    client_request(&bytes, "/ws?user=ann%20b", (char *)headers.data);
    bytes_free(&headers);
    /* After the head, and so before the loop knows the connection: */
    client_text(&bytes, FIN | TEXT, "{\"type\":\"join_room\",\"room\":\"r\",\"ref\":1}");
    step(peer, &bytes);
    bytes_free(&bytes);
    return peer;
}

/* A message in two compressed fragments, and events that are large enough to be compressed: one
 * alone, two in one turn. Both windows are needed. */
static void talk_compressed(struct peer *peer)
{
    static const char ping[] = "{\"type\":\"ping\",\"ref\":6}";
    struct bytes bytes = {0};
    char data[N_LARGE][1500];
    uint8_t packed[100];
    size_t length = zlib_deflate(15, 6, ping, sizeof ping - 1, packed, sizeof packed);

    client_frame(&bytes, RSV1 | TEXT, packed, 9);
    client_frame(&bytes, FIN | CONTINUATION, packed + 9, length - 9);
    step(peer, &bytes);
    for (size_t i = 0; i < N_LARGE; i++) {
        size_t size = i == 0 ? 300 : sizeof data[i];

        memset(data[i], 'l', size);
        data[i][0] = data[i][size - 1] = '"';
        if (ws_manager_emit_stock_low(host.manager, data[i], size) == WS_OK)
            n_large++;
        if (i == 0)
            take_turn();
    }
    take_turn();
    reap();
    bytes_free(&bytes);
}

static void talk(struct peer *peer)
{
    struct bytes bytes = {0};
    char big[3000];

    client_text(&bytes, TEXT, "{\"type\":");
    client_text(&bytes, FIN | PING, "between");
    client_text(&bytes, FIN | CONTINUATION, "\"ping\",\"ref\":2}");
    step(peer, &bytes);
    memset(big, ' ', sizeof big);
    client_frame(&bytes, TEXT, big, sizeof big);
    client_frame(&bytes, CONTINUATION, big, sizeof big);
    client_text(&bytes, FIN | CONTINUATION, "{\"type\":\"ping\",\"ref\":3}");
    client_text(&bytes, FIN | TEXT, "{\"type\":\"ping\",\"ref\":4}");
    step(peer, &bytes);
    ws_manager_emit_order_created(host.manager, "{\"n\":1}", 7);
    take_turn();
    reap();
    client_text(&bytes, FIN | TEXT, "{\"type\":\"leave_room\",\"room\":\"r\",\"ref\":5}");
    step(peer, &bytes);
    bytes_free(&bytes);
}

/* Many frames wait, so that the queue grows; then one side closes. */
static void leave(struct peer *peer, bool by_client)
{
    struct bytes bytes = {0};

    if (peer->websocket != NULL)
        peer->writable = 0;
    for (int i = 0; i < 20; i++)
        client_text(&bytes, FIN | PING, "wait");
    step(peer, &bytes);
    peer->writable = SIZE_MAX;
    if (peer->websocket != NULL)
        peer_write(peer);
    reap();
    if (peer->websocket != NULL && !by_client)
        ws_websocket_close(peer->websocket, 4000, "bye");
    client_close(&bytes, 4000, "");
    step(peer, &bytes);
    bytes_free(&bytes);
}

static void play(void)
{
    struct peer *one;
    struct peer *two;

    if (host_try_open(&host, &options) != WS_OK) {
        ck_assert(host.memory.failed);
        return;
    }
    host.judge = judge;
    one = join("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9\r\n");
    two = join("");
    if (one != NULL)
        talk(one);
    if (one != NULL && one->websocket != NULL)
        talk_compressed(one);
    if (one != NULL)
        leave(one, true);
    if (two != NULL)
        leave(two, false);
    host_pass(&host, 60000);
    reap();
}

/* --- what the clients read ----------------------------------------------------------------- */

static bool has(const void *bytes, size_t length, const char *text)
{
    return bytes != NULL && memmem(bytes, length, text, strlen(text)) != NULL;
}

/* An HTTP answer, then whole frames; nothing after a close. A client that the scenario closed
 * (4000) received every large event. */
static void expect_correct_bytes(struct peer *peer)
{
    struct frame frame = {0};
    bool closed = false;
    size_t n = 0;

    if (peer->received.length == 0)
        return;
    if (peer_head(peer) != 101)
        return;
    while (peer_next(peer, &frame)) {
        ck_assert(!closed);
        closed = frame.opcode == CLOSE;
        ck_assert(frame.opcode == TEXT || frame.opcode == PONG || frame.opcode == CLOSE);
        n += frame.opcode == TEXT && has(frame.payload, frame.length, "\"stock_low\"");
    }
    if (closed && frame.length >= 2 && memcmp(frame.payload, "\x0f\xa0", 2) == 0)
        ck_assert_uint_eq(n, n_large);
}

static bool received(const struct peer *peer, const char *text)
{
    return has(peer->received.data, peer->received.length, text);
}

/* A client that the scenario closed (4000) received every answer: none was lost silently. */
static void expect_every_answer(const struct peer *peer, bool talked)
{
    static const char *const answers[] = {"\"ref\":2", "\"ref\":3", "\"ref\":4", "\"ref\":5",
                                          "\"ref\":6"};

    if (!received(peer, "\x88\x02\x0f\xa0") && !received(peer, "\x88\x05\x0f\xa0"
                                                               "bye"))
        return;
    ck_assert(received(peer, "\"type\":\"welcome\""));
    ck_assert_msg(received(peer, "\"ref\":1"),
                  "the answer to what came with the head is missing");
    ck_assert_msg(!talked || received(peer, "\x8a\x07"
                                            "between"),
                  "a pong is missing");
    for (size_t i = 0; talked && i < sizeof answers / sizeof *answers; i++)
        ck_assert_msg(received(peer, answers[i]), "the answer to %s is missing", answers[i]);
}

/* One run; returns whether an allocation failed in it. */
static bool run_with_failure(size_t n, bool for_good)
{
    bool failed;

    memset(&host, 0, sizeof host);
    n_large = 0;
    host.memory.fail_at = n;
    host.memory.for_good = for_good;
    play();
    for (size_t i = 0; i < host.n_peers; i++)
        expect_correct_bytes(&host.peers[i]);
    if (host.n_peers == 2)
        expect_every_answer(&host.peers[0], true);
    if (host.n_peers == 2)
        expect_every_answer(&host.peers[1], false);
    for (size_t i = 0; i < host.n_peers; i++)
        ck_assert(host.peers[i].ended);
    if (host.manager != NULL)
        ck_assert_uint_eq(ws_manager_connection_count(host.manager), 0);
    failed = host.memory.failed;
    host_close(&host);
    return failed;
}

static void fail_each(bool for_good)
{
    size_t n = 0;

    options.manager.log = read_line;
    options.endpoint.protocol = WS_PROTOCOL_JSON;
    options.manager.presence_events = WS_PRESENCE_EVERYONE;
    while (run_with_failure(n, for_good))
        ck_assert_uint_lt(n++, 10000);
    ck_assert_uint_gt(n, 100);
}

START_TEST(each_allocation_fails_once)
{
    fail_each(false);
}
END_TEST

START_TEST(memory_runs_out_for_good)
{
    fail_each(true);
}
END_TEST

/* Upgrades a request that the host has parsed; returns whether an allocation failed. */
static bool upgrade_with_failure(size_t n, bool for_good)
{
    static const ws_header headers[] = {{"Host", "a"}, {"Origin", "http://a"}};
    struct peer *peer = &host.peers[0];
    bool failed;

    memset(&host, 0, sizeof host);
    host.memory.fail_at = n;
    host.memory.for_good = for_good;
    if (host_try_open(&host, &options) == WS_OK &&
        ws_websocket_new(host.loop, host.endpoint, peer, &peer->websocket) == WS_OK) {
        peer->host = &host;
        host.n_peers = 1;
        ws_websocket_upgrade(peer->websocket, "GET", 1, 1, "/ws", headers, 2);
    }
    failed = host.memory.failed;
    host_close(&host);
    return failed;
}

START_TEST(a_parsed_request_is_logged_without_memory)
{
    size_t n = 0;

    options.manager.log = read_line;
    while (upgrade_with_failure(n, _i != 0))
        ck_assert_uint_lt(n++, 10000);
    ck_assert_uint_gt(n, 8);
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("websocket-no-memory");
    TCase *tests = tcase_create("no memory");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, each_allocation_fails_once);
    tcase_add_test(tests, memory_runs_out_for_good);
    tcase_add_loop_test(tests, a_parsed_request_is_logged_without_memory, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
