/* callback_costs_test.c: callbacks of the application that clients cause are counted: a turn
 * makes a limited number of them. Not here: other costs (custom_input_test.c). */
#include <stdio.h>
#include <string.h>

#include "core/costs.h"
#include "core/loop_state.h"
#include "support/host.h"
#include "support/suite.h"

enum { CLIENTS = 400, ROOMS = 10, MOST_IN_A_TURN = 8192 / INPUT_COST_CALLBACK };

static struct host host;
static struct client clients[CLIENTS];
static unsigned n_calls;

static void count_room(ws_manager *manager, const ws_connection_info *connection,
                       const char *room, int result, void *user_data)
{
    (void)manager;
    (void)connection;
    (void)room;
    (void)result;
    (void)user_data;
    n_calls++;
}

static int count_slow(ws_manager *manager, const ws_connection_info *connection,
                      void *user_data)
{
    (void)manager;
    (void)connection;
    (void)user_data;
    n_calls++;
    return WS_OK;
}

static void count_end(ws_manager *manager, const ws_connection_info *connection, uint16_t code,
                      const char *reason, void *user_data)
{
    (void)manager;
    (void)connection;
    (void)code;
    (void)reason;
    (void)user_data;
    n_calls++;
}

static void begin(void)
{
    host_init(&host);
    host_without_callbacks(&host);
    n_calls = 0;
}

static void add(size_t i, const char *const *rooms, size_t n_rooms)
{
    ws_connect_options options;

    clients[i] = (struct client){.host = &host, .name = "guest"};
    client_options(&clients[i], &options);
    options.rooms = rooms;
    options.n_rooms = n_rooms;
    ck_assert_int_eq(ws_manager_connect(host.manager, host.loop, &options, &clients[i].id),
                     WS_OK);
}

static void end(void)
{
    host_close(&host);
    for (size_t i = 0; i < CLIENTS; i++)
        client_free(&clients[i]);
    memset(clients, 0, sizeof clients);
}

/* Runs turns until there were so many calls. `n_budgets` of a turn are for them. */
static void expect_slices(unsigned expected, unsigned n_budgets)
{
    unsigned before = n_calls;

    for (unsigned total = n_calls + expected; n_calls < total; before = n_calls) {
        ws_loop_run(host.loop, host.now_ms);
        ck_assert_uint_gt(n_calls, before);
        ck_assert_uint_le(n_calls - before, n_budgets * MOST_IN_A_TURN);
    }
}

static void say_all(const char *type)
{
    for (size_t i = 0; i < CLIENTS; i++) {
        for (int room = 0; room < ROOMS; room++) {
            char text[64];

            snprintf(text, sizeof text, "{\"type\":\"%s\",\"room\":\"r%d\"}", type, room);
            client_say(&clients[i], text);
        }
    }
}

START_TEST(joins_and_leaves_that_clients_request)
{
    begin();
    host.options.on_join = host.options.on_leave = count_room;
    host_start(&host);
    for (size_t i = 0; i < CLIENTS; i++)
        add(i, NULL, 0);
    host_run(&host);
    say_all("join_room");
    expect_slices(CLIENTS * ROOMS, 2);
    say_all("leave_room");
    expect_slices(CLIENTS * ROOMS, 2);
    end();
}
END_TEST

/* At once, ahead of later commands, or in turns with other clients. */
START_TEST(joins_of_rooms_that_clients_name)
{
    static const char *const rooms[ROOMS] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};

    begin();
    host.options.on_join = count_room;
    host_start(&host);
    for (size_t i = 0; i < CLIENTS; i++)
        add(i, rooms, ROOMS);
    expect_slices(CLIENTS * ROOMS, 2);
    end();
}
END_TEST

START_TEST(rooms_that_clients_may_no_longer_be_in)
{
    static const char *const rooms[ROOMS] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};

    begin();
    host.options.on_leave = count_room;
    host_start(&host);
    for (size_t i = 0; i < CLIENTS; i++)
        add(i, rooms, ROOMS);
    host_run(&host);
    for (size_t room = 0; room < ROOMS; room++)
        for (size_t i = 0; i < CLIENTS; i++)
            ck_assert_int_eq(ws_manager_leave_room(host.manager, clients[i].id, rooms[room]),
                             WS_OK);
    expect_slices(CLIENTS * ROOMS, 2);
    end();
}
END_TEST

START_TEST(clients_that_do_not_read)
{
    begin();
    host.options.keep_slow_client = count_slow;
    host_start(&host);
    for (size_t i = 0; i < CLIENTS; i++)
        add(i, NULL, 0);
    host_run(&host);
    for (size_t i = 0; i < CLIENTS; i++)
        clients[i].send_result = WS_ERR_DROPPED;
    emit_number(&host, NULL, 1);
    expect_slices(CLIENTS, 1);
    end();
}
END_TEST

START_TEST(clients_that_end)
{
    begin();
    host.options.on_disconnect = count_end;
    host_start(&host);
    for (size_t i = 0; i < CLIENTS; i++)
        add(i, NULL, 0);
    host_run(&host);
    for (size_t i = 0; i < CLIENTS; i++)
        clients[i].send_result = WS_ERR_DROPPED;
    emit_number(&host, NULL, 1);
    expect_slices(CLIENTS, 1);
    end();
}
END_TEST

static void count_presence(ws_manager *manager, const ws_presence_change *change,
                           void *user_data)
{
    (void)manager;
    (void)change;
    (void)user_data;
    n_calls++;
}

/* Also if the time stands still: the next turn is due at once. */
static void expect_changes(unsigned expected)
{
    unsigned total = n_calls + expected;

    host.now_ms += 200;
    expect_slices(expected, 1);
    ck_assert_uint_eq(n_calls, total);
    ck_assert_uint_gt(ws_loop_run(host.loop, host.now_ms), host.now_ms);
}

START_TEST(users_that_come_and_go_in_rooms_with_presence)
{
    static const char *const rooms[] = {"a", "b"};
    char users[CLIENTS][8];

    begin();
    host.options.on_presence = count_presence;
    host.options.presence_grace_ms = 0;
    host_start(&host);
    for (size_t i = 0; i < CLIENTS; i++) {
        ws_connect_options options;

        snprintf(users[i], sizeof users[i], "u%zu", i);
        clients[i] = (struct client){.host = &host, .name = "user"};
        client_options(&clients[i], &options);
        options.user_id = users[i];
        options.rooms = rooms;
        options.n_rooms = 2;
        ck_assert_int_eq(ws_manager_connect(host.manager, host.loop, &options, &clients[i].id),
                         WS_OK);
    }
    for (size_t i = 0; i < 2; i++)
        ck_assert_int_eq(ws_manager_enable_presence(host.manager, rooms[i]), WS_OK);
    host_run(&host);
    expect_changes(2 * CLIENTS);
    for (size_t i = 0; i < CLIENTS; i++)
        client_lose(&clients[i]);
    expect_changes(2 * CLIENTS);
    end();
}
END_TEST

static void count_response(ws_manager *manager, ws_conn_id connection,
                           const ws_response *response, void *user_data)
{
    (void)manager;
    (void)connection;
    (void)response;
    (void)user_data;
    n_calls++;
}

START_TEST(requests_that_do_not_reach_their_clients)
{
    ws_request request;

    begin();
    host_start(&host);
    for (size_t i = 0; i < CLIENTS; i++)
        add(i, NULL, 0);
    host_run(&host);
    ws_request_init(&request);
    request.method = "total";
    request.on_response = count_response;
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i].send_result = WS_ERR_NO_MEMORY;
        ck_assert_int_eq(ws_manager_request(host.manager, clients[i].id, &request), WS_OK);
    }
    expect_slices(CLIENTS, 1);
    end();
}
END_TEST

/* What it has answered is out of date at once. */
static int count_question(ws_manager *manager, const ws_connection_info *connection,
                          const char *room, void *user_data)
{
    (void)room;
    (void)user_data;
    n_calls++;
    ck_assert_int_eq(ws_manager_reauthorize(manager, connection->id), WS_OK);
    return WS_OK;
}

START_TEST(questions_about_a_join_that_are_asked_again)
{
    enum { OF_A_JOIN = 2 * AUTHORIZED_AT_MOST };

    unsigned before = 0;

    begin();
    host.options.authorize_join = host.options.authorize_presence = count_question;
    host_start(&host);
    for (size_t i = 0; i < CLIENTS; i++)
        add(i, NULL, 0);
    host_run(&host);
    for (size_t i = 0; i < CLIENTS; i++)
        client_say(&clients[i], "{\"type\":\"join_room\",\"room\":\"r\",\"presence\":true}");
    for (; n_calls < CLIENTS * OF_A_JOIN; before = n_calls) {
        ws_loop_run(host.loop, host.now_ms);
        ck_assert_uint_gt(n_calls, before);
        ck_assert_uint_le(n_calls - before, MOST_IN_A_TURN + OF_A_JOIN);
    }
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

/* Each room that a client leaves counts its users, which takes longer. */
START_TEST(clients_that_end_with_presence)
{
    static const char *const rooms[ROOMS] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
    enum { COST = 32 + INPUT_COST_CALLBACK + LEAVE_COST_WITH_PRESENCE * ROOMS };

    begin();
    host.options.on_disconnect = count_end;
    host.options.authorize_presence = allow;
    host_start(&host);
    for (size_t i = 0; i < CLIENTS; i++)
        add(i, rooms, ROOMS);
    host_run(&host);
    client_say(&clients[0], "{\"type\":\"join_room\",\"room\":\"a\",\"presence\":true}");
    host_run(&host);
    for (size_t i = 0; i < CLIENTS; i++)
        clients[i].send_result = WS_ERR_DROPPED;
    emit_number(&host, "a", 1);
    for (unsigned before = n_calls = 0; n_calls < CLIENTS; before = n_calls) {
        ws_loop_run(host.loop, host.now_ms);
        ck_assert_uint_gt(n_calls, before);
        ck_assert_uint_le(n_calls - before, 8192 / COST + 1);
    }
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        joins_and_leaves_that_clients_request,
        joins_of_rooms_that_clients_name,
        rooms_that_clients_may_no_longer_be_in,
        clients_that_do_not_read,
        clients_that_end,
        clients_that_end_with_presence,
        users_that_come_and_go_in_rooms_with_presence,
        requests_that_do_not_reach_their_clients,
        questions_about_a_join_that_are_asked_again,
        NULL,
    };

    return suite_run("callback costs", tests);
}
