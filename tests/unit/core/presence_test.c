/* presence_test.c: who is notified that a user came or left: everyone, a room or nobody, and
 * never the connection itself; and when. Not here: lists of those who are there
 * (presence_list_test.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/host.h"
#include "support/suite.h"

static struct host host;
static struct client ann, bob;

static void begin(enum ws_presence presence, const char *room)
{
    host_init(&host);
    host.options.presence_events = (int32_t)presence;
    host.options.presence_room = room;
    host.options.presence_grace_ms = 0;
    host_start(&host);
}

static void begin_with_grace(void)
{
    host_init(&host);
    host.options.presence_events = WS_PRESENCE_EVERYONE;
    host.options.presence_grace_ms = 2000;
    host_start(&host);
}

/* The time passes in the steps in which a host would run the loop. */
static void pass(uint64_t ms)
{
    for (uint64_t until = host.now_ms + ms; host.now_ms < until;) {
        host.now_ms += 50;
        host_run(&host);
    }
}

static void end(void)
{
    host_close(&host);
    client_free(&ann);
    client_free(&bob);
}

START_TEST(everyone_else_is_notified)
{
    begin(WS_PRESENCE_EVERYONE, NULL);
    emit_number(&host, NULL, 0); /* events have ids, presence has none */
    client_open(&host, &ann, "ann", "ann \"x\"");
    client_expect(&ann, NULL); /* nothing about itself */
    host.clock_ms = 1000;
    client_open(&host, &bob, "bob", NULL);
    client_expect(&ann,
                  "{\"type\":\"user_connected\",\"data\":{\"connection_id\":\"E-100000002\","
                  "\"user_id\":null},\"timestamp\":\"1970-01-01T00:00:01.000Z\","
                  "\"user_id\":null}",
                  NULL);
    client_expect(&bob, NULL);
    client_lose(&ann);
    host_run(&host);
    client_expect(&bob,
                  "{\"type\":\"user_disconnected\",\"data\":{\"connection_id\":\"E-1\","
                  "\"user_id\":\"ann \\\"x\\\"\"},\"timestamp\":\"1970-01-01T00:00:01.000Z\","
                  "\"user_id\":\"ann \\\"x\\\"\"}",
                  NULL);
    /* Presence uses up no position. */
    emit_number(&host, NULL, 7);
    host.clock_ms = 0;
    emit_number(&host, NULL, 8);
    host_run(&host);
    ck_assert_ptr_nonnull(client_next(&bob));
    client_expect(&bob, number_message(3, NULL, 8), NULL);
    end();
}
END_TEST

/* Two tabs of a user, and a raw connection, which does not count. */
START_TEST(only_the_first_and_the_last_connection_of_a_user_is_announced)
{
    struct client second, raw;

    begin(WS_PRESENCE_EVERYONE, NULL);
    client_open(&host, &ann, "ann", NULL);
    ck_assert_int_eq(client_try(&host, &raw, "raw", "bob", WS_PROTOCOL_RAW), WS_OK);
    host_run(&host);
    client_open(&host, &bob, "bob", "bob");
    ck_assert_uint_eq(client_count(&ann), 1);
    client_open(&host, &second, "second", "bob");
    client_lose(&bob);
    host_run(&host);
    ck_assert_uint_eq(client_count(&ann), 0);
    client_lose(&second);
    host_run(&host);
    client_expect(&ann,
                  "{\"type\":\"user_disconnected\",\"data\":{\"connection_id\":\"E-300000004\","
                  "\"user_id\":\"bob\"},\"timestamp\":\"1970-01-01T00:00:00.000Z\","
                  "\"user_id\":\"bob\"}",
                  NULL);
    end();
    client_free(&second);
    client_free(&raw);
}
END_TEST

START_TEST(a_user_who_reconnects_within_the_grace_time_has_not_left)
{
    begin_with_grace();
    client_open(&host, &ann, "ann", "ann");
    client_open(&host, &bob, "bob", "bob");
    ck_assert_uint_eq(client_count(&ann), 1);
    for (int i = 0; i < 5; i++) {
        client_lose(&bob);
        pass(1800);
        client_free(&bob);
        client_open(&host, &bob, "bob", "bob");
    }
    pass(5000);
    ck_assert_uint_eq(client_count(&ann), 0);
    client_lose(&bob);
    pass(1900);
    ck_assert_uint_eq(client_count(&ann), 0);
    pass(600);
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "user_disconnected"));
    client_expect(&ann, NULL);
    /* Then it is a new one. */
    client_free(&bob);
    client_open(&host, &bob, "bob", "bob");
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "user_connected"));
    end();
}
END_TEST

START_TEST(an_anonymous_client_has_no_grace_time)
{
    begin_with_grace();
    client_open(&host, &ann, "ann", "ann");
    client_open(&host, &bob, "bob", NULL);
    client_lose(&bob);
    host_run(&host);
    ck_assert_uint_eq(client_count(&ann), 2);
    pass(5000);
    ck_assert_uint_eq(client_count(&ann), 0);
    end();
}
END_TEST

/* A user that left on a loop that has ended since: another loop tells it. */
START_TEST(the_grace_time_outlives_its_loop)
{
    ws_loop *first, *second;

    begin_with_grace();
    client_open(&host, &ann, "ann", "ann");
    first = host.loop;
    ck_assert_int_eq(ws_loop_new(host.manager, NULL, host.now_ms, &second), WS_OK);
    host.loop = second;
    client_open(&host, &bob, "bob", "bob");
    host.loop = first;
    host_run(&host);
    client_count(&ann);
    ws_loop_free(second);
    pass(1900);
    ck_assert_uint_eq(client_count(&ann), 0);
    pass(600);
    ck_assert_uint_eq(client_count(&ann), 1);
    end();
}
END_TEST

/* Without memory to remember the user it is announced at once. */
START_TEST(a_user_that_cannot_be_remembered_is_announced_at_once)
{
    for (long n = 0; n < 8; n++) {
        begin_with_grace();
        client_open(&host, &ann, "ann", "ann");
        client_open(&host, &bob, "bob", "bob");
        client_count(&ann);
        test_memory_fail(&host.memory, n, false);
        client_lose(&bob);
        host_run(&host);
        test_memory_fail(&host.memory, NEVER_FAIL, false);
        pass(3000);
        ck_assert_uint_le(client_count(&ann), 1);
        end();
    }
}
END_TEST

START_TEST(only_the_members_of_the_room_are_notified)
{
    struct client eve;

    begin(WS_PRESENCE_ROOM, "lobby");
    client_open_in(&host, &ann, "ann", "lobby");
    client_open(&host, &bob, "bob", "bob");
    client_open(&host, &eve, "eve", "eve");
    client_expect(&bob, NULL);
    client_expect(&ann,
                  "{\"type\":\"user_connected\",\"data\":{\"connection_id\":\"E-100000002\","
                  "\"user_id\":\"bob\"},\"timestamp\":\"1970-01-01T00:00:00.000Z\","
                  "\"user_id\":\"bob\",\"room\":\"lobby\"}",
                  "{\"type\":\"user_connected\",\"data\":{\"connection_id\":\"E-200000003\","
                  "\"user_id\":\"eve\"},\"timestamp\":\"1970-01-01T00:00:00.000Z\","
                  "\"user_id\":\"eve\",\"room\":\"lobby\"}",
                  NULL);
    client_lose(&bob);
    host_run(&host);
    ck_assert_uint_eq(client_count(&ann), 1);
    ck_assert_uint_eq(client_count(&eve), 0);
    end();
    client_free(&eve);
}
END_TEST

START_TEST(no_client_is_notified_when_presence_is_off)
{
    begin(WS_PRESENCE_OFF, NULL);
    client_open(&host, &ann, "ann", "ann");
    client_open(&host, &bob, "bob", "bob");
    client_lose(&bob);
    host_run(&host);
    client_expect(&ann, NULL);
    end();
}
END_TEST

START_TEST(raw_connections_are_not_announced_and_not_notified)
{
    begin(WS_PRESENCE_EVERYONE, NULL);
    client_open(&host, &ann, "ann", "ann");
    ck_assert_int_eq(client_try(&host, &bob, "bob", "bob", WS_PROTOCOL_RAW), WS_OK);
    host_run(&host);
    client_lose(&bob);
    host_run(&host);
    client_expect(&ann, NULL);
    ck_assert_int_eq(client_try(&host, &bob, "bob", "bob", WS_PROTOCOL_RAW), WS_OK);
    host_run(&host);
    client_lose(&ann);
    host_run(&host);
    client_expect(&bob, NULL);
    end();
}
END_TEST

/* Each way of ending is announced once. */
START_TEST(every_end_is_announced_once)
{
    begin(WS_PRESENCE_EVERYONE, NULL);
    client_open(&host, &ann, "ann", "ann");

    client_open(&host, &bob, "bob", "bob");
    ck_assert_int_eq(ws_manager_disconnect(host.manager, bob.id, 1000, NULL), WS_OK);
    ck_assert_int_eq(ws_manager_disconnect(host.manager, bob.id, 1001, NULL), WS_OK);
    host_run(&host);
    ck_assert_uint_eq(client_count(&ann), 2);
    client_free(&bob);

    client_open(&host, &bob, "bob", "bob");
    bob.send_result = WS_ERR_DROPPED;
    ck_assert_int_eq(ws_manager_send_text(host.manager, bob.id, "x", 1), WS_OK);
    host_run(&host);
    ck_assert_uint_eq(client_count(&ann), 2);
    client_free(&bob);

    /* A connection that closes before its first turn is not announced at all. */
    ck_assert_int_eq(client_try(&host, &bob, "bob", "bob", WS_PROTOCOL_JSON), WS_OK);
    client_lose(&bob);
    host_run(&host);
    ck_assert_uint_eq(client_count(&ann), 0);
    end();
}
END_TEST

static void close_itself(struct client *client, const char *message)
{
    (void)message;
    client_lose(client);
}

/* A transport that fails while it receives its welcome: the other clients may be notified or not,
 * but never of its arrival after its end. */
START_TEST(a_connection_that_fails_at_its_welcome_is_not_announced_later)
{
    const char *first;
    const char *second;

    begin(WS_PRESENCE_EVERYONE, NULL);
    client_open(&host, &ann, "ann", "ann");
    ck_assert_int_eq(client_try(&host, &bob, "bob", "bob", WS_PROTOCOL_JSON), WS_OK);
    bob.on_send = close_itself;
    host_run(&host);
    first = client_next(&ann);
    second = client_next(&ann);
    if (first != NULL) {
        ck_assert_ptr_nonnull(strstr(first, "user_connected"));
        ck_assert_ptr_nonnull(second);
        ck_assert_ptr_nonnull(strstr(second, "user_disconnected"));
        ck_assert_ptr_nonnull(strstr(first, "\"user_id\":\"bob\""));
    }
    client_expect(&ann, NULL);
    end();
}
END_TEST

static uint64_t dropped(void)
{
    char *text;
    const char *found;
    uint64_t count;

    ck_assert_int_eq(ws_manager_get_stats(host.manager, &text, NULL), WS_OK);
    found = strstr(text, "\"presence\":");
    ck_assert_ptr_nonnull(found);
    count = strtoull(found + strlen("\"presence\":"), NULL, 10);
    ws_manager_free_text(host.manager, text);
    return count;
}

/* Of 2000 deliveries a second, 200 can be used at once: when 50 clients connect, that is enough to
 * announce the first 20. */
START_TEST(presence_is_limited_for_each_second)
{
    static struct client crowd[50];

    host_init(&host);
    host.options.presence_events = WS_PRESENCE_EVERYONE;
    host.options.max_presence_deliveries = 2000;
    host.options.presence_grace_ms = 0;
    host.now_ms = 3600000;
    host_start(&host);
    for (size_t i = 0; i < 50; i++)
        client_open(&host, &crowd[i], "crowd", NULL);
    ck_assert_uint_eq(client_count(&crowd[0]), 19);
    ck_assert_uint_eq(dropped(), 30);
    client_lose(&crowd[49]);
    host_run(&host);
    ck_assert_uint_eq(dropped(), 31);
    host.now_ms += 1000;
    host_run(&host);
    client_lose(&crowd[48]);
    host_run(&host);
    ck_assert_uint_eq(client_count(&crowd[0]), 1);
    ck_assert_uint_eq(dropped(), 31);
    /* After a clock that is set back, the next second's deliveries are available as usual. */
    host.now_ms -= 3600000;
    host_run(&host);
    for (size_t i = 47; dropped() == 31; i--) {
        client_lose(&crowd[i]);
        host_run(&host);
    }
    client_count(&crowd[0]);
    host.now_ms += 1000;
    host_run(&host);
    client_lose(&crowd[1]);
    host_run(&host);
    ck_assert_uint_eq(client_count(&crowd[0]), 1);
    ck_assert_uint_eq(dropped(), 32);
    host_close(&host);
    for (size_t i = 0; i < 50; i++)
        client_free(&crowd[i]);
}
END_TEST

/* A loop that slept has an earlier time; that is not a clock that was set back. */
START_TEST(a_loop_that_slept_does_not_fill_the_bucket)
{
    static struct client crowd[50];
    ws_loop *sleeping;
    ws_loop *live;
    uint64_t before;

    host_init(&host);
    host.options.presence_events = WS_PRESENCE_EVERYONE;
    host.options.max_presence_deliveries = 2000;
    host.now_ms = 3600000;
    host_start(&host);
    live = host.loop;
    ck_assert_int_eq(ws_loop_new(host.manager, NULL, host.now_ms, &sleeping), WS_OK);
    host.loop = sleeping;
    client_open(&host, &bob, "bob", NULL);
    host.loop = live;
    host.now_ms += 5000;
    for (size_t i = 0; i < 50; i++)
        client_open(&host, &crowd[i], "crowd", NULL);
    ck_assert_uint_gt(dropped(), 0);
    before = dropped();
    client_lose(&bob);
    client_lose(&crowd[49]);
    host_run(&host);
    ck_assert_uint_eq(dropped(), before + 2);
    ws_loop_free(sleeping);
    end();
    for (size_t i = 0; i < 50; i++)
        client_free(&crowd[i]);
}
END_TEST

/* Of clients that connect or disconnect every 10 ms, one a second is announced with a limit of
 * one. */
START_TEST(a_low_limit_is_kept_and_used)
{
    size_t count;

    host_init(&host);
    host.options.presence_events = WS_PRESENCE_EVERYONE;
    host.options.max_presence_deliveries = 1;
    host_start(&host);
    client_open(&host, &ann, "ann", NULL);
    for (int i = 0; i < 500; i++) {
        host.now_ms += 10;
        client_open(&host, &bob, "bob", NULL);
        host.now_ms += 10;
        client_lose(&bob);
        host_run(&host);
        client_free(&bob);
    }
    count = client_count(&ann);
    ck_assert_uint_ge(count, 5);
    ck_assert_uint_le(count, 11);
    end();
}
END_TEST

static int allow(ws_manager *manager, const ws_connection_info *connection, const char *room,
                 void *user_data)
{
    (void)manager;
    (void)connection;
    (void)room;
    (void)user_data;
    return WS_OK;
}

/* Another user connects and is lost every 10 ms; the limit allows fewer events than that. */
static void come_and_go(int n)
{
    static unsigned n_users;

    for (int i = 0; i < n; i++) {
        struct client client;
        char user[20];

        snprintf(user, sizeof user, "user-%u", n_users++);
        host.now_ms += 10;
        client_open(&host, &client, "client", user);
        client_lose(&client);
        host_run(&host);
        client_free(&client);
    }
}

/* What may be dropped does not keep what must only wait from being sent. */
START_TEST(events_leave_a_part_of_the_limit_to_the_changes_of_rooms)
{
    size_t n_changes = 0;

    host_init(&host);
    host_without_callbacks(&host);
    host.options.presence_events = WS_PRESENCE_EVERYONE;
    host.options.presence_grace_ms = 1000;
    host.options.authorize_presence = allow;
    host.options.max_presence_deliveries = 10;
    host_start(&host);
    client_open(&host, &ann, "ann", "ann");
    client_open(&host, &bob, "bob", "bob");
    client_say(&ann, "{\"type\":\"join_room\",\"room\":\"r\",\"presence\":true}");
    host_run(&host);
    come_and_go(500);
    client_count(&ann);
    ck_assert_int_eq(ws_manager_join_room(host.manager, bob.id, "r"), WS_OK);
    come_and_go(100);
    for (const char *message; (message = client_next(&ann)) != NULL;)
        n_changes += strstr(message, "presence_changed") != NULL;
    ck_assert_uint_eq(n_changes, 1);
    come_and_go(100);
    ck_assert_uint_gt(client_count(&ann), 0); /* events, again */
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        everyone_else_is_notified,
        only_the_first_and_the_last_connection_of_a_user_is_announced,
        a_user_who_reconnects_within_the_grace_time_has_not_left,
        an_anonymous_client_has_no_grace_time,
        the_grace_time_outlives_its_loop,
        a_user_that_cannot_be_remembered_is_announced_at_once,
        only_the_members_of_the_room_are_notified,
        no_client_is_notified_when_presence_is_off,
        raw_connections_are_not_announced_and_not_notified,
        every_end_is_announced_once,
        a_connection_that_fails_at_its_welcome_is_not_announced_later,
        presence_is_limited_for_each_second,
        a_loop_that_slept_does_not_fill_the_bucket,
        a_low_limit_is_kept_and_used,
        events_leave_a_part_of_the_limit_to_the_changes_of_rooms,
        NULL,
    };

    return suite_run("presence", tests);
}
