/* no_memory_test.c: a whole application's life in which the n-th allocation fails, for every n: no
 * crash, no leak, errors are returned, nothing is lost silently. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/drain.h"
#include "support/host.h"
#include "support/suite.h"

enum { N_CLIENTS = 4, MAX_EVENTS = 32 };

static struct host host;
static struct client clients[N_CLIENTS];
static bool connected[N_CLIENTS];
static int n_pings[N_CLIENTS];
static int sent[MAX_EVENTS]; /* numbers of the events that were accepted */
static size_t n_sent;

/* --- steps --------------------------------------------------------------------------------- */

/* The only error is WS_ERR_NO_MEMORY, and only after an allocation failed. */
static bool worked(int result)
{
    if (result != WS_OK) {
        ck_assert_int_eq(result, WS_ERR_NO_MEMORY);
        ck_assert(host.memory.failed);
    }
    return result == WS_OK;
}

/* Like worked(), for a call about a connection, which may have ended for lack of memory. */
static bool worked_for(const struct client *client, int result)
{
    if (result == WS_ERR_NOT_FOUND) {
        ck_assert(client->gone || client->id == 0);
        return false;
    }
    if (result == WS_ERR_CLOSED) {
        ck_assert(host.memory.failed);
        return false;
    }
    return worked(result);
}

static void connect(size_t i, const char *name, const char *user, enum ws_protocol protocol)
{
    connected[i] = worked(client_try(&host, &clients[i], name, user, protocol));
}

static void join(size_t i, const char *room)
{
    worked_for(&clients[i], ws_manager_join_room(host.manager, clients[i].id, room));
}

static void say(size_t i, const char *json)
{
    worked_for(&clients[i],
               ws_manager_receive(host.manager, clients[i].id, json, strlen(json), 1));
}

static void ping(size_t i)
{
    int result = ws_manager_receive(host.manager, clients[i].id, "{\"type\":\"ping\"}", 15, 1);

    if (worked_for(&clients[i], result))
        n_pings[i]++;
}

static void emit(int number)
{
    char data[32];
    ws_event *event;

    snprintf(data, sizeof data, "{\"n\":%d}", number);
    if (!worked(ws_event_new(host.manager, "stock_low", data, strlen(data), &event)))
        return;
    worked(ws_event_set_user_id(event, "somebody"));
    if (worked(ws_manager_broadcast(host.manager, event, &clients[3].id, 1)))
        sent[n_sent++] = number;
    else
        ck_assert_str_eq(ws_event_id(event), "");
    ws_event_free(event);
}

static void emit_elsewhere(void)
{
    ws_event *event;

    worked(ws_manager_emit_notification(host.manager, "hello \"you\"", "ann", "info"));
    worked(ws_manager_emit_notification(host.manager, "hello", NULL, "info"));
    worked(ws_manager_emit_order_created(host.manager, "[1]", 3));
    if (worked(ws_event_new(host.manager, "stock_low", "{}", 2, &event))) {
        worked_for(&clients[0], ws_manager_send_personal_message(host.manager, clients[0].id,
                                                                 event, NULL, 0));
        ws_event_free(event);
    }
    worked_for(&clients[3], ws_manager_send_binary(host.manager, clients[3].id, "\0", 1));
    worked_for(&clients[3], ws_manager_send_text(host.manager, clients[3].id, "x", 1));
}

static int count(ws_conn_id id, void *user_data)
{
    (void)id;
    ++*(size_t *)user_data;
    return 0;
}

static void look_around(void)
{
    char *text;
    size_t n = 0;

    if (worked(ws_manager_get_stats(host.manager, &text, NULL)))
        ws_manager_free_text(host.manager, text);
    if (worked(ws_manager_get_metrics(host.manager, &text, NULL)))
        ws_manager_free_text(host.manager, text);
    worked(ws_manager_for_each_member(host.manager, "orders", count, &n));
    worked(ws_manager_for_each_connection_of_user(host.manager, "ann", count, &n));
    ck_assert_uint_le(n, 5); /* three members, two connections of ann */
}

static void live(void)
{
    worked(ws_manager_register_event_type(host.manager, "invoice_paid"));
    worked(ws_manager_route_event_type(host.manager, "order_created", "orders"));
    connect(0, "ann", "ann", WS_PROTOCOL_JSON);
    ping(0);
    connect(1, "bob", "ann", WS_PROTOCOL_JSON);
    host_run(&host);
    connect(2, "eve", NULL, WS_PROTOCOL_JSON);
    connect(3, "raw", NULL, WS_PROTOCOL_RAW);
    join(0, "orders");
    join(1, "orders");
    emit(1);
    host_run(&host);
    say(0, "{\"type\":\"join_room\",\"room\":\"caf\\u00e9\",\"ref\":1}");
    say(1, "{\"type\":\"message\",\"data\":{\"a\":[1]}}");
    say(2, "{\"type\":\"join_room\",\"room\":\"orders\"}");
    say(2, "not json");
    say(3, "hello");
    ping(1);
    emit(2);
    host_run(&host);
    emit_elsewhere();
    look_around();
    for (int room = 0; room < 20; room++) {
        char name[] = "room a";

        name[5] = (char)('a' + room);
        join(0, name);
    }
    emit(3);
    host_run(&host);
    say(2, "{\"type\":\"leave_room\",\"room\":\"orders\"}");
    worked_for(&clients[1], ws_manager_disconnect(host.manager, clients[1].id, 1000, "enough"));
    ping(2);
    emit(4);
    host_run(&host);
    host.authorize_result = WS_ERR_FORBIDDEN;
    worked_for(&clients[0], ws_manager_reauthorize(host.manager, clients[0].id));
    host_run(&host);
    host.authorize_result = WS_OK;
    if (worked(drain_with(host.manager, 1001, "restart"))) {
        host_run(&host);
        ck_assert_uint_eq(ws_manager_connection_count(host.manager), 0);
    }
}

/* --- what must hold afterwards ------------------------------------------------------------- */

/* The client received every event that was accepted, in order, or all up to the point where its
 * connection ended. */
static void check_events(const struct client *client)
{
    size_t at = 0;

    for (size_t i = 0; i < client->n_messages; i++) {
        const char *number = strstr(client->messages[i], "{\"n\":");

        if (number == NULL)
            continue;
        ck_assert_uint_lt(at, n_sent);
        ck_assert_int_eq(atoi(number + 5), sent[at++]);
    }
    ck_assert_msg(at == n_sent || client->close_code == 1013 || client->close_code == 1000,
                  "%s lacks events", client->name);
}

static void check_pings(const struct client *client, int pings)
{
    for (size_t i = 0; i < client->n_messages; i++)
        pings -= strstr(client->messages[i], "\"type\":\"pong\"") != NULL;
    ck_assert_msg(pings == 0 || client->close_code == 1013,
                  "%s waits for %d answers, and was not closed with 1013 (%u)", client->name,
                  pings, client->close_code);
}

static void check_clients(void)
{
    for (size_t i = 0; i < N_CLIENTS; i++) {
        if (!connected[i])
            continue;
        ck_assert_int_eq(clients[i].n_closes, 1);
        if (i < 3)
            check_events(&clients[i]);
        else
            ck_assert_ptr_null(
                clients[i].n_messages > 0 ? strstr(clients[i].messages[0], "{\"n\":") : NULL);
        check_pings(&clients[i], n_pings[i]);
    }
}

/* Returns true if no allocation failed: then every n has been tried. */
static bool live_without(long fail_at, bool and_after)
{
    memset(clients, 0, sizeof clients);
    memset(connected, 0, sizeof connected);
    memset(n_pings, 0, sizeof n_pings);
    n_sent = 0;
    host_init(&host);
    host.options.presence_events = WS_PRESENCE_ROOM;
    host.options.presence_room = "orders";
    test_memory_fail(&host.memory, fail_at, and_after);
    if (worked(ws_manager_new(&host.options, &host.manager))) {
        if (worked(ws_loop_new(host.manager, NULL, 0, &host.loop)))
            live();
        ws_loop_free(host.loop);
        ws_manager_free(host.manager);
    }
    ck_assert_int_eq(host.memory.n_blocks, 0);
    check_clients();
    for (size_t i = 0; i < N_CLIENTS; i++)
        client_free(&clients[i]);
    free(host.log);
    return !host.memory.failed;
}

START_TEST(each_allocation_fails_once)
{
    long fail_at = 0;

    while (!live_without(fail_at, false))
        fail_at++;
    ck_assert_int_gt(fail_at, 100);
    ck_assert_uint_eq(n_sent, 4);
}
END_TEST

START_TEST(memory_runs_out_for_good)
{
    long fail_at = 0;

    while (!live_without(fail_at, true))
        fail_at++;
    ck_assert_int_gt(fail_at, 100);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        each_allocation_fails_once,
        memory_runs_out_for_good,
        NULL,
    };

    return suite_run("no_memory", tests);
}
