/* reauthorize_test.c: clients that are no longer allowed in rooms that they are in. Not here: the
 * authorisation of a join (client_test.c). */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "support/host.h"
#include "support/suite.h"

static struct host host;
static struct client ann;
static const char *refused; /* prefix of the rooms that are refused */
static bool ends_meanwhile; /* the client is lost while the application is asked */
static bool loses_right_meanwhile;
static bool emits_meanwhile; /* just after that */
static bool always_reauthorizes;
static unsigned n_asked;

static int authorize(ws_manager *manager, const ws_connection_info *connection,
                     const char *room, void *user_data)
{
    (void)manager;
    (void)connection;
    (void)user_data;
    n_asked++;
    if (loses_right_meanwhile) { /* as another thread might do it */
        loses_right_meanwhile = false;
        refused = "r";
        ck_assert_int_eq(ws_manager_reauthorize(manager, connection->id), WS_OK);
        if (emits_meanwhile)
            emit_number(&host, "r", 1);
        return WS_OK;
    }
    if (always_reauthorizes)
        ck_assert_int_eq(ws_manager_reauthorize(manager, connection->id), WS_OK);
    if (ends_meanwhile)
        client_lose(&ann);
    return strncmp(room, refused, strlen(refused)) == 0 ? WS_ERR_FORBIDDEN : WS_OK;
}

static int reauthorize_at_once(ws_manager *manager, const ws_connection_info *connection,
                               const char *token, void *user_data)
{
    (void)token;
    (void)user_data;
    return ws_manager_reauthorize(manager, connection->id);
}

static void begin(void)
{
    refused = "staff:";
    ends_meanwhile = emits_meanwhile = always_reauthorizes = false;
    host_init(&host);
    host.options.authorize_join = authorize;
    host.options.authenticate = reauthorize_at_once;
    host_start(&host);
    client_open(&host, &ann, "ann", "ann");
    host_forget_log(&host);
}

static void end(void)
{
    host_close(&host);
    client_free(&ann);
}

static void begin_keeping(void)
{
    ws_room_history_options options;

    begin();
    ws_room_history_options_init(&options);
    options.room = "r";
    options.max_events = 10;
    ck_assert_int_eq(ws_manager_keep_room_history(host.manager, &options), WS_OK);
}

/* Ann connects anew, names the room, and wants its newest event. */
static void connect_with_rooms(size_t n_rooms)
{
    static const char *const rooms[] = {"r", "r"};
    ws_connect_options options;

    client_lose(&ann);
    client_free(&ann);
    ann = (struct client){.host = &host, .name = "ann"};
    client_options(&ann, &options);
    options.user_id = "ann";
    options.rooms = rooms;
    options.n_rooms = n_rooms;
    options.last_events = 1;
    ck_assert_int_eq(ws_manager_connect(host.manager, host.loop, &options, &ann.id), WS_OK);
    host_run(&host);
}

static void join(const char *room)
{
    ck_assert_int_eq(ws_manager_join_room(host.manager, ann.id, room), WS_OK);
    host_run(&host);
    host_forget_log(&host);
}

static void reauthorize(void)
{
    ck_assert_int_eq(ws_manager_reauthorize(host.manager, ann.id), WS_OK);
    host_run(&host);
}

#define LEFT(room) "{\"type\":\"room_left\",\"data\":{\"room\":\"" room "\",\"id\":\"E.0\"}}"

START_TEST(only_refused_rooms_are_left)
{
    static const char *const rooms[] = {"staff:a", "orders", "staff:b", "user:ann", "staff:c"};

    begin();
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++)
        join(rooms[i]);
    refused = "nothing";
    reauthorize();
    host_expect_log(&host, "");
    client_expect(&ann, NULL);
    refused = "staff:";
    reauthorize();
    host_expect_log(&host, "on_leave ann staff:c success\n"
                           "on_leave ann staff:b success\n"
                           "on_leave ann staff:a success\n");
    client_expect(&ann, LEFT("staff:c"), LEFT("staff:b"), LEFT("staff:a"), NULL);
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++)
        ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, rooms[i]),
                         i == 1 || i == 3);
    end();
}
END_TEST

/* Joins before the call are judged, events after it are not received. */
START_TEST(reauthorization_is_in_order_with_joins_and_events)
{
    begin();
    ck_assert_int_eq(ws_manager_join_room(host.manager, ann.id, "staff:a"), WS_OK);
    emit_number(&host, "staff:a", 1);
    ck_assert_int_eq(ws_manager_reauthorize(host.manager, ann.id), WS_OK);
    emit_number(&host, "staff:a", 2);
    host_run(&host);
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, "staff:a"), 0);
    ck_assert_uint_eq(ann.n_messages, 3); /* the welcome, the first event, room_left */
    end();
}
END_TEST

START_TEST(a_join_that_was_permitted_before_is_judged_again)
{
    begin();
    n_asked = 0;
    loses_right_meanwhile = true;
    client_say(&ann, "{\"type\":\"join_room\",\"room\":\"r\"}");
    emit_number(&host, "r", 1);
    host_run(&host);
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, "r"), 0);
    emit_number(&host, "r", 2);
    host_run(&host);
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "forbidden"));
    client_expect(&ann, NULL);
    ck_assert_uint_eq(n_asked, 2);
    end();
}
END_TEST

/* An event that follows the withdrawal at once, while the application is still being asked. */
START_TEST(a_join_that_was_permitted_before_gives_nothing_that_the_room_keeps)
{
    begin_keeping();
    loses_right_meanwhile = emits_meanwhile = true;
    client_say(&ann, "{\"type\":\"join_room\",\"room\":\"r\",\"last\":1}");
    host_run(&host);
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, "r"), 0);
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "forbidden"));
    client_expect(&ann, NULL);
    end();
}
END_TEST

START_TEST(a_forbidden_room_of_the_handshake_gives_no_kept_events)
{
    begin_keeping();
    loses_right_meanwhile = emits_meanwhile = true;
    connect_with_rooms(1);
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, "r"), 0);
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "welcome"));
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "forbidden"));
    client_expect(&ann, NULL);
    /* The application has refused it: it is not notified that the client joined. */
    host_expect_log(&host, "on_disconnect ann ann 1006 connection lost\non_connect ann ann\n");
    end();
}
END_TEST

static void lose_right(struct host *of, struct client *client, const char *line)
{
    (void)of;
    (void)client;
    loses_right_meanwhile = strncmp(line, "on_join", 7) == 0;
}

/* It names the room twice, and loses the right while the application is asked again. */
START_TEST(a_member_that_is_refused_meanwhile_has_left)
{
    begin_keeping();
    host.hook = lose_right;
    connect_with_rooms(2);
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, "r"), 0);
    host_expect_log(&host, "on_disconnect ann ann 1006 connection lost\non_connect ann ann\n"
                           "on_join ann r success\non_leave ann r success\n");
    end();
}
END_TEST

/* Who takes rights away whenever it is asked does not keep the loop. */
START_TEST(an_authorization_that_asks_for_reauthorization_ends)
{
    begin();
    n_asked = 0;
    always_reauthorizes = true;
    client_say(&ann, "{\"type\":\"join_room\",\"room\":\"r\"}");
    host_run(&host);
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, "r"), 0);
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "forbidden"));
    ck_assert_uint_le(n_asked, 16);
    end();
}
END_TEST

/* Nor in rooms that it is in already: the requests of one walk through the rooms are one. */
START_TEST(a_reauthorization_that_asks_for_another_ends)
{
    begin();
    join("r1");
    join("r2");
    join("r3");
    n_asked = 0;
    always_reauthorizes = true;
    ck_assert_int_eq(ws_manager_reauthorize(host.manager, ann.id), WS_OK);
    for (int turn = 0; turn < 100; turn++)
        ws_loop_run(host.loop, host.now_ms);
    ck_assert_uint_eq(n_asked, 16 * 3);
    always_reauthorizes = false;
    host_run(&host);
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, "r1"), 0);
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "room_left"));
    end();
}
END_TEST

static bool reauthorizes_once;

static int authorize_twice(ws_manager *manager, const ws_connection_info *connection,
                           const char *room, void *user_data)
{
    (void)user_data;
    n_asked++;
    if (reauthorizes_once && strcmp(room, "r2") == 0) {
        reauthorizes_once = false;
        refused = "r3"; /* which was permitted a moment ago */
        ck_assert_int_eq(ws_manager_reauthorize(manager, connection->id), WS_OK);
    }
    return strncmp(room, refused, strlen(refused)) == 0 ? WS_ERR_FORBIDDEN : WS_OK;
}

START_TEST(a_right_that_is_lost_meanwhile_is_lost)
{
    refused = "staff:";
    host_init(&host);
    host.options.authorize_join = authorize_twice;
    host_start(&host);
    client_open(&host, &ann, "ann", "ann");
    join("r1");
    join("r2");
    join("r3");
    reauthorizes_once = true;
    reauthorize();
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, "r2"), 1);
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, "r3"), 0);
    end();
}
END_TEST

/* The room's name must stay valid after its last member has left. */
START_TEST(the_application_may_end_the_connection_meanwhile)
{
    begin();
    join("staff:a");
    join("staff:b");
    ends_meanwhile = true;
    reauthorize();
    host_expect_log(&host, "on_disconnect ann ann 1006 connection lost\n");
    client_expect(&ann, NULL);
    end();
}
END_TEST

enum { N_ROOMS = 1000, MOST_IN_A_TURN = 200 };

/* Ann is in r0, r1, …; the application is asked for some of them in each turn, and for none
 * twice. */
static void ask_for_many_rooms(unsigned n_turns)
{
    begin();
    for (int i = 0; i < N_ROOMS; i++) {
        char room[16];

        snprintf(room, sizeof room, "r%d", i);
        join(room);
    }
    n_asked = 0;
    ck_assert_int_eq(ws_manager_reauthorize(host.manager, ann.id), WS_OK);
    for (unsigned before = 0; n_asked < N_ROOMS && n_turns > 0; before = n_asked, n_turns--) {
        ck_assert(ws_loop_run(host.loop, host.now_ms) == host.now_ms || n_asked == N_ROOMS);
        ck_assert_uint_gt(n_asked, before);
        ck_assert_uint_le(n_asked - before, MOST_IN_A_TURN);
    }
}

START_TEST(many_rooms_are_checked_over_several_turns)
{
    ask_for_many_rooms(UINT_MAX);
    refused = "r1";
    reauthorize();
    ck_assert_uint_eq(n_asked, 2 * N_ROOMS);
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, "r2"), 1);
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, "r1"), 0);
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, "r100"), 0);
    end();
}
END_TEST

/* Also of the room that is asked for last, several turns later. */
START_TEST(no_event_after_the_call_is_received_from_a_refused_room)
{
    begin();
    for (int i = 0; i < N_ROOMS; i++) {
        char room[16];

        snprintf(room, sizeof room, "r%d", i);
        join(room);
    }
    refused = "r";
    n_asked = 0;
    emit_number(&host, "r0", 1);
    ck_assert_int_eq(ws_manager_reauthorize(host.manager, ann.id), WS_OK);
    for (int i = 2; n_asked < N_ROOMS; i++) {
        emit_number(&host, "r0", i);
        emit_number(&host, NULL, i);
        ws_loop_run(host.loop, host.now_ms);
    }
    host_run(&host);
    for (const char *message; (message = client_next(&ann)) != NULL;)
        ck_assert(strstr(message, "notification") == NULL ||
                  strstr(message, "\"n\":1}") != NULL || strstr(message, "\"room\"") == NULL);
    end();
}
END_TEST

START_TEST(the_connection_ends_between_two_turns)
{
    struct client bob;

    ask_for_many_rooms(2);
    client_lose(&ann);
    client_open_in(&host, &bob, "bob", "r1");
    n_asked = 0;
    ck_assert_int_eq(ws_manager_reauthorize(host.manager, bob.id), WS_OK);
    host_run(&host);
    ck_assert_uint_eq(n_asked, 1);
    end();
    client_free(&bob);
    /* The loop ends in the middle of a reauthorization. */
    ask_for_many_rooms(2);
    end();
}
END_TEST

/* A client that makes the application check its rooms again and again is charged for it, so that an
 * event waits only for the rooms of one turn. */
START_TEST(an_event_does_not_wait_for_many_checks)
{
    enum { TURNS_TO_ASK = 10 };
    struct client bob;
    unsigned n_turns = 0;

    ask_for_many_rooms(UINT_MAX);
    client_open(&host, &bob, "bob", NULL);
    for (int i = 0; i < 20; i++)
        client_say(&ann, "{\"type\":\"authenticate\",\"token\":\"t\"}");
    for (int i = 0; i < TURNS_TO_ASK; i++)
        ws_loop_run(host.loop, host.now_ms);
    emit_number(&host, NULL, 1);
    for (; client_count(&bob) == 0; n_turns++)
        ws_loop_run(host.loop, host.now_ms);
    ck_assert_uint_le(n_turns, 2 * TURNS_TO_ASK);
    host_run(&host);
    ck_assert_uint_eq(n_asked, 21 * N_ROOMS);
    end();
    client_free(&bob);
}
END_TEST

START_TEST(connections_that_are_unknown_or_have_no_rooms)
{
    ws_conn_id stale;

    begin();
    reauthorize();
    client_expect(&ann, NULL);
    stale = ann.id;
    client_lose(&ann);
    ck_assert_int_eq(ws_manager_reauthorize(host.manager, stale), WS_ERR_NOT_FOUND);
    ck_assert_int_eq(ws_manager_reauthorize(NULL, stale), WS_ERR_INVALID);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        only_refused_rooms_are_left,
        reauthorization_is_in_order_with_joins_and_events,
        a_join_that_was_permitted_before_is_judged_again,
        a_join_that_was_permitted_before_gives_nothing_that_the_room_keeps,
        a_forbidden_room_of_the_handshake_gives_no_kept_events,
        a_member_that_is_refused_meanwhile_has_left,
        an_authorization_that_asks_for_reauthorization_ends,
        a_reauthorization_that_asks_for_another_ends,
        a_right_that_is_lost_meanwhile_is_lost,
        no_event_after_the_call_is_received_from_a_refused_room,
        the_application_may_end_the_connection_meanwhile,
        many_rooms_are_checked_over_several_turns,
        the_connection_ends_between_two_turns,
        an_event_does_not_wait_for_many_checks,
        connections_that_are_unknown_or_have_no_rooms,
        NULL,
    };

    return suite_run("reauthorize", tests);
}
