/* socketio_recovery_test.c: connection state recovery of Socket.IO, as stock clients ask for
 * it: with the pid of their session and the offset of the last event that they have. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "websocket/socketio_lives.h"

static struct host_options options;
static ws_socketio_options socketio;
static const char *forbidden_room;

static int authorize(ws_manager *manager, const ws_connection_info *connection,
                     const char *room, void *user_data)
{
    (void)manager;
    (void)connection;
    (void)user_data;
    return forbidden_room != NULL && strcmp(room, forbidden_room) == 0 ? WS_ERR_FORBIDDEN
                                                                       : WS_OK;
}

/* The user is what the auth's member "user" says. */
static int judge(struct host *of, struct peer *peer, ws_handshake *handshake)
{
    const char *user = strstr(ws_handshake_auth(handshake), "\"user\":\"");
    char name[32];

    (void)of;
    (void)peer;
    if (user == NULL)
        return WS_OK;
    user += strlen("\"user\":\"");
    snprintf(name, sizeof name, "%.*s", (int)strcspn(user, "\""), user);
    return ws_handshake_set_user_id(handshake, name);
}

static void open_host(void)
{
    socketio_open(&options);
    host.judge = judge;
}

static void setup(void)
{
    socketio_options_init(&options);
    socketio = *options.endpoint.socketio;
    socketio.recovery_ms = 120000;
    options.endpoint.socketio = &socketio;
    options.manager.authorize_join = authorize;
    forbidden_room = NULL;
}

static void teardown(void)
{
    socketio_close();
}

/* --- the server ------------------------------------------------------------------------------- */

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
}

static void emit(const char *data)
{
    emit_to(NULL, data);
    host_turn(&host);
}

/* --- clients ---------------------------------------------------------------------------------- */

/* A client that comes back and must be a new one. */
static struct peer *expect_new(const struct life *before, const char *auth)
{
    struct life life;
    struct peer *peer = lives_join(auth, &life);

    ck_assert_str_ne(life.pid, "");
    ck_assert_str_ne(life.pid, before->pid);
    peer_expect_nothing(peer);
    return peer;
}

/* A client that comes back and must have recovered its session. */
static struct peer *expect_recovered(const struct life *before, const char *auth)
{
    struct life life;
    struct peer *peer = lives_join(auth, &life);

    ck_assert_str_eq(life.pid, before->pid);
    ck_assert_str_ne(life.sid, before->sid);
    return peer;
}

/* --- recovery --------------------------------------------------------------------------------- */

START_TEST(a_client_gets_what_it_missed_and_its_rooms)
{
    struct life life;
    struct peer *peer;
    char offset[64];

    open_host();
    peer = lives_join("", &life);
    lives_enter(peer, "a");
    lives_enter(peer, "b");
    emit_to("a", "1");
    emit("2");
    lives_expect(peer, "1");
    snprintf(offset, sizeof offset, "%s", lives_expect(peer, "2"));
    peer_free(peer);
    emit_to("a", "3");
    emit_to("c", "4");
    emit_to("b", "5");
    emit("6");
    peer = expect_recovered(&life, lives_auth(&life, offset));
    lives_expect(peer, "3");
    lives_expect(peer, "5");
    lives_expect(peer, "6");
    peer_expect_nothing(peer);
    ck_assert(lives_is_in(peer, "a") && lives_is_in(peer, "b") && !lives_is_in(peer, "c"));
    emit_to("b", "7");
    emit("8");
    lives_expect(peer, "7");
    lives_expect(peer, "8");
    peer_expect_nothing(peer);
    host_expect_stats(&host, "\"recoveries\":1,");
}
END_TEST

START_TEST(a_client_that_has_no_event_yet_recovers_from_its_beginning)
{
    struct life life;
    struct peer *peer;

    open_host();
    emit("1");
    peer = lives_join("", &life);
    peer_free(peer);
    emit("2");
    peer = expect_recovered(&life, lives_auth(&life, NULL));
    lives_expect(peer, "2");
    peer_expect_nothing(peer);
}
END_TEST

START_TEST(a_session_is_recovered_again_and_again)
{
    static const char *const rooms[] = {"a", "b", "c"};
    static const char *const data[] = {"1", "2", "3"};
    char offset[64];
    struct life life;
    struct peer *peer;

    open_host();
    peer = lives_join("", &life);
    emit("0");
    snprintf(offset, sizeof offset, "%s", lives_expect(peer, "0"));
    for (size_t i = 0; i < 3; i++) {
        lives_enter(peer, rooms[i]);
        peer_free(peer);
        emit_to(rooms[i], data[i]);
        emit_to(rooms[0], "9");
        host_turn(&host);
        peer = expect_recovered(&life, lives_auth(&life, offset));
        lives_expect(peer, data[i]);
        snprintf(offset, sizeof offset, "%s", lives_expect(peer, "9"));
        peer_expect_nothing(peer);
        for (size_t j = 0; j <= i; j++)
            ck_assert(lives_is_in(peer, rooms[j]));
    }
    socketio_send(peer, "421[\"leave_room\",\"a\"]");
    socketio_expect_prefix(peer, "431[{\"type\":\"room_left\"");
    peer_free(peer);
    peer = expect_recovered(&life, lives_auth(&life, offset));
    ck_assert(!lives_is_in(peer, "a") && lives_is_in(peer, "b"));
}
END_TEST

START_TEST(a_client_whose_former_connection_hangs_recovers)
{
    struct life life;
    struct peer *first;
    struct peer *second;

    open_host();
    for (int i = 0; i < 2; i++) { /* the second time its session has an entry */
        first = i == 0 ? lives_join("", &life) : second;
        lives_enter(first, i == 0 ? "a" : "b");
        second = expect_recovered(&life, lives_auth(&life, NULL));
        ck_assert(lives_is_in(second, i == 0 ? "a" : "b"));
        peer_expect_close(first, 1001);
        peer_free(first);
        ck_assert_uint_eq(ws_manager_connection_count(host.manager), 1);
    }
    peer_free(second);
    second = expect_recovered(&life, lives_auth(&life, NULL));
    ck_assert(lives_is_in(second, "a") && lives_is_in(second, "b"));
}
END_TEST

static struct peer *to_cut;

static void cut_off(struct host *of, enum host_callback callback, struct peer *peer,
                    ws_conn_id id)
{
    (void)of;
    (void)peer;
    (void)id;
    if (callback != HOST_CONNECT || to_cut == NULL)
        return;
    ws_websocket_free(to_cut->websocket);
    to_cut->websocket = NULL;
    to_cut = NULL;
}

/* It is in none of its rooms yet when it goes. */
START_TEST(a_client_that_is_cut_off_before_its_answer_recovers_later)
{
    char packet[1024];
    struct life life;
    struct peer *peer;

    open_host();
    peer = lives_join("", &life);
    lives_enter(peer, "a");
    peer_free(peer);
    peer = to_cut = socketio_session("");
    host.hook = cut_off;
    snprintf(packet, sizeof packet, "40{%s}", lives_auth(&life, NULL));
    socketio_send(peer, packet);
    ck_assert_ptr_null(peer->websocket);
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 0);
    peer = expect_recovered(&life, lives_auth(&life, NULL));
    ck_assert(lives_is_in(peer, "a"));
}
END_TEST

START_TEST(what_excluded_the_former_connection_is_not_recovered)
{
    struct life life;
    struct peer *peer;
    ws_event *event = NULL;
    ws_conn_id id;

    open_host();
    peer = lives_join("", &life);
    id = socketio_id(peer);
    ws_event_new(host.manager, "stock_low", "1", 1, &event);
    ck_assert_int_eq(ws_manager_broadcast(host.manager, event, &id, 1), WS_OK);
    ws_event_free(event);
    host_turn(&host);
    peer_free(peer);
    emit("2");
    peer = expect_recovered(&life, lives_auth(&life, NULL));
    lives_expect(peer, "2");
    peer_expect_nothing(peer);
}
END_TEST

START_TEST(rooms_are_authorized_again)
{
    struct life life;
    struct peer *peer;

    open_host();
    peer = lives_join("", &life);
    lives_enter(peer, "a");
    lives_enter(peer, "b");
    peer_free(peer);
    forbidden_room = "a";
    peer = socketio_session("");
    {
        char packet[1024];

        snprintf(packet, sizeof packet, "40{%s}", lives_auth(&life, NULL));
        socketio_send(peer, packet);
    }
    socketio_expect_prefix(peer,
                           "42[\"room_left\",{\"type\":\"room_left\",\"data\":{\"room\":\"a\"");
    ck_assert_str_eq(lives_answer(peer).pid, life.pid);
    peer_expect_nothing(peer);
    ck_assert(!lives_is_in(peer, "a") && lives_is_in(peer, "b"));
}
END_TEST

/* A stock client takes each string at the end of an event for an offset. */
START_TEST(strings_at_the_end_of_events_are_followed_by_an_offset)
{
    static const struct {
        const char *args;
        const char *packet; /* without its last character */
        bool has_offset;
    } emitted[] = {{"[1,\"x\"]", "42[\"y\",1,\"x\"", true},
                   {"[\"x\" ]", "42[\"y\",\"x\" ", true},
                   {"[]", "42[\"y\"", true},
                   {"[1]", "42[\"y\",1", false},
                   {"[{\"a\":\"b\"}]", "42[\"y\",{\"a\":\"b\"}", false},
                   {"[[\"a\"]]", "42[\"y\",[\"a\"]", false}};
    const ws_socketio_attachment bytes = {"b", 1};
    ws_socketio_message message =
        socketio_message("y", "[{\"_placeholder\":true,\"num\":0},\"x\"]");
    char wanted[128];
    char offset[64];
    struct life life;
    struct peer *peer;
    ws_conn_id id;

    open_host();
    peer = lives_join("", &life);
    id = socketio_id(peer);
    emit("1");
    snprintf(offset, sizeof offset, "%s", lives_expect(peer, "1"));
    for (size_t i = 0; i < sizeof emitted / sizeof *emitted; i++) {
        ck_assert_int_eq(socketio_emit(id, "y", emitted[i].args), WS_OK);
        host_turn(&host);
        snprintf(wanted, sizeof wanted, "%s%s%s%s]", emitted[i].packet,
                 emitted[i].has_offset ? ",\"" : "", emitted[i].has_offset ? offset : "",
                 emitted[i].has_offset ? "\"" : "");
        socketio_expect(peer, wanted);
    }
    ck_assert_int_eq(ws_manager_send_text(host.manager, id, "t", 1), WS_OK);
    host_turn(&host);
    snprintf(wanted, sizeof wanted, "42[\"message\",\"t\",\"%s\"]", offset);
    socketio_expect(peer, wanted);
    message.attachments = &bytes;
    message.n_attachments = 1;
    ck_assert_int_eq(ws_socketio_emit(host.manager, id, &message), WS_OK);
    host_turn(&host);
    snprintf(wanted, sizeof wanted,
             "451-[\"y\",{\"_placeholder\":true,\"num\":0},\"x\",\"%s\"]", offset);
    socketio_expect(peer, wanted);
    peer_expect(peer, BINARY, "b", 1);
    peer_free(peer);
    emit("2");
    peer = expect_recovered(&life, lives_auth(&life, offset));
    lives_expect(peer, "2");
    peer_expect_nothing(peer);
}
END_TEST

/* A stock client keeps its offset when it becomes a new client. */
START_TEST(an_offset_from_before_the_session_is_not_used)
{
    struct life life;
    struct peer *peer;
    char offset[64];

    options.manager.history_events = 3;
    open_host();
    peer = lives_join("", &life);
    emit("1");
    snprintf(offset, sizeof offset, "%s", lives_expect(peer, "1"));
    socketio_send(peer, "41");
    peer_free(peer);
    for (int i = 0; i < 4; i++)
        emit("2");
    for (int i = 0; i < 2; i++) { /* then with the id of another history */
        peer = lives_join(lives_auth(&life, offset), &life);
        peer_free(peer);
        emit("3");
        peer = expect_recovered(&life, lives_auth(&life, offset));
        lives_expect(peer, "3");
        peer_expect_nothing(peer);
        socketio_send(peer, "41");
        snprintf(offset, sizeof offset, "aaaaaaaaaa.99");
    }
}
END_TEST

/* --- no recovery ------------------------------------------------------------------------------ */

START_TEST(another_pid_makes_a_new_client)
{
    struct life life;
    struct life other;
    struct peer *peer;
    const char *dot;
    char auth[1024];

    open_host();
    lives_enter(lives_join("", &other), "secret");
    peer = lives_join("", &life);
    lives_enter(peer, "a");
    peer_free(peer);
    expect_new(&life, "\"pid\":7");
    expect_new(&life, "\"pid\":\"\",\"offset\":\"\"");
    expect_new(&life, "\"pid\":\"a.b.c\"");
    dot = strchr(life.pid, '.');
    snprintf(auth, sizeof auth, "\"pid\":\"%.*s.%032d%s\"", (int)(dot - life.pid), life.pid, 0,
             strchr(dot + 1, '.'));
    expect_new(&life, auth);
    /* the name of a connection, and the secret of another one */
    snprintf(auth, sizeof auth, "\"pid\":\"%.*s%s\"", (int)strcspn(other.pid, "."), other.pid,
             dot);
    ck_assert(!lives_is_in(expect_new(&life, auth), "secret"));
    memset(auth, 'x', sizeof auth);
    memcpy(auth, "\"pid\":\"", 7);
    memcpy(auth + 600, "\"", 2);
    expect_new(&life, auth);
    peer = expect_recovered(&life, lives_auth(&life, NULL));
    ck_assert(lives_is_in(peer, "a"));
}
END_TEST

START_TEST(the_user_must_be_the_same)
{
    struct life life;
    struct peer *peer;
    char auth[1024];

    open_host();
    peer = lives_join("\"user\":\"ann\"", &life);
    lives_enter(peer, "a");
    peer_free(peer);
    snprintf(auth, sizeof auth, "\"user\":\"bob\",%s", lives_auth(&life, NULL));
    ck_assert(!lives_is_in(expect_new(&life, auth), "a"));
    ck_assert(!lives_is_in(expect_new(&life, lives_auth(&life, NULL)), "a"));
    snprintf(auth, sizeof auth, "\"user\":\"ann\",%s", lives_auth(&life, NULL));
    ck_assert(lives_is_in(expect_recovered(&life, auth), "a"));
}
END_TEST

enum { LEAVES, LEAVES_AND_CLOSES };

/* As socket.disconnect() does with the last socket. */
static void leave_and_close(struct peer *peer)
{
    struct bytes bytes = {NULL, 0, 0};

    client_text(&bytes, FIN | TEXT, "41");
    client_text(&bytes, FIN | TEXT, "1");
    peer_send(peer, &bytes);
    bytes_free(&bytes);
}

START_TEST(a_client_that_leaves_on_purpose_does_not_recover)
{
    static const struct {
        uint16_t code; /* LEAVES, or LEAVES_AND_CLOSES: by the client */
        bool recovers;
    } cases[] = {{LEAVES, false}, {LEAVES_AND_CLOSES, false},
                 {1000, false},   {4401, false},
                 {1001, true},    {1008, true},
                 {1011, true},    {1012, true},
                 {1013, true}};

    open_host();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct life life;
        struct peer *peer = lives_join("", &life);

        lives_enter(peer, "a");
        if (cases[i].code == LEAVES)
            socketio_send(peer, "41");
        else if (cases[i].code == LEAVES_AND_CLOSES)
            leave_and_close(peer);
        else
            ws_manager_disconnect(host.manager, socketio_id(peer), cases[i].code, NULL);
        host_turn(&host);
        peer_free(peer);
        if (cases[i].recovers)
            ck_assert(lives_is_in(expect_recovered(&life, lives_auth(&life, NULL)), "a"));
        else
            ck_assert(!lives_is_in(expect_new(&life, lives_auth(&life, NULL)), "a"));
    }
}
END_TEST

START_TEST(a_history_that_does_not_reach_back_makes_a_new_client)
{
    struct life life;
    struct peer *peer;

    options.manager.history_events = 2;
    open_host();
    peer = lives_join("", &life);
    lives_enter(peer, "a");
    peer_free(peer);
    for (int i = 0; i < 3; i++)
        emit("1");
    peer = expect_new(&life, lives_auth(&life, NULL));
    ck_assert(!lives_is_in(peer, "a"));
    emit("2");
    lives_expect(peer, "2");
    peer_free(peer);
    /* The offset is a string of an event, as a client has it that takes every last string for
     * one. */
    peer = lives_join("", &life);
    peer_free(peer);
    expect_new(&life, lives_auth(&life, "some text"));
}
END_TEST

START_TEST(sessions_are_kept_for_a_while_and_in_a_number)
{
    struct life lives[4];

    socketio.recovery_ms = 5000;
    socketio.max_recoveries = 3;
    open_host();
    for (int i = 0; i < 4; i++)
        peer_free(lives_join("", &lives[i]));
    expect_new(&lives[0], lives_auth(&lives[0], NULL));
    peer_free(expect_recovered(&lives[1], lives_auth(&lives[1], NULL)));
    host_pass(&host, 4000);
    peer_free(expect_recovered(&lives[2], lives_auth(&lives[2], NULL)));
    host_pass(&host, 1000);
    expect_new(&lives[1], lives_auth(&lives[1], NULL));
    expect_new(&lives[3], lives_auth(&lives[3], NULL));
    expect_recovered(&lives[2], lives_auth(&lives[2], NULL));
}
END_TEST

START_TEST(sessions_are_kept_in_a_number_of_bytes)
{
    struct life lives[3];
    char room[WS_NAME_MAX + 1];

    memset(room, 'r', WS_NAME_MAX);
    room[WS_NAME_MAX] = '\0';
    socketio.max_recovery_bytes = 1000;
    options.endpoint.max_message_bytes = 4096;
    open_host();
    for (int i = 0; i < 3; i++) {
        struct peer *peer = lives_join("", &lives[i]);

        for (int j = 0; j < 2; j++) {
            room[0] = (char)('a' + j);
            ck_assert_int_eq(ws_manager_join_room(host.manager, socketio_id(peer), room),
                             WS_OK);
        }
        host_turn(&host);
        peer_free(peer);
    }
    expect_new(&lives[0], lives_auth(&lives[0], NULL));
    expect_recovered(&lives[2], lives_auth(&lives[2], NULL));
}
END_TEST

START_TEST(without_recovery_there_is_no_pid)
{
    struct life life;
    struct peer *peer;

    socketio.recovery_ms = 0;
    open_host();
    peer = lives_join("", &life);
    ck_assert_str_eq(life.pid, "");
    peer_free(peer);
    lives_join("\"pid\":\"a.0123456789abcdef0123456789abcdef.b.1\",\"offset\":\"b.1\"", &life);
    ck_assert_str_eq(life.pid, "");
}
END_TEST

START_TEST(another_namespace_has_no_pid)
{
    struct peer *peer;
    const char *text;

    open_host();
    peer = socketio_session("");
    socketio_send(peer, "40/custom,");
    text = lives_text(peer);
    ck_assert_msg(strstr(text, "pid") == NULL, "%s", text);
}
END_TEST

/* A client learns of events that are lost while it recovers: it is disconnected, and becomes a new
 * one. */
START_TEST(events_that_are_lost_on_the_way_end_the_session)
{
    char data[700];
    struct life life;
    struct life other;
    struct peer *peer;
    struct peer *observer;
    char packet[1024];
    char offset[64];

    memset(data, '7', sizeof data);
    data[sizeof data - 1] = '\0';
    options.manager.history_events = 20;
    options.endpoint.max_queue_bytes = 4000;
    open_host();
    peer = lives_join("", &life);
    lives_enter(peer, "a");
    peer_free(peer);
    for (int i = 0; i < 20; i++)
        emit(data);
    observer = lives_join("", &other);
    peer = socketio_session("");
    peer->writable = 0;
    snprintf(packet, sizeof packet, "40{%s}", lives_auth(&life, NULL));
    socketio_send(peer, packet);
    for (int i = 0; i < 20; i++) {
        emit("8");
        snprintf(offset, sizeof offset, "%s", lives_expect(observer, "8"));
    }
    peer->writable = SIZE_MAX;
    peer_write(peer);
    host_turn(&host);
    ck_assert_str_eq(lives_answer(peer).pid, life.pid);
    while (strncmp((const char *)peer->received.data + peer->read, "\x88", 1) != 0)
        lives_text(peer);
    peer_expect_close_reason(peer, 1013, "missed events are no longer available");
    peer_free(peer);
    /* It may have had events behind the gap. */
    peer = expect_new(&life, lives_auth(&life, offset));
    ck_assert(!lives_is_in(peer, "a"));
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("socketio-recovery");
    TCase *cases = tcase_create("socketio-recovery");

    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_client_gets_what_it_missed_and_its_rooms);
    tcase_add_test(cases, a_client_that_has_no_event_yet_recovers_from_its_beginning);
    tcase_add_test(cases, a_session_is_recovered_again_and_again);
    tcase_add_test(cases, a_client_whose_former_connection_hangs_recovers);
    tcase_add_test(cases, a_client_that_is_cut_off_before_its_answer_recovers_later);
    tcase_add_test(cases, what_excluded_the_former_connection_is_not_recovered);
    tcase_add_test(cases, rooms_are_authorized_again);
    tcase_add_test(cases, strings_at_the_end_of_events_are_followed_by_an_offset);
    tcase_add_test(cases, an_offset_from_before_the_session_is_not_used);
    tcase_add_test(cases, another_pid_makes_a_new_client);
    tcase_add_test(cases, the_user_must_be_the_same);
    tcase_add_test(cases, a_client_that_leaves_on_purpose_does_not_recover);
    tcase_add_test(cases, a_history_that_does_not_reach_back_makes_a_new_client);
    tcase_add_test(cases, sessions_are_kept_for_a_while_and_in_a_number);
    tcase_add_test(cases, sessions_are_kept_in_a_number_of_bytes);
    tcase_add_test(cases, without_recovery_there_is_no_pid);
    tcase_add_test(cases, another_namespace_has_no_pid);
    tcase_add_test(cases, events_that_are_lost_on_the_way_end_the_session);
    suite_add_tcase(suite, cases);
    return suite;
}
