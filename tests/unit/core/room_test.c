/* room_test.c: joins and leaves by the application, the callbacks' results, and the lists of
 * members. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/host.h"
#include "support/suite.h"

static struct host host;
static struct client ann, bob;

static void begin(uint32_t max_rooms)
{
    host_init(&host);
    host.options.max_rooms_per_connection = max_rooms;
    host_start(&host);
    client_open(&host, &ann, "ann", "ann");
    client_open(&host, &bob, "bob", "ann");
    host_forget_log(&host);
}

static void end(void)
{
    host_close(&host);
    client_free(&ann);
    client_free(&bob);
}

static void join(struct client *client, const char *room)
{
    ck_assert_int_eq(ws_manager_join_room(host.manager, client->id, room), WS_OK);
    host_run(&host);
}

static void leave(struct client *client, const char *room)
{
    ck_assert_int_eq(ws_manager_leave_room(host.manager, client->id, room), WS_OK);
    host_run(&host);
}

START_TEST(joins_and_leaves_of_the_application_are_not_authorised)
{
    begin(0);
    host.authorize_result = WS_ERR_FORBIDDEN;
    ck_assert_int_eq(ws_manager_join_room(host.manager, ann.id, "orders"), WS_OK);
    host_expect_log(&host, "");
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, "orders"), 0);
    host_run(&host);
    host_expect_log(&host, "on_join ann orders success\n");
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, "orders"), 1);
    ck_assert_int_eq(ws_manager_is_member(host.manager, bob.id, "orders"), 0);
    join(&ann, "orders");
    host_expect_log(&host, "on_join ann orders done already\n");
    leave(&bob, "orders");
    host_expect_log(&host, "on_leave bob orders not a member of the room\n");
    leave(&bob, "none");
    host_expect_log(&host, "on_leave bob none not a member of the room\n");
    leave(&ann, "orders");
    host_expect_log(&host, "on_leave ann orders success\n");
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, "orders"), 0);
    leave(&ann, "orders");
    host_expect_log(&host, "on_leave ann orders not a member of the room\n");
    /* The application's calls are not answered to the client. */
    client_expect(&ann, NULL);
    end();
}
END_TEST

START_TEST(the_rooms_of_a_connection_are_limited)
{
    begin(3);
    join(&ann, "a");
    join(&ann, "b");
    join(&ann, "c");
    host_forget_log(&host);
    join(&ann, "d");
    host_expect_log(&host, "on_join ann d a limit of rooms is reached\n");
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, "d"), 0);
    join(&ann, "b");
    host_expect_log(&host, "on_join ann b done already\n");
    join(&bob, "d");
    leave(&ann, "a");
    host_forget_log(&host);
    join(&ann, "d");
    host_expect_log(&host, "on_join ann d success\n");
    end();
}
END_TEST

START_TEST(a_limit_of_0_disables_the_limit)
{
    char room[32];

    begin(0);
    for (int i = 0; i < 3000; i++) {
        snprintf(room, sizeof room, "room %d", i);
        ck_assert_int_eq(ws_manager_join_room(host.manager, ann.id, room), WS_OK);
    }
    host_run(&host);
    for (int i = 0; i < 3000; i++) {
        snprintf(room, sizeof room, "room %d", i);
        ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, room), 1);
    }
    end();
}
END_TEST

START_TEST(invalid_names_are_refused)
{
    static const char *const bad[] = {NULL, "", "a\nb", "\x7f", "\xff", "\xc2\x85"};
    char longest[WS_NAME_MAX + 2];

    begin(0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(ws_manager_join_room(host.manager, ann.id, bad[i]), WS_ERR_INVALID);
        ck_assert_int_eq(ws_manager_leave_room(host.manager, ann.id, bad[i]), WS_ERR_INVALID);
        ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, bad[i]), 0);
    }
    ck_assert_int_eq(ws_manager_join_room(NULL, ann.id, "r"), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_leave_room(NULL, ann.id, "r"), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_is_member(NULL, ann.id, "r"), 0);
    memset(longest, 'x', sizeof longest);
    longest[WS_NAME_MAX + 1] = '\0';
    ck_assert_int_eq(ws_manager_join_room(host.manager, ann.id, longest), WS_ERR_INVALID);
    longest[WS_NAME_MAX] = '\0';
    join(&ann, longest);
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, longest), 1);
    end();
}
END_TEST

struct walk {
    ws_conn_id ids[8];
    int count;
    int stop_after;
};

static int collect(ws_conn_id id, void *user_data)
{
    struct walk *walk = user_data;

    walk->ids[walk->count++] = id;
    return walk->count == walk->stop_after ? 42 : 0;
}

static void check_walk(struct walk walk, bool has_ann, bool has_bob)
{
    ck_assert_int_eq(walk.count, has_ann + has_bob);
    for (int i = 0; i < walk.count; i++)
        ck_assert((has_ann && walk.ids[i] == ann.id) || (has_bob && walk.ids[i] == bob.id));
    if (walk.count == 2)
        ck_assert_uint_ne(walk.ids[0], walk.ids[1]);
}

static struct walk members(const char *room)
{
    struct walk walk = {.count = 0};

    ck_assert_int_eq(ws_manager_for_each_member(host.manager, room, collect, &walk), 0);
    return walk;
}

static struct walk connections_of(const char *user)
{
    struct walk walk = {.count = 0};

    ck_assert_int_eq(ws_manager_for_each_connection_of_user(host.manager, user, collect, &walk),
                     0);
    return walk;
}

START_TEST(members_of_a_room_and_connections_of_a_user_are_listed)
{
    struct walk walk = {.stop_after = 1};

    begin(0);
    check_walk(members("orders"), false, false);
    join(&ann, "orders");
    check_walk(members("orders"), true, false);
    join(&bob, "orders");
    check_walk(members("orders"), true, true);
    check_walk(connections_of("ann"), true, true);
    check_walk(connections_of("bob"), false, false);
    check_walk(connections_of("orders"), false, false);
    check_walk(members("ann"), false, false);
    ck_assert_int_eq(ws_manager_for_each_member(host.manager, "orders", collect, &walk), 42);
    ck_assert_int_eq(walk.count, 1);
    client_lose(&ann);
    check_walk(members("orders"), false, true);
    check_walk(connections_of("ann"), false, true);
    ck_assert_int_eq(ws_manager_for_each_member(host.manager, "", collect, &walk),
                     WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_for_each_member(host.manager, NULL, collect, &walk),
                     WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_for_each_member(NULL, "orders", collect, &walk),
                     WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_for_each_member(host.manager, "orders", NULL, &walk),
                     WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_for_each_connection_of_user(host.manager, "", collect, &walk),
                     WS_ERR_INVALID);
    test_memory_fail(&host.memory, 0, true);
    ck_assert_int_eq(ws_manager_for_each_member(host.manager, "orders", collect, &walk),
                     WS_ERR_NO_MEMORY);
    test_memory_fail(&host.memory, NEVER_FAIL, false);
    end();
}
END_TEST

static int throw_out(ws_conn_id id, void *user_data)
{
    (void)user_data;
    ck_assert_int_eq(ws_manager_transport_closed(host.manager, id, 1000, "out"), WS_OK);
    return 0;
}

START_TEST(a_walk_may_change_the_members)
{
    begin(0);
    join(&ann, "orders");
    join(&bob, "orders");
    ck_assert_int_eq(ws_manager_for_each_member(host.manager, "orders", throw_out, NULL), 0);
    check_walk(members("orders"), false, false);
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 0);
    end();
}
END_TEST

START_TEST(a_connection_that_ends_leaves_all_its_rooms)
{
    char room[32];

    begin(0);
    for (int i = 0; i < 100; i++) {
        snprintf(room, sizeof room, "room %d", i);
        join(&ann, room);
        if (i % 3 == 0)
            join(&bob, room);
    }
    host_forget_log(&host);
    ck_assert_int_eq(ws_manager_disconnect(host.manager, ann.id, 1000, "bye"), WS_OK);
    host_run(&host);
    host_expect_log(&host, "on_disconnect ann ann 1000 bye\n"); /* no on_leave */
    for (int i = 0; i < 100; i++) {
        snprintf(room, sizeof room, "room %d", i);
        check_walk(members(room), false, i % 3 == 0);
    }
    emit_number(&host, "room 3", 1);
    host_run(&host);
    client_expect(&ann, NULL);
    client_expect(&bob, number_message(1, "room 3", 1), NULL);
    end();
}
END_TEST

/* The calls are accepted while the connection is still open, and end with it. */
START_TEST(calls_about_a_connection_that_ends_before_their_turn)
{
    begin(0);
    ck_assert_int_eq(ws_manager_join_room(host.manager, ann.id, "orders"), WS_OK);
    ck_assert_int_eq(ws_manager_leave_room(host.manager, ann.id, "orders"), WS_OK);
    ck_assert_int_eq(ws_manager_disconnect(host.manager, ann.id, 1000, NULL), WS_OK);
    client_lose(&ann);
    host_expect_log(&host, "on_disconnect ann ann 1006 connection lost\n");
    host_run(&host);
    host_expect_log(&host, "");
    check_walk(members("orders"), false, false);
    end();
}
END_TEST

/* --- compared with a matrix ---------------------------------------------------------------- */

enum { N_MANY = 30, N_ROOMS = 40 };

static struct client many[N_MANY];
static bool is_in[N_MANY][N_ROOMS];

static void room_name(size_t room, char name[16])
{
    snprintf(name, 16, "room %zu", room);
}

static void change_at_random(void)
{
    size_t who = (size_t)random() % N_MANY;
    size_t room = (size_t)random() % N_ROOMS;
    char name[16];

    room_name(room, name);
    if (random() % 50 == 0) {
        client_lose(&many[who]);
        client_free(&many[who]);
        memset(is_in[who], 0, sizeof is_in[who]);
        client_open(&host, &many[who], "many", NULL);
    } else if (random() % 2 == 0) {
        join(&many[who], name);
        is_in[who][room] = true;
    } else {
        leave(&many[who], name);
        is_in[who][room] = false;
    }
}

/* Each room's event reaches its members and no other client. */
static void check_matrix(int step)
{
    for (size_t room = 0; room < N_ROOMS; room++) {
        char name[16];

        room_name(room, name);
        emit_number(&host, name, step);
        host_run(&host);
        for (size_t who = 0; who < N_MANY; who++)
            if (client_count(&many[who]) != is_in[who][room] ||
                ws_manager_is_member(host.manager, many[who].id, name) != is_in[who][room])
                ck_abort_msg("connection %zu, %s, step %d", who, name, step);
    }
}

START_TEST(memberships_agree_with_a_matrix)
{
    srandom(7);
    memset(is_in, 0, sizeof is_in);
    host_open(&host);
    for (size_t who = 0; who < N_MANY; who++)
        client_open(&host, &many[who], "many", NULL);
    for (int step = 0; step < 5000; step++) {
        change_at_random();
        if (step % 250 == 0)
            check_matrix(step);
        host_forget_log(&host);
    }
    host_close(&host);
    for (size_t who = 0; who < N_MANY; who++)
        client_free(&many[who]);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        joins_and_leaves_of_the_application_are_not_authorised,
        the_rooms_of_a_connection_are_limited,
        a_limit_of_0_disables_the_limit,
        invalid_names_are_refused,
        members_of_a_room_and_connections_of_a_user_are_listed,
        a_walk_may_change_the_members,
        a_connection_that_ends_leaves_all_its_rooms,
        calls_about_a_connection_that_ends_before_their_turn,
        memberships_agree_with_a_matrix,
        NULL,
    };

    return suite_run("room", tests);
}
