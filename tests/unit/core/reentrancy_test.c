/* reentrancy_test.c: transports and callbacks that do anything to any connection in the middle of a
 * delivery: no member is skipped, none receives an event twice, nothing is called after its end. */
#include <stdlib.h>
#include <string.h>

#include "support/drain.h"
#include "support/host.h"
#include "support/suite.h"

enum { N_CLIENTS = 7 };

static struct host host;
static struct client clients[N_CLIENTS];
static struct client extra;
static unsigned n_acted;

static void begin(void)
{
    static const char *const names[N_CLIENTS] = {"a", "b", "c", "d", "e", "f", "g"};

    host_open(&host);
    extra = (struct client){0};
    n_acted = 0;
    for (size_t i = 0; i < N_CLIENTS; i++)
        client_open_in(&host, &clients[i], names[i], "r");
    host_forget_log(&host);
}

static void end(void)
{
    host_close(&host);
    for (size_t i = 0; i < N_CLIENTS; i++)
        client_free(&clients[i]);
    client_free(&extra);
}

/* --- actions ------------------------------------------------------------------------------- */

static void lose(struct client *target)
{
    if (!target->gone)
        client_lose(target);
}

static void lose_twice(struct client *target)
{
    lose(target);
    ck_assert_int_eq(ws_manager_transport_closed(host.manager, target->id, 1006, NULL),
                     WS_ERR_NOT_FOUND);
}

static void disconnect(struct client *target)
{
    ck_assert_int_eq(ws_manager_disconnect(host.manager, target->id, 4000, "out"), WS_OK);
}

static void leave(struct client *target)
{
    ck_assert_int_eq(ws_manager_leave_room(host.manager, target->id, "r"), WS_OK);
    ck_assert_int_eq(ws_manager_join_room(host.manager, target->id, "other"), WS_OK);
}

static void rejoin(struct client *target)
{
    ck_assert_int_eq(ws_manager_leave_room(host.manager, target->id, "r"), WS_OK);
    ck_assert_int_eq(ws_manager_join_room(host.manager, target->id, "r"), WS_OK);
}

static void say_leave(struct client *target)
{
    client_say(target, "{\"type\":\"leave_room\",\"room\":\"r\"}");
}

static void add_one(struct client *target)
{
    (void)target;
    if (extra.host != NULL)
        return;
    ck_assert_int_eq(client_try(&host, &extra, "extra", NULL, WS_PROTOCOL_JSON), WS_OK);
    ck_assert_int_eq(ws_manager_join_room(host.manager, extra.id, "r"), WS_OK);
}

static void run(struct client *target)
{
    (void)target;
    ck_assert_uint_eq(ws_loop_run(host.loop, host.now_ms + 5), host.now_ms + 5);
}

static void look(struct client *target)
{
    char *text;

    ck_assert_int_eq(ws_manager_get_stats(host.manager, &text, NULL), WS_OK);
    ws_manager_free_text(host.manager, text);
    ws_manager_is_member(host.manager, target->id, "r");
}

typedef void action(struct client *target);

static action *const actions[] = {lose,      lose_twice, disconnect, leave, rejoin,
                                  say_leave, add_one,    run,        look};
enum { N_ACTIONS = sizeof actions / sizeof *actions };

static bool ends_at_once(action *act)
{
    return act == lose || act == lose_twice;
}

/* --- within a transport's send() ----------------------------------------------------------- */

struct plan {
    action *act;
    struct client *target;
};

static struct plan plan;

static void act_once(struct client *client, const char *message)
{
    if (strstr(message, "\"n\":1}") == NULL || n_acted > 0)
        return;
    n_acted++;
    client->on_send = NULL;
    plan.act(plan.target);
}

static size_t count_of(const struct client *client, const char *needle)
{
    size_t count = 0;

    for (size_t i = client->n_read; i < client->n_messages; i++)
        count += strstr(client->messages[i], needle) != NULL;
    return count;
}

/* A target that ended before its turn may have missed the event; no other client may. */
static void check_delivery(const struct client *actor, action *act, const struct client *target)
{
    for (size_t i = 0; i < N_CLIENTS; i++) {
        size_t count = count_of(&clients[i], "\"n\":1}");

        if (&clients[i] == target && target != actor && ends_at_once(act))
            ck_assert_uint_le(count, 1);
        else
            ck_assert_msg(count == 1, "%s got it %zu times", clients[i].name, count);
    }
    ck_assert_uint_eq(count_of(&extra, "\"n\":1}"), 0);
}

static void check_send(size_t actor, action *act, size_t target, const char *room)
{
    begin();
    plan = (struct plan){act, &clients[target]};
    clients[actor].on_send = act_once;
    emit_number(&host, room, 1);
    host_run(&host);
    ck_assert_uint_eq(n_acted, 1);
    check_delivery(&clients[actor], act, &clients[target]);
    /* The next event is delivered as usual. */
    emit_number(&host, "r", 2);
    host_run(&host);
    for (size_t i = 0; i < N_CLIENTS; i++)
        ck_assert_uint_eq(count_of(&clients[i], "\"n\":2"),
                          ws_manager_is_member(host.manager, clients[i].id, "r"));
    ck_assert_uint_eq(count_of(&extra, "\"n\":2"), act == add_one);
    end();
}

START_TEST(a_send_may_do_anything_to_any_client)
{
    for (size_t act = 0; act < N_ACTIONS; act++)
        for (size_t actor = 0; actor < N_CLIENTS; actor++)
            for (size_t target = 0; target < N_CLIENTS; target++) {
                check_send(actor, actions[act], target, "r");
                check_send(actor, actions[act], target, NULL);
            }
}
END_TEST

static void lose_all(struct client *client, const char *message)
{
    (void)client;
    (void)message;
    for (size_t i = 0; i < N_CLIENTS; i++)
        lose(&clients[i]);
}

static void lose_set(struct client *client, const char *message)
{
    (void)message;
    client->on_send = NULL;
    for (size_t i = 0; i < N_CLIENTS; i++)
        if (n_acted >> i & 1)
            lose(&clients[i]);
}

/* Every set of clients that one send ends at once: the remaining clients receive the event once. */
START_TEST(a_send_may_end_several_clients)
{
    for (size_t actor = 0; actor < N_CLIENTS; actor++)
        for (unsigned set = 1; set < 1u << N_CLIENTS; set++) {
            begin();
            n_acted = set;
            clients[actor].on_send = lose_set;
            emit_number(&host, "r", 1);
            host_run(&host);
            for (size_t i = 0; i < N_CLIENTS; i++) {
                size_t count = count_of(&clients[i], "\"n\":1");

                if (count > 1 || (count == 0 && (set >> i & 1) == 0))
                    ck_abort_msg("%s got it %zu times", clients[i].name, count);
            }
            end();
        }
}
END_TEST

START_TEST(a_send_may_end_all_clients)
{
    begin();
    clients[3].on_send = lose_all;
    emit_number(&host, NULL, 1);
    emit_number(&host, NULL, 2);
    host_run(&host);
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 0);
    for (size_t i = 0; i < N_CLIENTS; i++) {
        ck_assert_uint_eq(count_of(&clients[i], "\"n\":2"), 0);
        ck_assert_uint_le(count_of(&clients[i], "\"n\":1"), 1);
    }
    end();
}
END_TEST

/* Each send does something at random, over many events; a client that stays in the room all the
 * time receives each event once, in order. */
static void act_at_random(struct client *client, const char *message)
{
    struct client *target = &clients[1 + random() % (N_CLIENTS - 1)];

    (void)client;
    if (strstr(message, "\"n\":") != NULL && !target->gone && random() % 3 == 0)
        actions[random() % N_ACTIONS](target);
}

START_TEST(a_client_that_stays_receives_every_event)
{
    srandom(6);
    for (int round = 0; round < 300; round++) {
        const char *message;
        int expected = 0;

        begin();
        for (size_t i = 0; i < N_CLIENTS; i++)
            clients[i].on_send = act_at_random;
        for (int n = 1; n <= 20; n++) {
            emit_number(&host, n % 2 == 0 ? "r" : NULL, n);
            if (n % 5 == 0)
                host_run(&host);
        }
        while ((message = client_next(&clients[0])) != NULL) {
            const char *number = strstr(message, "\"n\":");

            ck_assert_ptr_nonnull(number);
            ck_assert_int_eq(atoi(number + 4), ++expected);
        }
        ck_assert_int_eq(expected, 20);
        end();
    }
}
END_TEST

/* --- within callbacks ---------------------------------------------------------------------- */

static const char *trigger;

static void act_in_callback(struct host *of, struct client *client, const char *line)
{
    (void)of;
    if (strncmp(line, trigger, strlen(trigger)) != 0 || n_acted > 0)
        return;
    n_acted++;
    plan.act(plan.target != NULL ? plan.target : client);
}

/* Provokes every callback about clients[0] except on_disconnect, and on_raw. */
static void provoke(struct client *fresh, struct client *raw)
{
    ck_assert_int_eq(client_try(&host, fresh, "fresh", "u", WS_PROTOCOL_JSON), WS_OK);
    ck_assert_int_eq(client_try(&host, raw, "raw", "u", WS_PROTOCOL_RAW), WS_OK);
    client_say(&clients[0], "{\"type\":\"join_room\",\"room\":\"new\"}");
    client_say(&clients[0], "{\"type\":\"message\",\"data\":1}");
    client_say(&clients[0], "{\"type\":\"leave_room\",\"room\":\"new\"}");
    ck_assert_int_eq(ws_manager_join_room(host.manager, clients[1].id, "x"), WS_OK);
    ck_assert_int_eq(ws_manager_leave_room(host.manager, clients[1].id, "x"), WS_OK);
    client_say(raw, "hello");
    emit_number(&host, NULL, 1);
    ck_assert_int_eq(ws_manager_disconnect(host.manager, clients[2].id, 1000, "bye"), WS_OK);
    emit_number(&host, NULL, 2);
}

static size_t lines_with(const char *start)
{
    size_t count = 0;

    for (const char *line = host.log; *line != '\0'; line = strchr(line, '\n') + 1)
        count += strncmp(line, start, strlen(start)) == 0;
    return count;
}

/* Each on_connect is followed by one on_disconnect. */
static void check_callback(const char *line, action *act, struct client *target)
{
    struct client fresh, raw;

    begin();
    trigger = line;
    plan = (struct plan){act, target};
    host.hook = act_in_callback;
    provoke(&fresh, &raw);
    host_run(&host);
    ck_assert_msg(n_acted == 1, "%s was not called", line);
    for (size_t i = 3; i < N_CLIENTS; i++)
        if (&clients[i] != target) {
            ck_assert_uint_eq(count_of(&clients[i], "\"n\":1}"), 1);
            ck_assert_uint_eq(count_of(&clients[i], "\"n\":2}"), 1);
        }
    host.hook = NULL;
    ws_loop_free(host.loop);
    host.loop = NULL;
    ck_assert_uint_eq(lines_with("on_disconnect"), N_CLIENTS + lines_with("on_connect"));
    ck_assert_uint_eq(lines_with("on_disconnect a "), 1);
    ck_assert_uint_eq(lines_with("on_disconnect c "), 1);
    end();
    client_free(&fresh);
    client_free(&raw);
}

START_TEST(callbacks_may_do_anything)
{
    static const char *const lines[] = {
        "on_connect fresh", "on_connect raw",   "authorize_join a",
        "on_join a",        "accept_message a", "on_leave a",
        "on_join b",        "on_leave b",       "on_raw"};

    for (size_t line = 0; line < sizeof lines / sizeof *lines; line++)
        for (size_t act = 0; act < N_ACTIONS; act++) {
            check_callback(lines[line], actions[act], NULL); /* to itself */
            check_callback(lines[line], actions[act], &clients[4]);
        }
}
END_TEST

START_TEST(on_disconnect_may_do_anything_to_another_client)
{
    for (size_t act = 0; act < N_ACTIONS; act++)
        check_callback("on_disconnect c", actions[act], &clients[4]);
}
END_TEST

static void free_transport(struct client *client)
{
    ws_manager_transport_closed(host.manager, client->id, 1000, NULL);
    client->gone = true;
}

/* manager.h: a callback may free its connection's transport. Once the transport has said that it is
 * gone, it is no longer called, even if on_disconnect is called because of a disconnect of
 * ours. */
START_TEST(on_disconnect_may_free_the_transport)
{
    check_callback("on_disconnect c", free_transport, NULL);
}
END_TEST

static void run_at_close(struct client *client)
{
    n_acted++;
    run(client);
}

START_TEST(a_close_may_run_the_loop)
{
    begin();
    clients[0].on_close = run_at_close;
    disconnect(&clients[0]);
    host_run(&host);
    ck_assert_uint_eq(n_acted, 1);
    end();
}
END_TEST

static void lose_others_at_close(struct client *client)
{
    n_acted++;
    for (size_t i = 0; i < N_CLIENTS; i++)
        if (&clients[i] != client)
            lose(&clients[i]);
}

START_TEST(a_close_may_end_other_clients_during_a_drain)
{
    for (size_t i = 0; i < N_CLIENTS; i++) {
        begin();
        clients[i].on_close = lose_others_at_close;
        ck_assert_int_eq(drain_with(host.manager, 1001, NULL), WS_OK);
        host_run(&host);
        ck_assert_uint_eq(n_acted, 1);
        ck_assert_uint_eq(lines_with("on_disconnect"), N_CLIENTS);
        ck_assert_uint_eq(ws_manager_connection_count(host.manager), 0);
        end();
    }
}
END_TEST

/* --- ws_loop_run() within a callback outside of ws_loop_run() ------------------------------ */

START_TEST(no_turn_within_on_disconnect_of_a_lost_transport)
{
    begin();
    trigger = "on_disconnect a";
    plan = (struct plan){run, NULL};
    host.hook = act_in_callback;
    emit_number(&host, NULL, 1);
    client_lose(&clients[0]);
    ck_assert_uint_eq(n_acted, 1);
    ck_assert_uint_eq(count_of(&clients[1], "\"n\":1}"), 0);
    host_run(&host);
    ck_assert_uint_eq(count_of(&clients[1], "\"n\":1}"), 1);
    end();
}
END_TEST

START_TEST(no_turn_within_on_disconnect_of_a_loop_that_ends)
{
    begin();
    trigger = "on_disconnect a";
    plan = (struct plan){run, NULL};
    host.hook = act_in_callback;
    emit_number(&host, NULL, 1);
    ws_loop_free(host.loop);
    host.loop = NULL;
    ck_assert_uint_eq(n_acted, 1);
    ck_assert_uint_eq(count_of(&clients[1], "\"n\":1}"), 0);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_send_may_do_anything_to_any_client,
        a_send_may_end_several_clients,
        a_send_may_end_all_clients,
        a_client_that_stays_receives_every_event,
        callbacks_may_do_anything,
        on_disconnect_may_do_anything_to_another_client,
        on_disconnect_may_free_the_transport,
        a_close_may_run_the_loop,
        a_close_may_end_other_clients_during_a_drain,
        no_turn_within_on_disconnect_of_a_lost_transport,
        no_turn_within_on_disconnect_of_a_loop_that_ends,
        NULL,
    };

    return suite_run("reentrancy", tests);
}
