/* user_commands_test.c: commands for all connections of a user, in one process with several
 * loops: their place among events, slices, limits, memory that runs out. Not here: commands of
 * other processes (user_commands_cluster_test.c). */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/host.h"
#include "support/suite.h"

#define LEFT(position)                                                                         \
    "{\"type\":\"room_left\",\"data\":{\"room\":\"orders\",\"id\":\"E." #position "\"}}"

static struct host host;
static ws_loop *loops[2];
static int n_asked;
static struct client ann, tab, late, bob; /* `ann`, `tab` and `late` are user "ann" */

static void run_all(void)
{
    for (int i = 0; i < 2; i++) {
        host.loop = loops[i];
        host_run(&host);
    }
    host.loop = loops[0];
}

static void begin(uint32_t max_pending)
{
    host_init(&host);
    if (max_pending > 0)
        host.options.max_pending = max_pending;
    host_start(&host);
    loops[0] = host.loop;
    ck_assert_int_eq(ws_loop_new(host.manager, NULL, 0, &loops[1]), WS_OK);
    client_open(&host, &ann, "ann", "ann");
    client_open(&host, &bob, "bob", "bob");
    host.loop = loops[1];
    client_open(&host, &tab, "tab", "ann");
    host.loop = loops[0];
    host_forget_log(&host);
}

static void end(void)
{
    ws_loop_free(loops[1]);
    host_close(&host);
    client_free(&ann);
    client_free(&tab);
    client_free(&late);
    client_free(&bob);
    late = (struct client){0};
}

static void join(struct client *client, const char *room)
{
    ck_assert_int_eq(ws_manager_join_room(host.manager, client->id, room), WS_OK);
    run_all();
}

/* Another connection of ann, which its loop has not seen yet. */
static void post_late(void)
{
    host.loop = loops[1];
    ck_assert_int_eq(client_try(&host, &late, "late", "ann", WS_PROTOCOL_JSON), WS_OK);
    host.loop = loops[0];
}

static void expect_welcome(struct client *client)
{
    const char *message = client_next(client);

    ck_assert_ptr_nonnull(message);
    ck_assert_ptr_nonnull(strstr(message, "{\"type\":\"welcome\""));
}

/* --- the place among events --------------------------------------------------------------- */

START_TEST(events_after_leave_room_of_user_reach_no_connection)
{
    begin(0);
    join(&ann, "orders");
    join(&tab, "orders");
    join(&bob, "orders");
    post_late();
    ck_assert_int_eq(ws_manager_join_room(host.manager, late.id, "orders"), WS_OK);
    host_forget_log(&host);
    emit_number(&host, "orders", 1);
    ck_assert_int_eq(ws_manager_leave_room_of_user(host.manager, "ann", "orders"), WS_OK);
    emit_number(&host, "orders", 2);
    host_expect_log(&host, "");
    run_all();
    expect_welcome(&late);
    client_expect(&ann, number_message(1, "orders", 1), LEFT(1), NULL);
    client_expect(&tab, number_message(1, "orders", 1), LEFT(1), NULL);
    client_expect(&late, number_message(1, "orders", 1), LEFT(1), NULL);
    client_expect(&bob, number_message(1, "orders", 1), number_message(2, "orders", 2), NULL);
    host_expect_log(&host, "on_leave ann orders success\n"
                           "on_connect late ann\n"
                           "on_join late orders success\n"
                           "on_leave late orders success\n"
                           "on_leave tab orders success\n");
    end();
}
END_TEST

START_TEST(rooms_that_a_client_names_as_it_connects_are_left_too)
{
    static const char *const rooms[] = {"orders"};
    ws_connect_options options;

    begin(0);
    late = (struct client){.host = &host, .name = "late"};
    client_options(&late, &options);
    options.user_id = "ann";
    options.rooms = rooms;
    options.n_rooms = 1;
    ck_assert_int_eq(ws_manager_connect(host.manager, loops[1], &options, &late.id), WS_OK);
    ck_assert_int_eq(ws_manager_leave_room_of_user(host.manager, "ann", "orders"), WS_OK);
    emit_number(&host, "orders", 1);
    run_all();
    ck_assert_int_eq(ws_manager_is_member(host.manager, late.id, "orders"), 0);
    for (const char *message; (message = client_next(&late)) != NULL;)
        ck_assert_ptr_null(strstr(message, "notification"));
    end();
}
END_TEST

/* As another thread might do it: the right is lost while the application is asked. */
static void lose_right(struct host *of, struct client *client, const char *line)
{
    (void)client;
    if (strncmp(line, "authorize_join", 14) != 0)
        return;
    n_asked++;
    if (n_asked == 2)
        of->authorize_result = WS_ERR_FORBIDDEN;
    else
        ck_assert_int_eq(ws_manager_leave_room_of_user(of->manager, "ann", "orders"), WS_OK);
}

START_TEST(a_join_that_was_permitted_before_is_authorized_again)
{
    begin(0);
    n_asked = 0;
    host.hook = lose_right;
    client_say(&ann, "{\"type\":\"join_room\",\"room\":\"orders\",\"ref\":1}");
    run_all();
    ck_assert_int_eq(n_asked, 2);
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, "orders"), 0);
    host.hook = NULL;
    end();
}
END_TEST

START_TEST(events_after_join_room_of_user_reach_all_connections)
{
    begin(0);
    join(&tab, "orders");
    post_late();
    host_forget_log(&host);
    host.authorize_result = WS_ERR_FORBIDDEN; /* it is not asked */
    emit_number(&host, "orders", 1);
    ck_assert_int_eq(ws_manager_join_room_of_user(host.manager, "ann", "orders"), WS_OK);
    emit_number(&host, "orders", 2);
    run_all();
    expect_welcome(&late);
    client_expect(&ann, number_message(2, "orders", 2), NULL);
    client_expect(&tab, number_message(1, "orders", 1), number_message(2, "orders", 2), NULL);
    client_expect(&late, number_message(2, "orders", 2), NULL);
    client_expect(&bob, NULL);
    host_expect_log(&host, "on_join ann orders success\n"
                           "on_connect late ann\n"
                           "on_join late orders success\n");
    end();
}
END_TEST

START_TEST(disconnect_user_ends_all_connections_in_order)
{
    begin(0);
    post_late();
    emit_number(&host, NULL, 1);
    ck_assert_int_eq(ws_manager_disconnect_user(host.manager, "ann", 4001, "go"), WS_OK);
    emit_number(&host, NULL, 2);
    run_all();
    expect_welcome(&late);
    client_expect(&ann, number_message(1, NULL, 1), NULL);
    client_expect(&tab, number_message(1, NULL, 1), NULL);
    client_expect(&late, number_message(1, NULL, 1), NULL);
    client_expect(&bob, number_message(1, NULL, 1), number_message(2, NULL, 2), NULL);
    ck_assert_int_eq(ann.n_closes + tab.n_closes + late.n_closes, 3);
    ck_assert_int_eq(tab.close_code, 4001);
    ck_assert_str_eq(late.close_reason, "go");
    ck_assert_int_eq(bob.n_closes, 0);
    client_free(&late);
    post_late(); /* later than the command */
    run_all();
    ck_assert_int_eq(late.n_closes, 0);
    end();
}
END_TEST

START_TEST(reauthorize_user_asks_for_each_room)
{
    begin(0);
    join(&ann, "orders");
    join(&tab, "orders");
    join(&tab, "other");
    join(&bob, "orders");
    host_forget_log(&host);
    host.authorize_result = WS_ERR_FORBIDDEN;
    ck_assert_int_eq(ws_manager_reauthorize_user(host.manager, "ann"), WS_OK);
    emit_number(&host, "orders", 1);
    run_all();
    host_expect_log(&host, "authorize_join ann orders\n"
                           "on_leave ann orders success\n"
                           "authorize_join tab other\n"
                           "on_leave tab other success\n"
                           "authorize_join tab orders\n"
                           "on_leave tab orders success\n");
    client_expect(&ann, LEFT(0), NULL);
    client_expect(&bob, number_message(1, "orders", 1), NULL);
    end();
}
END_TEST

START_TEST(a_connection_without_rooms_is_not_a_member)
{
    begin(0);
    ck_assert_int_eq(client_try(&host, &late, "late", "ann", WS_PROTOCOL_RAW), WS_OK);
    run_all();
    host_forget_log(&host);
    ck_assert_int_eq(ws_manager_leave_room_of_user(host.manager, "ann", "none"), WS_OK);
    ck_assert_int_eq(ws_manager_reauthorize_user(host.manager, "ann"), WS_OK);
    run_all();
    host_expect_log(&host, "");
    client_expect(&ann, NULL);
    ck_assert_int_eq(ws_manager_join_room_of_user(host.manager, "ann", "orders"), WS_OK);
    run_all();
    host_expect_log(&host, "on_join late orders refused by the application\n"
                           "on_join ann orders success\n"
                           "on_join tab orders success\n");
    end();
}
END_TEST

/* --- arguments and limits ----------------------------------------------------------------- */

START_TEST(arguments_that_are_not_valid_are_refused)
{
    ws_manager *manager;
    char reason[126];

    begin(0);
    manager = host.manager;
    memset(reason, 'x', sizeof reason - 1);
    reason[sizeof reason - 1] = '\0';
    ck_assert_int_eq(ws_manager_disconnect_user(manager, "", 4001, NULL), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_disconnect_user(manager, "ann", 1006, NULL), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_disconnect_user(manager, "ann", 4001, reason), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_join_room_of_user(manager, "ann", "\n"), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_leave_room_of_user(manager, "\n", "r"), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_reauthorize_user(manager, ""), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_send_to_processes(manager, "", "1", 1), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_send_to_processes(manager, "t", "{", 1), WS_ERR_BAD_JSON);
    ck_assert_int_eq(
        ws_manager_send_to_processes(manager, "t", "1", WS_PROCESS_MESSAGE_MAX + 1),
        WS_ERR_TOO_BIG);
    ck_assert_int_eq(ws_manager_send_to_processes(manager, "t", "1", 1), WS_OK); /* to nobody */
    ck_assert_int_eq(ws_manager_disconnect_user(manager, "nobody", 4001, NULL), WS_OK);
    ck_assert_int_eq(ws_manager_join_room_of_user(manager, "nobody", "r"), WS_OK);
    run_all();
    host_expect_log(&host, "");
    end();
}
END_TEST

START_TEST(a_full_loop_refuses_the_command_for_all_loops)
{
    begin(2);
    emit_number(&host, NULL, 1);
    run_all();
    ck_assert_uint_eq(client_count(&tab), 1);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(ws_manager_join_room(host.manager, tab.id, "full"), WS_OK);
    ck_assert_int_eq(ws_manager_disconnect_user(host.manager, "ann", 4001, NULL),
                     WS_ERR_BACKPRESSURE);
    ck_assert_int_eq(ws_manager_join_room_of_user(host.manager, "ann", "orders"),
                     WS_ERR_BACKPRESSURE);
    run_all();
    ck_assert_int_eq(ann.n_closes + tab.n_closes, 0);
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, "orders"), 0);
    ck_assert_int_eq(ws_manager_disconnect_user(host.manager, "ann", 4001, NULL), WS_OK);
    run_all();
    ck_assert_int_eq(ann.n_closes + tab.n_closes, 2);
    end();
}
END_TEST

START_TEST(a_command_fails_as_a_whole_if_memory_runs_out)
{
    bool failed = true;

    for (long n = 0; failed; n++) {
        int result;

        begin(0);
        test_memory_fail(&host.memory, n, false);
        result = ws_manager_join_room_of_user(host.manager, "ann", "orders");
        failed = host.memory.failed;
        test_memory_fail(&host.memory, NEVER_FAIL, false);
        ck_assert_int_eq(result, failed ? WS_ERR_NO_MEMORY : WS_OK);
        emit_number(&host, "orders", 1);
        run_all();
        ck_assert_uint_eq(client_count(&ann), failed ? 0 : 1);
        ck_assert_uint_eq(client_count(&tab), failed ? 0 : 1);
        ck_assert_int_eq(ws_manager_disconnect_user(host.manager, "ann", 4001, NULL), WS_OK);
        end(); /* the command is still in the inbox */
    }
}
END_TEST

/* --- many connections --------------------------------------------------------------------- */

enum { MANY = 2000 };

static struct client many[MANY];
static int n_left;

static void open_many(void)
{
    host_init(&host);
    host_start(&host);
    for (int i = 0; i < MANY; i++) {
        client_open(&host, &many[i], "one", "ann");
        ck_assert_int_eq(ws_manager_join_room(host.manager, many[i].id, "orders"), WS_OK);
        host_forget_log(&host);
    }
    host_run(&host);
    host_forget_log(&host);
    for (int i = 0; i < MANY; i++)
        client_count(&many[i]);
}

static void close_many(void)
{
    host_close(&host);
    for (int i = 0; i < MANY; i++)
        client_free(&many[i]);
}

static unsigned run_turns(void)
{
    unsigned turns = 1;

    while (ws_loop_run(host.loop, host.now_ms) == host.now_ms)
        turns++;
    return turns;
}

START_TEST(many_connections_are_ended_in_several_turns)
{
    open_many();
    ck_assert_int_eq(ws_manager_disconnect_user(host.manager, "ann", 4001, NULL), WS_OK);
    emit_number(&host, "orders", 1);
    ck_assert_uint_gt(run_turns(), 5);
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(many[i].n_closes, 1);
        client_expect(&many[i], NULL);
    }
    close_many();
}
END_TEST

/* Of each connection that leaves, another one is lost. */
static void lose_another(struct host *of, struct client *client, const char *line)
{
    if (strncmp(line, "on_leave", 8) != 0)
        return;
    if (++n_left % 64 == 0)
        host_forget_log(of);
    for (int i = (int)(client - many) * 7 % MANY, n = 0; n < MANY; n++, i = (i + 1) % MANY)
        if (!many[i].gone && &many[i] != client) {
            client_lose(&many[i]);
            return;
        }
}

static int n_members(void)
{
    int count = 0;

    for (int i = 0; i < MANY; i++)
        count += ws_manager_is_member(host.manager, many[i].id, "orders");
    return count;
}

static void expect_all_left(void)
{
    emit_number(&host, "orders", 1);
    host_run(&host);
    ck_assert_int_eq(n_members(), 0);
    for (int i = 0; i < MANY; i++) {
        /* once, unless it was lost before */
        ck_assert_uint_le(many[i].n_messages - many[i].n_read, 1);
        ck_assert(many[i].gone || client_count(&many[i]) == 1);
    }
}

START_TEST(any_connection_may_end_while_all_leave)
{
    open_many();
    n_left = 0;
    host.hook = lose_another;
    ck_assert_int_eq(ws_manager_leave_room_of_user(host.manager, "ann", "orders"), WS_OK);
    ck_assert_uint_gt(run_turns(), 5);
    ck_assert_int_ge(n_left, MANY / 2);
    expect_all_left();
    close_many();
}
END_TEST

START_TEST(any_connection_may_end_while_all_are_authorized)
{
    open_many();
    n_left = 0;
    host.authorize_result = WS_ERR_FORBIDDEN;
    host.hook = lose_another;
    ck_assert_int_eq(ws_manager_reauthorize_user(host.manager, "ann"), WS_OK);
    ck_assert_uint_gt(run_turns(), 5);
    ck_assert_int_ge(n_left, MANY / 2);
    expect_all_left();
    close_many();
}
END_TEST

START_TEST(connections_may_end_between_the_turns_of_a_join)
{
    open_many();
    ck_assert_int_eq(ws_manager_join_room_of_user(host.manager, "ann", "new"), WS_OK);
    ws_loop_run(host.loop, host.now_ms);
    for (int i = 0; i < MANY; i++)
        client_lose(&many[i]);
    host_run(&host);
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 0);
    close_many();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        events_after_leave_room_of_user_reach_no_connection,
        rooms_that_a_client_names_as_it_connects_are_left_too,
        a_join_that_was_permitted_before_is_authorized_again,
        events_after_join_room_of_user_reach_all_connections,
        disconnect_user_ends_all_connections_in_order,
        reauthorize_user_asks_for_each_room,
        a_connection_without_rooms_is_not_a_member,
        arguments_that_are_not_valid_are_refused,
        a_full_loop_refuses_the_command_for_all_loops,
        a_command_fails_as_a_whole_if_memory_runs_out,
        many_connections_are_ended_in_several_turns,
        any_connection_may_end_while_all_leave,
        any_connection_may_end_while_all_are_authorized,
        connections_may_end_between_the_turns_of_a_join,
        NULL,
    };

    return suite_run("user-commands", tests);
}
