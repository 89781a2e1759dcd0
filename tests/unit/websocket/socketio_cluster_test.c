/* socketio_cluster_test.c: connection state recovery of Socket.IO on any process: what a
 * cluster's carrier is given to remember, and when, and what becomes of its answers. */
#include <stdio.h>
#include <string.h>

#include "support/unfinished_crowd.h"
#include "websocket/socketio_carrier.h"

/* --- processes -------------------------------------------------------------------------------- */

static bool frees_when_asked;

static int judge(struct host *of, struct peer *peer, ws_handshake *handshake)
{
    (void)of;
    if (frees_when_asked) {
        peer_free(peer);
        return WS_OK;
    }
    return strstr(ws_handshake_auth(handshake), "bob") != NULL
               ? ws_handshake_set_user_id(handshake, "bob")
               : WS_OK;
}

static void setup(void)
{
    carrier_judge = judge;
    carrier_setup();
}

static void emit_to(const char *room, const char *data)
{
    ws_event *event = NULL;

    ck_assert_int_eq(ws_event_new(host.manager, "stock_low", data, strlen(data), &event),
                     WS_OK);
    ck_assert_int_eq(room != NULL
                         ? ws_manager_broadcast_to_room(host.manager, room, event, NULL, 0)
                         : ws_manager_broadcast(host.manager, event, NULL, 0),
                     WS_OK);
    ws_event_free(event);
    ck_assert_int_eq(
        ws_manager_cluster_deliver(host.manager, &carrier.events[carrier.n_events - 1]), WS_OK);
    host_turn(&host);
}

/* --- recovery --------------------------------------------------------------------------------- */

START_TEST(a_client_recovers_on_another_process)
{
    struct life life;
    struct peer *peer = lives_join("", &life);

    lives_enter(peer, "a");
    lives_enter(peer, "b");
    carrier_kill_process();
    emit_to("a", "1");
    emit_to("c", "2");
    emit_to(NULL, "3");
    peer = carrier_come_back(&life, true);
    lives_expect(peer, "1");
    lives_expect(peer, "3");
    peer_expect_nothing(peer);
    ck_assert(lives_is_in(peer, "a") && lives_is_in(peer, "b"));
    lives_enter(peer, "c");
    carrier_kill_process();
    emit_to("c", "4");
    peer = carrier_come_back(&life, true);
    lives_expect(peer, "1");
    lives_expect(peer, "2"); /* it has no offset, and asks from the beginning */
    lives_expect(peer, "3");
    lives_expect(peer, "4");
    ck_assert(lives_is_in(peer, "a") && lives_is_in(peer, "b") && lives_is_in(peer, "c"));
    ck_assert_uint_eq(carrier.values[0].rank, 2);
}
END_TEST

START_TEST(a_session_is_written_once_in_a_turn)
{
    struct life life;
    struct peer *peer = lives_join("", &life);
    ws_conn_id id = socketio_id(peer);

    ck_assert_uint_eq(carrier.n_remembers, 1);
    ck_assert_uint_eq(carrier.values[0].ttl_ms, 240000);
    for (int i = 0; i < 10; i++) {
        char room[2] = {(char)('a' + i), '\0'};

        ws_manager_join_room(host.manager, id, room);
    }
    ws_manager_leave_room(host.manager, id, "a");
    host_turn(&host);
    ck_assert_uint_eq(carrier.n_remembers, 2);
    carrier_kill_process();
    peer = carrier_come_back(&life, true);
    ck_assert(!lives_is_in(peer, "a") && lives_is_in(peer, "b") && lives_is_in(peer, "j"));
}
END_TEST

START_TEST(what_the_carrier_did_not_take_is_written_later)
{
    struct life life;
    struct peer *peer = lives_join("", &life);

    carrier.result = WS_ERR_BACKPRESSURE;
    lives_enter(peer, "a");
    lives_enter(peer, "b");
    carrier.result = WS_OK;
    host_pass(&host, 2000);
    carrier_kill_process();
    peer = carrier_come_back(&life, true);
    ck_assert(lives_is_in(peer, "a") && lives_is_in(peer, "b"));
}
END_TEST

/* Lets a time pass in which clients answer pings. */
static void pass(struct peer *peer, uint64_t ms)
{
    struct frame frame;

    for (uint64_t at = 0; at < ms; at += 1000) {
        host_pass(&host, 1000);
        while (peer->websocket != NULL && peer_next(peer, &frame))
            socketio_send(peer, "3");
    }
}

START_TEST(a_session_is_written_again_before_its_time_is_over)
{
    struct life life;
    struct peer *peer = lives_join("", &life);
    unsigned before = carrier.n_remembers;

    pass(peer, 120000);
    ck_assert_uint_ge(carrier.n_remembers - before, 1);
    ck_assert_uint_le(carrier.n_remembers - before, 3);
    peer_free(peer);
    before = carrier.n_remembers;
    host_pass(&host, 120000);
    host_pass(&host, 120000);
    ck_assert_uint_eq(carrier.n_remembers, before);
}
END_TEST

/* A client whose session has about 60 KB. */
static struct peer *in_many_rooms(struct life *life)
{
    struct peer *peer = lives_join("", life);
    char room[140];

    for (int i = 0; i < 480; i++) {
        memset(room, 'r', sizeof room);
        snprintf(room + 120, 12, "%d", i);
        ck_assert_int_eq(ws_manager_join_room(host.manager, socketio_id(peer), room), WS_OK);
    }
    return peer;
}

static void toggle(struct peer *peer, const char *request)
{
    char packet[64];

    snprintf(packet, sizeof packet, "421[\"%s\",\"x\"]", request);
    socketio_send(peer, packet);
}

/* A client that enters and leaves a room again and again moves not much more than it sends. */
START_TEST(a_large_session_is_written_after_a_pause)
{
    struct life life;
    struct peer *peer = in_many_rooms(&life);
    size_t before;

    host_turn(&host);
    ck_assert_uint_gt(carrier.values[0].length, 50000);
    host_pass(&host, 3000);
    before = carrier.n_bytes;
    for (int i = 0; i < 1000; i++)
        toggle(peer, i % 2 == 0 ? "join_room" : "leave_room");
    toggle(peer, "join_room");
    ck_assert_uint_gt(carrier.n_bytes, before + 50000);
    ck_assert_uint_lt(carrier.n_bytes, before + 190000);
    host_pass(&host, 3000);
    ck_assert_uint_lt(carrier.n_bytes, before + 250000);
    carrier_kill_process();
    ck_assert(lives_is_in(carrier_come_back(&life, true), "x"));
}
END_TEST

/* Runs turns until nothing is left to do; the most bytes that one of them writes. */
static size_t most_in_a_turn(void)
{
    size_t most = 0;
    bool more = true;

    while (more) {
        size_t before = carrier.n_bytes;

        more = ws_loop_run(host.loop, host.now) <= host.now;
        if (carrier.n_bytes - before > most)
            most = carrier.n_bytes - before;
    }
    return most;
}

/* When their rooms change, and when they are written again. */
START_TEST(many_large_sessions_are_written_in_turns)
{
    enum { CLIENTS = 15, BYTES = CLIENTS * 60000, AT_ONCE = 700000 };
    struct life life;
    struct peer *peers[CLIENTS];
    size_t before;

    options.endpoint.ping_interval_ms = 0x3fffffff;
    carrier_kill_process();
    for (int i = 0; i < CLIENTS; i++) {
        peers[i] = in_many_rooms(&life);
        host_turn(&host);
    }
    host_pass(&host, 3000);
    before = carrier.n_bytes;
    for (int i = 0; i < CLIENTS; i++)
        ws_manager_join_room(host.manager, socketio_id(peers[i]), "x");
    ck_assert_uint_lt(most_in_a_turn(), AT_ONCE);
    ck_assert_uint_gt(carrier.n_bytes, before + BYTES * 9 / 10);
    before = carrier.n_bytes;
    for (int i = 0; i < 1200; i++) {
        host.now += 100;
        ck_assert_uint_lt(most_in_a_turn(), AT_ONCE);
    }
    ck_assert_uint_gt(carrier.n_bytes, before + BYTES * 9 / 10);
}
END_TEST

START_TEST(a_client_that_leaves_on_purpose_is_forgotten)
{
    struct life life;
    struct peer *peer = lives_join("", &life);

    socketio_send(peer, "41");
    ck_assert_uint_eq(carrier.values[0].length, 0);
    carrier_come_back(&life, false);
}
END_TEST

static size_t count_remembered(void)
{
    size_t count = 0;

    for (size_t i = 0; i < carrier.n_values; i++)
        count += carrier.values[i].length > 0;
    return count;
}

/* Those of clients that are connected do not count. */
START_TEST(the_newest_clients_that_left_are_remembered)
{
    enum { MOST = 3, CLIENTS = 6 };
    struct life lives[CLIENTS];
    struct life here;
    struct peer *peer;

    socketio.max_recoveries = MOST;
    carrier_kill_process();
    peer = lives_join("", &here);
    for (int i = 0; i < CLIENTS; i++) {
        peer_free(lives_join("", &lives[i]));
        host_turn(&host);
    }
    ck_assert_uint_eq(count_remembered(), MOST + 1);
    peer_free(peer);
    host_turn(&host);
    ck_assert_uint_eq(count_remembered(), MOST);
    carrier_come_back(&here, true);
    carrier_come_back(&lives[CLIENTS - 1], true);
    carrier_come_back(&lives[CLIENTS - 2], true);
    carrier_come_back(&lives[CLIENTS - 3], false);
    carrier_come_back(&lives[0], false);
}
END_TEST

START_TEST(clients_that_a_drain_ended_are_remembered)
{
    enum { CLIENTS = 6 };
    struct life life;
    ws_drain_options drain;

    socketio.max_recoveries = 3;
    carrier_kill_process();
    for (int i = 0; i < CLIENTS; i++)
        lives_join("", &life);
    ws_drain_options_init(&drain);
    drain.spread_ms = 0;
    ck_assert_int_eq(ws_manager_drain(host.manager, &drain), WS_OK);
    host_turn(&host);
    ck_assert_uint_eq(count_remembered(), CLIENTS);
}
END_TEST

START_TEST(a_connection_that_hangs_here_knows_its_rooms_better)
{
    struct life life;
    struct peer *peer = lives_join("", &life);
    struct peer *second;

    carrier.result = WS_ERR_BACKPRESSURE;
    lives_enter(peer, "a");
    second = carrier_come_back(&life, true);
    ck_assert(lives_is_in(second, "a"));
    peer_expect_close(peer, 1001);
    carrier.result = WS_OK;
    peer_free(peer);
    host_pass(&host, 2000);
    ck_assert_uint_eq(carrier.values[0].rank, 1);
    ck_assert_uint_gt(carrier.values[0].length, 0);
}
END_TEST

/* --- no recovery ------------------------------------------------------------------------------ */

/* The stream was replaced: it is disconnected before any later event, and becomes a new client. */
START_TEST(a_connected_client_learns_of_a_gap)
{
    struct life life;
    struct peer *peer = lives_join("", &life);

    lives_enter(peer, "a");
    carrier.n_events = 0;
    ck_assert_int_eq(ws_manager_cluster_start(host.manager, "bbbbbbbbbb", 0, NULL, 0), WS_OK);
    emit_to(NULL, "1");
    peer_expect_close_reason(peer, 1013, "missed events are no longer available");
    peer_free(peer);
    emit_to(NULL, "2");
    peer = carrier_come_back(&life, false);
    ck_assert(!lives_is_in(peer, "a"));
    emit_to(NULL, "3");
    lives_expect(peer, "3");
}
END_TEST

START_TEST(another_user_becomes_a_new_client)
{
    struct life life;
    struct life other;
    char auth[512];
    struct peer *peer = lives_join("", &life);

    lives_enter(peer, "a");
    carrier_kill_process();
    snprintf(auth, sizeof auth, "\"user\":\"bob\",%s", lives_auth(&life, NULL));
    peer = lives_join(auth, &other);
    ck_assert_str_ne(other.pid, life.pid);
    ck_assert(!lives_is_in(peer, "a"));
}
END_TEST

START_TEST(an_answer_is_awaited_for_a_while)
{
    struct life life;
    struct peer *peer = lives_join("", &life);
    char packet[512];

    carrier_kill_process();
    carrier.is_silent = true;
    peer = socketio_session("");
    snprintf(packet, sizeof packet, "40{%s}", lives_auth(&life, NULL));
    socketio_send(peer, packet);
    peer_expect_nothing(peer);
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 0);
    host_pass(&host, 4900);
    peer_expect_nothing(peer);
    host_pass(&host, 200);
    ck_assert_str_ne(lives_answer(peer).pid, life.pid);
    carrier_answer_all();
    host_turn(&host);
    peer_expect_nothing(peer);
}
END_TEST

START_TEST(a_client_may_go_while_its_session_is_asked_for)
{
    struct life life;
    struct peer *peer = lives_join("", &life);
    char packet[512];

    carrier_kill_process();
    carrier.is_silent = true;
    snprintf(packet, sizeof packet, "40{%s}", lives_auth(&life, NULL));
    for (int i = 0; i < 2; i++) {
        peer = socketio_session("");
        socketio_send(peer, packet);
        if (i == 0)
            peer_free(peer);
    }
    carrier_answer_all();
    peer_free(peer);
    host_turn(&host);
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 0);
    peer = socketio_session("");
    socketio_send(peer, packet);
    socketio_send(peer, "40");
    peer_expect_close_reason(peer, 1002, "the namespace is connected already");
}
END_TEST

START_TEST(the_application_frees_the_websocket_when_it_is_asked)
{
    struct life life;
    struct peer *peer = lives_join("", &life);
    char packet[512];

    carrier_kill_process();
    carrier.is_silent = true;
    snprintf(packet, sizeof packet, "40{%s}", lives_auth(&life, NULL));
    peer = socketio_session("");
    socketio_send(peer, packet);
    frees_when_asked = true;
    carrier_answer_all();
    host_turn(&host);
    frees_when_asked = false;
    ck_assert_ptr_null(peer->websocket);
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 0);
}
END_TEST

/* What clients send with their question waits in memory: all of it together has a limit. */
START_TEST(questions_are_limited_in_bytes)
{
    struct life life;
    struct peer *peer = lives_join("", &life);
    struct peer *first;
    struct peer *last;
    char packet[1000];
    int length;

    peer_free(peer);
    carrier_kill_process();
    carrier.is_silent = true;
    length = snprintf(packet, sizeof packet, "40{%s,\"pad\":\"", lives_auth(&life, NULL));
    memset(packet + length, 'p', sizeof packet - (size_t)length);
    strcpy(packet + sizeof packet - 5, "\"}");
    first = socketio_session("");
    last = socketio_session("");
    socketio_send(first, packet);
    unfinished_crowd_begin(host.loop);
    peer_expect_nothing(first);
    socketio_send(last, packet);
    peer_expect_close_reason(first, 1013, "too many unfinished messages");
    peer_expect_nothing(last);
    carrier_answer_all();
    host_turn(&host);
    ck_assert_str_eq(lives_answer(last).pid, life.pid);
    unfinished_crowd_end(host.loop);
}
END_TEST

START_TEST(bytes_that_are_not_a_record_make_a_new_client)
{
    static const char *const bad[] = {"1",       "1|0|a|-",   "2|0|a|-|", "1|x|a|-|",
                                      "1||a|-|", "1|0|a|-|b", "",         "|||"};
    struct life life;
    struct life next;

    lives_join("", &life);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct value *value = &carrier.values[0];

        carrier_kill_process();
        value->length = strlen(bad[i]);
        for (size_t j = 0; j < value->length; j++)
            value->bytes[j] = bad[i][j] == '|' ? '\0' : bad[i][j];
        carrier.n_values = 1;
        lives_join(lives_auth(&life, NULL), &next);
        ck_assert_str_ne(next.pid, life.pid);
    }
}
END_TEST

/* --- failing allocations ---------------------------------------------------------------------- */

static void send_text(struct peer *peer, const char *packet)
{
    if (peer->websocket != NULL && !ws_websocket_ended(peer->websocket))
        socketio_send(peer, packet);
}

/* A client comes back to this process. */
static void live(const struct life *life)
{
    struct bytes request = {NULL, 0, 0};
    struct peer *peer = host_peer(&host);
    char packet[512];

    if (peer->websocket == NULL)
        return;
    client_request(&request, SOCKETIO_TARGET, "");
    peer_send(peer, &request);
    bytes_free(&request);
    snprintf(packet, sizeof packet, "40{%s}", lives_auth(life, NULL));
    send_text(peer, packet);
    host_turn(&host);
    send_text(peer, "421[\"join_room\",\"x\"]");
    host_turn(&host);
    host_pass(&host, 6000);
    peer_free(peer);
    host_turn(&host);
}

START_TEST(each_allocation_fails_in_turn)
{
    struct value before;
    struct life life;
    size_t n_failed = 0;

    lives_enter(lives_join("", &life), "a");
    before = carrier.values[0];
    socketio_close();
    for (size_t at = 0;; at++) {
        bool failed;

        carrier.values[0] = before;
        carrier.n_values = 1;
        memset(&host, 0, sizeof host);
        host.memory.fail_at = at;
        if (host_try_open(&host, &options) == WS_OK) {
            host.judge = judge;
            ws_manager_cluster_start(host.manager, "aaaaaaaaaa", 0, NULL, 0);
            live(&life);
        }
        failed = host.memory.failed;
        n_failed += failed;
        socketio_close();
        if (!failed)
            break;
    }
    ck_assert_uint_gt(n_failed, 50);
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("socketio-cluster");
    TCase *cases = tcase_create("socketio-cluster");

    tcase_add_checked_fixture(cases, setup, carrier_teardown);
    tcase_add_test(cases, a_client_recovers_on_another_process);
    tcase_add_test(cases, a_session_is_written_once_in_a_turn);
    tcase_add_test(cases, what_the_carrier_did_not_take_is_written_later);
    tcase_add_test(cases, a_session_is_written_again_before_its_time_is_over);
    tcase_add_test(cases, a_large_session_is_written_after_a_pause);
    tcase_add_test(cases, many_large_sessions_are_written_in_turns);
    tcase_add_test(cases, a_client_that_leaves_on_purpose_is_forgotten);
    tcase_add_test(cases, the_newest_clients_that_left_are_remembered);
    tcase_add_test(cases, clients_that_a_drain_ended_are_remembered);
    tcase_add_test(cases, a_connection_that_hangs_here_knows_its_rooms_better);
    tcase_add_test(cases, a_connected_client_learns_of_a_gap);
    tcase_add_test(cases, another_user_becomes_a_new_client);
    tcase_add_test(cases, an_answer_is_awaited_for_a_while);
    tcase_add_test(cases, a_client_may_go_while_its_session_is_asked_for);
    tcase_add_test(cases, the_application_frees_the_websocket_when_it_is_asked);
    tcase_add_test(cases, questions_are_limited_in_bytes);
    tcase_add_test(cases, bytes_that_are_not_a_record_make_a_new_client);
    tcase_add_test(cases, each_allocation_fails_in_turn);
    suite_add_tcase(suite, cases);
    return suite;
}
