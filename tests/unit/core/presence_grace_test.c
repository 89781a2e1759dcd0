/* presence_grace_test.c: many users whose grace time runs, and the limits of presence. Not here:
 * what a grace time is for (presence_test.c, presence_list_test.c). */
#include <stdio.h>
#include <string.h>

#include "core/presence/state.h"
#include "support/host.h"
#include "support/suite.h"

enum {
    MOST_MEMBERS = 40,
    ROUNDS = 20,
    ROOMS_PER_ROUND = 10, /* together many more than MOST_MEMBERS */
    SOME = 300,
    MANY = 3000
};

static struct host host;
static struct client ann, bob, eve;

static int authorize(ws_manager *manager, const ws_connection_info *connection,
                     const char *room, void *user_data)
{
    (void)manager;
    (void)connection;
    (void)room;
    (void)user_data;
    return WS_OK;
}

static void prepare(void)
{
    host_init(&host);
    host_without_callbacks(&host);
    host.options.authorize_presence = authorize;
    host.options.presence_grace_ms = 2000;
    host.options.presence_batch_ms = 64;
}

static void end(void)
{
    host_close(&host);
    client_free(&ann);
    client_free(&bob);
    client_free(&eve);
}

static void pass(uint64_t ms)
{
    for (uint64_t until = host.now_ms + ms; host.now_ms < until;) {
        host.now_ms += 50;
        host_run(&host);
    }
}

static void enter(struct client *client, const char *room)
{
    char json[100];

    snprintf(json, sizeof json, "{\"type\":\"join_room\",\"room\":\"%s\",\"presence\":true}",
             room);
    client_say(client, json);
    host_run(&host);
}

/* A new client of eve enters rooms of its own, as far as it may, and is lost. */
static void come_and_go(unsigned round, unsigned n_rooms)
{
    char room[40];

    client_open(&host, &eve, "eve", "eve");
    for (unsigned i = 0; i < n_rooms; i++) {
        snprintf(room, sizeof room, "room-%u-%u", round, i);
        enter(&eve, room);
    }
    client_lose(&eve);
    client_free(&eve);
}

/* Another user connects, enters a room that is empty, and leaves it again. */
static void visit(unsigned round)
{
    char user[20];
    char *text;

    snprintf(user, sizeof user, "user-%u", round);
    client_open(&host, &bob, "bob", user);
    ck_assert_int_eq(bob.n_closes, 0);
    enter(&bob, "visitors");
    ck_assert_int_eq(ws_manager_get_presence(host.manager, "visitors", &text, NULL), WS_OK);
    ck_assert_ptr_nonnull(strstr(text, user));
    ws_manager_free_text(host.manager, text);
    client_say(&bob, "{\"type\":\"leave_room\",\"room\":\"visitors\"}");
    host_run(&host);
    client_lose(&bob);
    client_free(&bob);
}

/* No time passes between the rounds. */
static void come_and_go_often(void)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        come_and_go(round, ROOMS_PER_ROUND);
        visit(round);
    }
}

START_TEST(a_user_who_comes_and_goes_does_not_use_up_the_members)
{
    prepare();
    host.options.max_presence_members = MOST_MEMBERS;
    host_start(&host);
    come_and_go_often();
    ck_assert_uint_le(host.manager->presence->n_members, MOST_MEMBERS);
    pass(3000);
    ck_assert_uint_eq(host.manager->presence->n_members, 0);
    ck_assert_uint_eq(host.manager->presence->rooms.count, 0);
    end();
}
END_TEST

START_TEST(a_user_who_comes_and_goes_does_not_use_up_the_memory)
{
    prepare();
    host.options.max_presence_bytes = 20000;
    host_start(&host);
    come_and_go_often();
    ck_assert_uint_le(host.manager->presence->bytes, 20000);
    end();
}
END_TEST

/* Users who leave the service are announced, by the next beat. */
START_TEST(users_who_come_and_go_do_not_use_up_the_service)
{
    prepare();
    host.options.max_presence_members = MOST_MEMBERS;
    host.options.presence_events = WS_PRESENCE_EVERYONE;
    host_start(&host);
    client_open(&host, &ann, "ann", NULL);
    ck_assert_int_eq(ws_manager_enable_presence(host.manager, NULL), WS_OK);
    for (unsigned round = 0; round < 4 * MOST_MEMBERS; round++) {
        visit(round);
        if (round % 4 == 0)
            pass(100);
    }
    ck_assert_uint_gt(client_count(&ann), 0);
    pass(3000);
    ck_assert_uint_eq(host.manager->presence->n_members, 0);
    end();
}
END_TEST

/* Everyone's grace time runs as long as there is room. */
START_TEST(far_from_the_limits_nobody_leaves_early)
{
    prepare();
    host.options.max_presence_members = MOST_MEMBERS;
    host_start(&host);
    come_and_go(0, MOST_MEMBERS / 2);
    pass(1500);
    ck_assert_uint_eq(host.manager->presence->n_members, MOST_MEMBERS / 2);
    pass(1000);
    ck_assert_uint_eq(host.manager->presence->n_members, 0);
    end();
}
END_TEST

/* Who is lost changes nothing in a room, until the grace time ends. */
START_TEST(rooms_in_which_nothing_has_changed_delay_no_other)
{
    prepare();
    host_start(&host);
    client_open(&host, &ann, "ann", "ann");
    client_open(&host, &bob, "bob", "bob");
    client_open(&host, &eve, "eve", "eve");
    for (int i = 0; i < SOME; i++) {
        char room[20];

        snprintf(room, sizeof room, "room-%d", i);
        enter(&ann, room);
        ck_assert_int_eq(ws_manager_join_room(host.manager, eve.id, room), WS_OK);
        host_run(&host);
    }
    enter(&ann, "lobby");
    pass(1000);
    client_count(&ann);
    client_lose(&eve);
    ck_assert_int_eq(ws_manager_join_room(host.manager, bob.id, "lobby"), WS_OK);
    host_run(&host);
    pass(150); /* a beat */
    ck_assert_uint_eq(client_count(&ann), 1);
    end();
}
END_TEST

/* A beat ends as many grace times as take about as long as a turn. */
START_TEST(many_grace_times_end_together)
{
    prepare();
    host.options.max_rooms_per_connection = 0;
    host_start(&host);
    come_and_go(0, MANY);
    pass(1800);
    ck_assert_uint_eq(host.manager->presence->n_members, MANY);
    for (int i = 0; host.manager->presence->n_members == MANY; i++) {
        ck_assert_int_lt(i, 20);
        pass(50);
    }
    ck_assert_uint_eq(host.manager->presence->n_members, 0);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_user_who_comes_and_goes_does_not_use_up_the_members,
        a_user_who_comes_and_goes_does_not_use_up_the_memory,
        users_who_come_and_go_do_not_use_up_the_service,
        far_from_the_limits_nobody_leaves_early,
        rooms_in_which_nothing_has_changed_delay_no_other,
        many_grace_times_end_together,
        NULL,
    };

    return suite_run("presence-grace", tests);
}
