/* presence_watch_test.c: who watches a room: lists in the middle of a batch of changes, rooms
 * that grow and shrink, the order in which rooms are served, and what is left behind. Not here:
 * single changes (presence_list_test.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/manager.h"
#include "core/presence/state.h"
#include "support/host.h"
#include "support/suite.h"

enum { CROWD = 800 };

static struct host host;
static struct client ann, bob, eve;
static struct client crowd[CROWD];
static bool is_refused;
static bool was_asked_of_service;
static unsigned n_asked;
static unsigned ends_when_asked; /* ann is lost then; 0: never */

static int authorize(ws_manager *manager, const ws_connection_info *connection,
                     const char *room, void *user_data)
{
    (void)manager;
    (void)connection;
    (void)user_data;
    n_asked++;
    ck_assert(room == NULL || *room != '\0');
    was_asked_of_service |= room == NULL;
    if (n_asked == ends_when_asked)
        client_lose(&ann);
    return is_refused ? WS_ERR_FORBIDDEN : WS_OK;
}

static void prepare(void)
{
    is_refused = was_asked_of_service = false;
    ends_when_asked = 0;
    host_init(&host);
    host_without_callbacks(&host);
    host.options.authorize_presence = authorize;
    host.options.presence_grace_ms = 0;
    host.options.presence_batch_ms = 100;
}

static void begin(void)
{
    prepare();
    host_start(&host);
}

static void end(void)
{
    host_close(&host);
    client_free(&ann);
    client_free(&bob);
    client_free(&eve);
    for (size_t i = 0; i < CROWD; i++)
        client_free(&crowd[i]);
}

static void pass(uint64_t ms)
{
    for (uint64_t until = host.now_ms + ms; host.now_ms < until;) {
        host.now_ms += 50;
        host_run(&host);
    }
}

static void say(struct client *client, const char *json)
{
    client_say(client, json);
    host_run(&host);
}

static void join(struct client *client, const char *room)
{
    char text[64];

    snprintf(text, sizeof text, "{\"type\":\"join_room\",\"room\":\"%s\"}", room);
    say(client, text);
}

static void leave(struct client *client)
{
    say(client, "{\"type\":\"leave_room\",\"room\":\"r\"}");
}

static void watch(struct client *client)
{
    say(client, "{\"type\":\"join_room\",\"room\":\"r\",\"presence\":true}");
}

static void ask(struct client *client)
{
    say(client, "{\"type\":\"presence\",\"room\":\"r\"}");
}

/* Ann watches the room. */
static void begin_watched(void)
{
    begin();
    client_open(&host, &ann, "ann", "ann");
    client_open(&host, &bob, "bob", "bob");
    watch(&ann);
    pass(200);
    client_count(&ann);
}

/* Opens members "m0" and so on of the room. */
static void open_crowd(size_t from, size_t n)
{
    for (size_t i = from; i < from + n; i++) {
        char name[16];

        snprintf(name, sizeof name, "m%zu", i);
        client_open(&host, &crowd[i], name, name);
        join(&crowd[i], "r");
    }
}

static void leave_crowd(size_t from, size_t n)
{
    for (size_t i = from; i < from + n; i++)
        leave(&crowd[i]);
}

static void expect_text(struct client *client, const char *part)
{
    const char *text = client_next(client);

    ck_assert_ptr_nonnull(text);
    ck_assert_msg(strstr(text, part) != NULL, "%s is not in %s", part, text);
}

/* --- lists in the middle of a batch ---------------------------------------------------------- */

/* A watcher replaces its list by the one that it asked for, and the changes lead on from there. */
START_TEST(a_member_of_the_answer_is_announced_as_left)
{
    begin_watched();
    join(&bob, "r");
    ask(&ann);
    expect_text(&ann, "\"count\":2");
    leave(&bob);
    pass(200);
    expect_text(&ann, "\"left\":[{\"user_id\":\"bob\"}]");
    client_expect(&ann, NULL);
    end();
}
END_TEST

START_TEST(a_member_missing_in_the_answer_is_announced_as_joined)
{
    begin_watched();
    join(&bob, "r");
    pass(200);
    client_count(&ann);
    leave(&bob);
    ask(&ann);
    expect_text(&ann, "\"count\":1");
    join(&bob, "r");
    pass(200);
    expect_text(&ann, "\"joined\":[{\"user_id\":\"bob\"");
    client_expect(&ann, NULL);
    end();
}
END_TEST

/* The first list of a new observer, too, may come between an unsent change and its opposite. */
START_TEST(a_member_missing_in_the_first_list_is_announced_as_joined)
{
    begin_watched();
    join(&bob, "r");
    pass(200);
    leave(&bob);
    client_open(&host, &eve, "eve", "eve");
    watch(&eve);
    client_count(&eve);
    join(&bob, "r");
    pass(200);
    expect_text(&eve, "\"user_id\":\"bob\"");
    end();
}
END_TEST

START_TEST(a_count_that_was_given_is_corrected)
{
    prepare();
    host.options.max_presence_list = 1;
    host_start(&host);
    client_open(&host, &ann, "ann", "ann");
    client_open(&host, &bob, "bob", "bob");
    open_crowd(0, 2);
    watch(&ann);
    pass(200);
    client_count(&ann);
    join(&bob, "r");
    ask(&ann);
    expect_text(&ann, "\"count\":4");
    leave(&bob);
    pass(200);
    expect_text(&ann, "\"data\":{\"count\":3}");
    end();
}
END_TEST

/* Watchers were never sent a member that had come before them. */
START_TEST(a_member_that_was_never_sent_changes_the_count)
{
    prepare();
    host.options.max_presence_list = 2;
    host_start(&host);
    open_crowd(0, 3);
    client_open(&host, &ann, "ann", "ann");
    watch(&ann);
    pass(200);
    client_count(&ann);
    leave_crowd(0, 1);
    pass(200);
    expect_text(&ann, "\"data\":{\"count\":3}");
    leave_crowd(1, 1);
    pass(200);
    expect_text(&ann, "\"members\":[");
    end();
}
END_TEST

/* A watcher that has received the count alone in between has no list to which changes apply. */
START_TEST(a_list_follows_a_count_that_was_given)
{
    prepare();
    host.options.max_presence_list = 2;
    host_start(&host);
    client_open(&host, &ann, "ann", "ann");
    watch(&ann);
    pass(200);
    client_count(&ann);
    open_crowd(0, 2);
    ask(&ann);
    expect_text(&ann, "\"data\":{\"count\":3}");
    leave_crowd(0, 2);
    pass(200);
    expect_text(&ann, "\"members\":[");
    end();
}
END_TEST

static char reported[256];

static void report(ws_manager *manager, const ws_presence_change *change, void *user_data)
{
    (void)manager;
    (void)user_data;
    snprintf(reported + strlen(reported), sizeof reported - strlen(reported), "%d %s\n",
             change->change, change->user_id);
}

/* What clients were shown in between is not the application's. */
START_TEST(on_presence_skips_users_who_leave_within_a_batch)
{
    *reported = '\0';
    prepare();
    host.options.on_presence = report;
    host_start(&host);
    client_open(&host, &ann, "ann", "ann");
    client_open(&host, &bob, "bob", "bob");
    watch(&ann);
    pass(200);
    join(&bob, "r");
    ask(&ann);
    leave(&bob);
    pass(200);
    join(&bob, "r");
    pass(200);
    leave(&bob);
    ask(&ann);
    join(&bob, "r");
    pass(200);
    ck_assert_str_eq(reported, "0 ann\n0 bob\n");
    end();
}
END_TEST

/* A state goes with its user, also when that comes back at once. */
START_TEST(a_state_of_a_user_that_left_is_reported_as_gone)
{
    begin_watched();
    join(&bob, "r");
    say(&bob, "{\"type\":\"set_state\",\"room\":\"r\",\"data\":7}");
    pass(200);
    client_count(&ann);
    leave(&bob);
    join(&bob, "r");
    pass(200);
    expect_text(&ann, "\"changed\":[{\"user_id\":\"bob\",\"connections\":1,\"state\":null}]");
    end();
}
END_TEST

/* --- rooms that grow and shrink -------------------------------------------------------------- */

START_TEST(a_room_that_was_too_big_once_has_a_list_again)
{
    prepare();
    host.options.max_presence_list = 4;
    host_start(&host);
    client_open(&host, &ann, "ann", "ann");
    client_open(&host, &bob, "bob", "bob");
    watch(&ann);
    open_crowd(0, 5);
    pass(200);
    client_count(&ann);
    leave(&ann);
    pass(200);
    leave_crowd(0, 4);
    pass(200);
    client_count(&bob);
    watch(&bob);
    expect_text(&bob, "room_joined");
    expect_text(&bob, "\"members\":[");
    ask(&bob);
    expect_text(&bob, "\"members\":[");
    end();
}
END_TEST

/* --- the order of rooms ---------------------------------------------------------------------- */

START_TEST(rooms_are_served_in_the_order_of_their_changes)
{
    static const char *const rooms[] = {"a", "b", "c"};

    begin();
    client_open(&host, &ann, "ann", "ann");
    client_open(&host, &bob, "bob", "bob");
    for (size_t i = 0; i < 3; i++) {
        char text[80];

        snprintf(text, sizeof text,
                 "{\"type\":\"join_room\",\"room\":\"%s\",\"presence\":true}", rooms[i]);
        say(&ann, text);
    }
    pass(200);
    client_count(&ann);
    for (size_t i = 0; i < 3; i++)
        join(&bob, rooms[i]);
    pass(200);
    expect_text(&ann, "\"room\":\"a\"");
    expect_text(&ann, "\"room\":\"b\"");
    expect_text(&ann, "\"room\":\"c\"");
    end();
}
END_TEST

/* As long as the budget of deliveries is spent, nothing is written. */
START_TEST(nothing_is_made_that_may_not_be_sent)
{
    long n_requests;

    prepare();
    host.options.max_presence_deliveries = 1;
    host_start(&host);
    client_open(&host, &ann, "ann", "ann");
    client_open(&host, &bob, "bob", "bob");
    watch(&ann);
    join(&bob, "r");
    pass(200); /* the only delivery of the next second */
    leave(&bob);
    pass(100);
    test_memory_fail(&host.memory, NEVER_FAIL, false);
    pass(500);
    n_requests = host.memory.n_requests;
    ck_assert_int_eq(n_requests, 0);
    client_count(&ann);
    pass(2000);
    expect_text(&ann, "\"left\":[{\"user_id\":\"bob\"}]");
    end();
}
END_TEST

/* --- what is left behind --------------------------------------------------------------------- */

static size_t n_rooms(void)
{
    return host.manager->presence != NULL ? host.manager->presence->rooms.count : 0;
}

/* Anonymous clients are not counted, but looked at: once, not for each request. */
START_TEST(a_room_without_users_is_looked_at_once)
{
    begin();
    client_open(&host, &ann, "ann", NULL);
    client_open(&host, &bob, "bob", NULL);
    join(&bob, "r");
    ask(&ann);
    ck_assert_uint_eq(n_rooms(), 1);
    ask(&ann);
    ck_assert_uint_eq(n_rooms(), 1);
    leave(&bob);
    ck_assert_uint_eq(n_rooms(), 0);
    join(&bob, "r");
    ask(&ann);
    client_lose(&bob);
    host_run(&host);
    ck_assert_uint_eq(n_rooms(), 0);
    ask(&ann); /* nobody is there */
    ck_assert_uint_eq(n_rooms(), 0);
    end();
}
END_TEST

/* Nor is a room that has too many users counted for each request, until some have left. */
START_TEST(a_room_that_is_too_big_is_counted_once)
{
    prepare();
    host.options.max_presence_members = 40;
    host_start(&host);
    client_open(&host, &ann, "ann", "ann");
    open_crowd(0, 50);
    ask(&ann);
    expect_text(&ann, "\"error\"");
    test_memory_fail(&host.memory, NEVER_FAIL, false);
    ask(&ann);
    expect_text(&ann, "\"error\"");
    ck_assert_int_lt(host.memory.n_requests, 20);
    leave_crowd(0, 9);
    ask(&ann);
    expect_text(&ann, "\"error\"");
    leave_crowd(9, 1);
    ask(&ann);
    expect_text(&ann, "\"count\":40");
    leave_crowd(10, 40);
    pass(200);
    ck_assert_uint_eq(n_rooms(), 0);
    end();
}
END_TEST

/* A client that ends before it watches leaves nothing behind. */
START_TEST(a_client_that_never_watched_leaves_no_memory)
{
    begin();
    client_open(&host, &ann, "ann", NULL);
    n_asked = 0;
    ends_when_asked = 2; /* the first time is before it enters */
    watch(&ann);
    ck_assert_uint_eq(n_asked, 2);
    ck_assert_uint_eq(host.manager->registry.tables[GROUP_WATCHERS].count, 0);
    ck_assert_uint_eq(n_rooms(), 0);
    end();
}
END_TEST

/* --- the whole service ----------------------------------------------------------------------- */

static void watch_service(struct client *client)
{
    say(client, "{\"type\":\"watch_presence\",\"ref\":1}");
}

START_TEST(a_client_watches_the_whole_service)
{
    begin();
    client_open(&host, &ann, "ann", "ann");
    watch_service(&ann);
    client_expect(
        &ann,
        "{\"type\":\"presence\",\"data\":{\"count\":1,\"members\":[{\"user_id\":\"ann\","
        "\"connections\":1,\"state\":null}]},\"timestamp\":"
        "\"1970-01-01T00:00:00.000Z\",\"user_id\":null}",
        "{\"type\":\"ack\",\"ref\":1}", NULL);
    client_open(&host, &bob, "bob", "bob");
    pass(200);
    client_expect(&ann,
                  "{\"type\":\"presence_changed\",\"data\":{\"joined\":[{\"user_id\":\"bob\","
                  "\"connections\":1,\"state\":null}],\"left\":[],\"changed\":[],\"count\":2},"
                  "\"timestamp\":\"1970-01-01T00:00:00.000Z\",\"user_id\":null}",
                  NULL);
    say(&bob, "{\"type\":\"set_state\",\"data\":[1],\"ref\":4}");
    client_expect(&bob, "{\"type\":\"ack\",\"ref\":4}", NULL);
    pass(200);
    expect_text(&ann, "\"joined\":[],\"left\":[],\"changed\":"
                      "[{\"user_id\":\"bob\",\"connections\":1,\"state\":[1]}],\"count\":2}");
    client_lose(&bob);
    pass(200);
    expect_text(&ann, "\"left\":[{\"user_id\":\"bob\"}]");
    say(&ann, "{\"type\":\"unwatch_presence\",\"ref\":2}");
    client_expect(&ann, "{\"type\":\"ack\",\"ref\":2}", NULL);
    client_open(&host, &eve, "eve", "eve");
    pass(200);
    client_expect(&ann, NULL);
    say(&ann, "{\"type\":\"unwatch_presence\",\"ref\":3}");
    expect_text(&ann, "\"ref\":3,\"data\":{\"code\":\"not_member\"");
    end();
}
END_TEST

/* The list is still in the inbox when the next message arrives. */
START_TEST(a_client_that_stops_watching_at_once_receives_no_changes)
{
    begin();
    client_open(&host, &ann, "ann", "ann");
    for (int i = 0; i < 2; i++) {
        client_say(&ann, "{\"type\":\"watch_presence\",\"ref\":1}");
        client_say(&ann, "{\"type\":\"unwatch_presence\",\"ref\":2}");
        host_run(&host);
        expect_text(&ann, "{\"type\":\"presence\"");
        expect_text(&ann, "{\"type\":\"ack\",\"ref\":1}");
        expect_text(&ann, "{\"type\":\"ack\",\"ref\":2}");
    }
    client_open(&host, &bob, "bob", "bob");
    pass(200);
    ck_assert_ptr_null(client_next(&ann));
    end();
}
END_TEST

START_TEST(watching_the_service_needs_permission)
{
    begin();
    client_open(&host, &ann, "ann", "ann");
    is_refused = true;
    watch_service(&ann);
    expect_text(&ann, "\"ref\":1,\"data\":{\"code\":\"forbidden\"");
    say(&ann, "{\"type\":\"set_state\",\"data\":1,\"ref\":3}");
    expect_text(&ann, "\"ref\":3,\"data\":{\"code\":\"forbidden\"");
    is_refused = false;
    client_open(&host, &eve, "eve", NULL);
    say(&eve, "{\"type\":\"set_state\",\"data\":1,\"ref\":3}");
    expect_text(&eve, "\"ref\":3,\"data\":{\"code\":\"forbidden\"");
    say(&ann, "{\"type\":\"watch_presence\",\"room\":\"r\",\"ref\":2}");
    expect_text(&ann, "\"ref\":2,\"data\":{\"code\":\"bad_request\"");
    watch_service(&ann);
    ck_assert_uint_eq(client_count(&ann), 2);
    is_refused = true; /* the right is lost */
    ck_assert_int_eq(ws_manager_reauthorize(host.manager, ann.id), WS_OK);
    host_run(&host);
    client_open(&host, &bob, "bob", "bob");
    pass(200);
    client_expect(&ann, NULL);
    ck_assert_uint_eq(host.manager->registry.tables[GROUP_WATCHERS].count, 0);
    ck_assert(was_asked_of_service);
    end();
}
END_TEST

/* --- cost ------------------------------------------------------------------------------------ */

/* The application is asked again before each of a crowd watches: as part of the turn's work. */
START_TEST(a_crowd_that_watches_is_asked_about_in_turns)
{
    enum { CALLBACKS_PER_TURN = 8192 / 64 };
    unsigned most = 0;
    unsigned before;
    uint64_t deadline_ms;

    begin();
    open_crowd(0, CROWD);
    n_asked = 0;
    for (size_t i = 0; i < CROWD; i++)
        client_say(&crowd[i], "{\"type\":\"join_room\",\"room\":\"r\",\"presence\":true}");
    do {
        before = n_asked;
        deadline_ms = ws_loop_run(host.loop, host.now_ms);
        if (n_asked - before > most)
            most = n_asked - before;
    } while (deadline_ms == host.now_ms);
    ck_assert_uint_eq(n_asked, CROWD + CROWD);
    /* The turn's input is asked about too. */
    ck_assert_uint_le(most, 2 * CALLBACKS_PER_TURN + 2);
    end();
}
END_TEST

/* Each of a crowd that comes at once needs a list of its own: writing these is a part of the
 * turn's work. */
START_TEST(a_crowd_that_comes_is_listed_in_turns)
{
    enum { MEMBERS_PER_TURN = 2 * 8192 };
    size_t most = 0;
    size_t before = 0;
    uint64_t deadline_ms;

    begin();
    for (size_t i = 0; i < CROWD; i++) {
        char name[16];

        snprintf(name, sizeof name, "m%zu", i);
        client_open(&host, &crowd[i], name, name);
    }
    for (size_t i = 0; i < CROWD; i++)
        client_say(&crowd[i], "{\"type\":\"join_room\",\"room\":\"r\",\"presence\":true}");
    do {
        size_t n_members;

        deadline_ms = ws_loop_run(host.loop, host.now_ms);
        n_members = presence_find_room(host.manager->presence, "r")->n_members;
        if ((n_members - before) * n_members > most)
            most = (n_members - before) * n_members;
        before = n_members;
    } while (deadline_ms == host.now_ms);
    ck_assert_uint_eq(before, CROWD);
    ck_assert_uint_le(most, MEMBERS_PER_TURN + 2 * CROWD);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_member_of_the_answer_is_announced_as_left,
        a_member_missing_in_the_answer_is_announced_as_joined,
        a_member_missing_in_the_first_list_is_announced_as_joined,
        a_count_that_was_given_is_corrected,
        a_member_that_was_never_sent_changes_the_count,
        a_list_follows_a_count_that_was_given,
        on_presence_skips_users_who_leave_within_a_batch,
        a_state_of_a_user_that_left_is_reported_as_gone,
        a_room_that_was_too_big_once_has_a_list_again,
        rooms_are_served_in_the_order_of_their_changes,
        nothing_is_made_that_may_not_be_sent,
        a_room_without_users_is_looked_at_once,
        a_room_that_is_too_big_is_counted_once,
        a_client_that_never_watched_leaves_no_memory,
        a_client_watches_the_whole_service,
        a_client_that_stops_watching_at_once_receives_no_changes,
        watching_the_service_needs_permission,
        a_crowd_that_watches_is_asked_about_in_turns,
        a_crowd_that_comes_is_listed_in_turns,
        NULL,
    };

    return suite_run("presence_watch", tests);
}
