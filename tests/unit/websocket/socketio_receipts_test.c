/* socketio_receipts_test.c: a client of Socket.IO whose session a cluster's carrier remembers has
 * joined or left a room when the carrier has it: what waits for that, for how long, and what may
 * happen meanwhile. */
#include <stdio.h>
#include <string.h>

#include "websocket/socketio_carrier.h"

enum { PATIENCE_MS = 5000 };

static char refused_room[32];

static int authorize(ws_manager *manager, const ws_connection_info *connection,
                     const char *room, void *user_data)
{
    (void)manager;
    (void)connection;
    (void)user_data;
    return strcmp(room, refused_room) == 0 ? WS_ERR_FORBIDDEN : WS_OK;
}

static void setup(void)
{
    memset(refused_room, 0, sizeof refused_room);
    carrier_setup();
    options.manager.authorize_join = authorize;
    carrier_kill_process();
}

static void request(struct peer *peer, const char *name, const char *room)
{
    char packet[256];

    snprintf(packet, sizeof packet, "421[\"%s\",\"%s\"]", name, room);
    socketio_send(peer, packet);
}

static void answer(void)
{
    carrier_answer_all();
    host_turn(&host);
}

static bool remembers(const char *room)
{
    const struct value *value = &carrier.values[0];

    for (size_t at = 0; at < value->length; at += strlen(value->bytes + at) + 1)
        if (strcmp(value->bytes + at, room) == 0)
            return true;
    return false;
}

/* --- what waits ------------------------------------------------------------------------------- */

START_TEST(a_join_is_answered_when_the_carrier_has_the_room)
{
    struct life life;
    struct peer *peer = lives_join("", &life);

    carrier.is_silent = true;
    request(peer, "join_room", "a");
    peer_expect_nothing(peer);
    ck_assert_uint_eq(carrier.n_questions, 1);
    ck_assert(remembers("a") && !lives_is_in(peer, "a"));
    answer();
    socketio_expect_prefix(peer, "431[{\"type\":\"room_joined\"");
    carrier.is_silent = false;
    carrier_kill_process();
    ck_assert(lives_is_in(carrier_come_back(&life, true), "a"));
}
END_TEST

START_TEST(a_leave_is_answered_when_the_carrier_has_lost_the_room)
{
    struct life life;
    struct peer *peer = lives_join("", &life);

    lives_enter(peer, "a");
    lives_enter(peer, "aa");
    lives_enter(peer, "b");
    carrier.is_silent = true;
    request(peer, "leave_room", "a");
    peer_expect_nothing(peer);
    ck_assert(!remembers("a") && remembers("aa") && remembers("b"));
    ck_assert(lives_is_in(peer, "a"));
    answer();
    socketio_expect_prefix(peer, "431[{\"type\":\"room_left\"");
    carrier.is_silent = false;
    carrier_kill_process();
    peer = carrier_come_back(&life, true);
    ck_assert(!lives_is_in(peer, "a") && lives_is_in(peer, "aa") && lives_is_in(peer, "b"));
}
END_TEST

/* The client's packets are processed in order; the server's changes are not held up. */
START_TEST(further_packets_wait)
{
    struct life life;
    struct peer *peer = lives_join("", &life);

    carrier.is_silent = true;
    request(peer, "join_room", "a");
    request(peer, "join_room", "b");
    request(peer, "leave_room", "a");
    socketio_send(peer, "421[\"nothing\"]");
    ck_assert_uint_eq(carrier.n_questions, 1);
    ck_assert_int_eq(ws_manager_join_room(host.manager, socketio_id(peer), "c"), WS_OK);
    host_turn(&host);
    ck_assert(lives_is_in(peer, "c"));
    ck_assert(remembers("a") && !remembers("b") && remembers("c"));
    answer();
    socketio_expect_prefix(peer, "431[{\"type\":\"room_joined\",\"data\":{\"room\":\"a\"");
    ck_assert(remembers("a") && remembers("b") && remembers("c"));
    answer();
    socketio_expect_prefix(peer, "431[{\"type\":\"room_joined\",\"data\":{\"room\":\"b\"");
    ck_assert(!remembers("a") && remembers("b") && remembers("c"));
    peer_expect_nothing(peer);
    ck_assert_str_ne(seen.name, "nothing");
    answer();
    socketio_expect_prefix(peer, "431[{\"type\":\"room_left\"");
    ck_assert_str_eq(seen.name, "nothing");
    ck_assert_uint_eq(carrier.n_questions, 0);
}
END_TEST

/* The wishes of a join are carried out later, too. */
START_TEST(a_join_keeps_its_arguments)
{
    struct life life;
    struct peer *peer = lives_join("", &life);

    carrier.is_silent = true;
    socketio_send(peer, "427[\"join_room\",\"a\",{\"last\":5}]");
    answer();
    socketio_expect_prefix(peer, "437[{\"type\":\"room_joined\",\"data\":{\"room\":\"a\"");
    socketio_send(peer, "42[\"join_room\",\"b\"]");
    answer();
    socketio_expect_prefix(peer, "42[\"room_joined\",");
}
END_TEST

START_TEST(a_join_is_written_once)
{
    struct life life;
    struct peer *peer = lives_join("", &life);

    for (int i = 1; i <= 8; i++) {
        char room[2] = {(char)('a' + i), '\0'};
        unsigned before = carrier.n_remembers;

        lives_enter(peer, room);
        host_turn(&host);
        ck_assert_uint_eq(carrier.n_remembers, before + 1);
    }
}
END_TEST

/* Its room, which it asked for, does not stay in its session. */
START_TEST(a_client_that_is_refused_is_not_recovered_in_the_room)
{
    struct life life;
    struct peer *peer = lives_join("", &life);

    strcpy(refused_room, "a");
    request(peer, "join_room", "a");
    socketio_expect_prefix(peer, "431[{\"type\":\"error\",\"data\":{\"code\":\"forbidden\"");
    host_turn(&host);
    ck_assert(!remembers("a"));
    *refused_room = '\0';
    carrier_kill_process();
    ck_assert(!lives_is_in(carrier_come_back(&life, true), "a"));
}
END_TEST

/* Sessions of many rooms are not written before each of them, but before a hundred. */
START_TEST(a_client_enters_a_hundred_rooms_one_after_another)
{
    struct life life;
    struct peer *peer = lives_join("", &life);
    char room[40];

    for (int i = 0; i < 100; i++) {
        snprintf(room, sizeof room, "orders-of-client-%d", i);
        lives_enter(peer, room);
        ck_assert(remembers(room));
    }
    ck_assert_uint_gt(carrier.values[0].length, 1900);
    carrier_kill_process();
    ck_assert(lives_is_in(carrier_come_back(&life, true), room));
}
END_TEST

/* --- a carrier that does not answer ----------------------------------------------------------- */

START_TEST(a_client_waits_for_a_while)
{
    struct life life;
    struct peer *peer = lives_join("", &life);
    struct peer *other = lives_join("", &life);

    carrier.is_silent = true;
    request(peer, "join_room", "a");
    host_pass(&host, PATIENCE_MS - 100);
    peer_expect_nothing(peer);
    request(other, "join_room", "a");
    host_pass(&host, 200);
    socketio_expect_prefix(peer, "431[{\"type\":\"room_joined\"");
    peer_expect_nothing(other);
    /* Nobody begins to wait before the carrier answers again. */
    request(peer, "join_room", "b");
    socketio_expect_prefix(peer, "431[{\"type\":\"room_joined\"");
    ck_assert_uint_eq(carrier.n_questions, 2);
    answer();
    socketio_expect_prefix(other, "431[{\"type\":\"room_joined\"");
    request(peer, "join_room", "c");
    peer_expect_nothing(peer);
    answer();
    socketio_expect_prefix(peer, "431[{\"type\":\"room_joined\"");
}
END_TEST

/* A carrier that cannot reach its engine says so: it is asked again, but nobody waits for that. */
START_TEST(a_client_does_not_wait_while_the_engine_is_away)
{
    struct life life;
    struct peer *peer = lives_join("", &life);
    char room[2] = "a";

    carrier.is_unknown = true;
    lives_enter(peer, room);
    carrier.is_silent = true;
    host_pass(&host, 1000);
    for (; *room < 'k'; ++*room) {
        lives_enter(peer, room);
        ck_assert_uint_le(carrier.n_questions, 1);
    }
    ck_assert_uint_eq(carrier.n_questions, 1);
    answer();
    lives_enter(peer, "y");
    host_pass(&host, 1000);
    lives_enter(peer, "z");
    ck_assert_uint_eq(carrier.n_questions, 1);
    carrier.is_unknown = false;
    answer();
    request(peer, "join_room", "l");
    peer_expect_nothing(peer);
    answer();
    socketio_expect_prefix(peer, "431[{\"type\":\"room_joined\"");
}
END_TEST

START_TEST(a_client_does_not_wait_if_the_carrier_takes_nothing)
{
    struct life life;
    struct peer *peer = lives_join("", &life);

    carrier.is_silent = true;
    carrier.result = WS_ERR_BACKPRESSURE;
    lives_enter(peer, "a");
    ck_assert_uint_eq(carrier.n_questions, 0);
    carrier.result = WS_OK;
    host_pass(&host, 2000);
    ck_assert(remembers("a"));
}
END_TEST

/* --- meanwhile -------------------------------------------------------------------------------- */

START_TEST(the_client_may_go_meanwhile)
{
    struct life life;
    struct peer *peer = lives_join("", &life);

    carrier.is_silent = true;
    request(peer, "join_room", "a");
    request(peer, "join_room", "b");
    peer_free(peer);
    answer();
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 0);
    carrier.is_silent = false;
    ck_assert(!lives_is_in(carrier_come_back(&life, true), "b"));
}
END_TEST

/* The session goes on with its other socket, and what its client has sent with it. */
START_TEST(the_socket_may_end_meanwhile)
{
    struct life life;
    struct peer *peer = lives_join("", &life);

    socketio_send(peer, "40/custom,");
    socketio_expect_prefix(peer, "40/custom,");
    carrier.is_silent = true;
    request(peer, "join_room", "a");
    socketio_send(peer, "42/custom,[\"hello\"]");
    ck_assert_int_eq(
        ws_manager_disconnect(host.manager, socketio_id(peer), WS_CLOSE_NORMAL, NULL), WS_OK);
    host_turn(&host);
    socketio_expect(peer, "41");
    ck_assert_str_eq(seen.name, "hello");
    answer();
    peer_expect_nothing(peer);
}
END_TEST

static void disconnects(ws_conn_id id)
{
    ws_manager_disconnect(host.manager, id, WS_CLOSE_GOING_AWAY, "away");
}

static struct peer *freed_when_asked;

static int free_when_asked(ws_manager *manager, const ws_connection_info *connection,
                           const char *room, void *user_data)
{
    (void)manager;
    (void)room;
    (void)user_data;
    disconnects(connection->id);
    peer_free(freed_when_asked);
    return WS_OK;
}

START_TEST(the_application_may_free_the_websocket_when_it_is_asked)
{
    struct life life;

    options.manager.authorize_join = free_when_asked;
    carrier_kill_process();
    freed_when_asked = lives_join("", &life);
    carrier.is_silent = true;
    request(freed_when_asked, "join_room", "a");
    answer();
    ck_assert_ptr_null(freed_when_asked->websocket);
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 0);
}
END_TEST

START_TEST(the_host_may_end_meanwhile)
{
    struct life life;

    carrier.is_silent = true;
    request(lives_join("", &life), "join_room", "a");
    host_pass(&host, PATIENCE_MS + 100);
    request(lives_join("", &life), "join_room", "a");
}
END_TEST

/* --- failing allocations ---------------------------------------------------------------------- */

static void send_text(struct peer *peer, const char *packet)
{
    if (peer->websocket != NULL && !ws_websocket_ended(peer->websocket))
        socketio_send(peer, packet);
}

static void live(struct peer *peer)
{
    send_text(peer, "421[\"join_room\",\"x\"]");
    send_text(peer, "422[\"join_room\",\"y\"]");
    answer();
    send_text(peer, "423[\"leave_room\",\"x\"]");
    answer();
    answer();
    host_pass(&host, 1000);
}

START_TEST(each_allocation_fails_in_turn)
{
    size_t n_failed = 0;

    carrier.is_silent = true;
    for (size_t at = 0;; at++) {
        struct life life;
        struct peer *peer;
        bool failed;

        carrier_kill_process();
        carrier.n_values = 0;
        peer = lives_join("", &life);
        host.memory.fail_at = host.memory.calls + at;
        live(peer);
        failed = host.memory.failed;
        n_failed += failed;
        carrier_answer_all();
        if (!failed)
            break;
    }
    ck_assert_uint_gt(n_failed, 10);
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("socketio-receipts");
    TCase *cases = tcase_create("socketio-receipts");

    tcase_add_checked_fixture(cases, setup, carrier_teardown);
    tcase_add_test(cases, a_join_is_answered_when_the_carrier_has_the_room);
    tcase_add_test(cases, a_leave_is_answered_when_the_carrier_has_lost_the_room);
    tcase_add_test(cases, further_packets_wait);
    tcase_add_test(cases, a_join_keeps_its_arguments);
    tcase_add_test(cases, a_join_is_written_once);
    tcase_add_test(cases, a_client_that_is_refused_is_not_recovered_in_the_room);
    tcase_add_test(cases, a_client_enters_a_hundred_rooms_one_after_another);
    tcase_add_test(cases, a_client_waits_for_a_while);
    tcase_add_test(cases, a_client_does_not_wait_while_the_engine_is_away);
    tcase_add_test(cases, a_client_does_not_wait_if_the_carrier_takes_nothing);
    tcase_add_test(cases, the_client_may_go_meanwhile);
    tcase_add_test(cases, the_socket_may_end_meanwhile);
    tcase_add_test(cases, the_application_may_free_the_websocket_when_it_is_asked);
    tcase_add_test(cases, the_host_may_end_meanwhile);
    tcase_add_test(cases, each_allocation_fails_in_turn);
    suite_add_tcase(suite, cases);
    return suite;
}
