/* presence_cluster_test.c: presence of several processes, through a stream in memory: each
 * knows the users of all, also after a gap and when one dies. Not here: one process
 * (presence_list_test.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_text.h"
#include "core/presence/state.h"
#include "support/processes.h"
#include "support/suite.h"

static struct client clients[8];
static size_t n_clients;

static void begin(void)
{
    n_clients = 0;
    processes_open();
}

static void end(void)
{
    processes_close();
    for (size_t i = 0; i < n_clients; i++)
        client_free(&clients[i]);
}

static struct client *enter(size_t process, const char *user)
{
    struct client *client = &clients[n_clients++];

    client_open(&processes[process].host, client, user, user);
    client_say(client, "{\"type\":\"join_room\",\"room\":\"r\",\"presence\":true}");
    host_run(&processes[process].host);
    return client;
}

/* What a process knows: each user with its connections, in the order of the users' names. */
static void expect(size_t process, const char *expected)
{
    static const char *const users[] = {"ann", "bob", "eve"};
    char known[256] = "";
    char *text;

    ck_assert_int_eq(ws_manager_get_presence(processes[process].host.manager, "r", &text, NULL),
                     WS_OK);
    for (size_t i = 0; i < 3; i++) {
        char begins[64];
        const char *found;

        snprintf(begins, sizeof begins, "{\"user_id\":\"%s\",\"connections\":", users[i]);
        found = strstr(text, begins);
        if (found != NULL)
            snprintf(known + strlen(known), sizeof known - strlen(known), "%s %ld ", users[i],
                     strtol(found + strlen(begins), NULL, 10));
    }
    ck_assert_str_eq(known, expected);
    ws_manager_free_text(processes[process].host.manager, text);
}

static void expect_all(const char *expected)
{
    for (size_t i = 0; i < N_PROCESSES; i++)
        if (processes[i].host.manager != NULL)
            expect(i, expected);
}

START_TEST(each_process_knows_the_users_of_all)
{
    const struct client *ann;
    struct client *tab;

    begin();
    ann = enter(0, "ann");
    enter(1, "bob");
    tab = enter(2, "ann");
    processes_pass(1000);
    expect_all("ann 2 bob 1 ");
    ck_assert_ptr_nonnull(strstr(ann->messages[ann->n_messages - 1], "\"count\":2"));
    client_say(tab, "{\"type\":\"set_state\",\"room\":\"r\",\"data\":\"away\"}");
    processes_pass(1000);
    for (size_t i = 0; i < N_PROCESSES; i++) {
        char *text;

        ck_assert_int_eq(ws_manager_get_presence(processes[i].host.manager, "r", &text, NULL),
                         WS_OK);
        ck_assert_ptr_nonnull(
            strstr(text, "{\"user_id\":\"ann\",\"connections\":2,\"state\":\"away\"}"));
        ws_manager_free_text(processes[i].host.manager, text);
    }
    /* A client that moves to another process within the grace time has not left. */
    client_lose(tab);
    processes_pass(500);
    enter(1, "ann");
    processes_pass(3000);
    expect_all("ann 2 bob 1 ");
    end();
}
END_TEST

/* Users that were there before somebody asked are known too, and a process that begins late
 * learns of them. */
START_TEST(presence_may_begin_anywhere)
{
    struct client *ann = &clients[n_clients = 0];

    begin();
    n_clients = 1;
    client_open(&processes[0].host, ann, "ann", "ann");
    client_say(ann, "{\"type\":\"join_room\",\"room\":\"r\"}");
    processes_pass(500);
    ck_assert_uint_eq(stream.count, 0); /* rooms without presence cost nothing */
    enter(1, "bob");
    processes_pass(1000);
    expect(0, "ann 1 bob 1 ");
    expect(1, "ann 1 bob 1 ");
    process_close(&processes[2]);
    processes_open_one(2);
    enter(2, "eve");
    processes_pass(7000);
    expect_all("ann 1 bob 1 eve 1 ");
    end();
}
END_TEST

START_TEST(the_users_of_a_dead_process_leave)
{
    begin();
    enter(0, "ann");
    enter(1, "bob");
    enter(2, "ann");
    processes_pass(1000);
    expect_all("ann 2 bob 1 ");
    process_close(&processes[1]);
    processes[1].host.manager = NULL;
    processes_pass(4000);
    expect_all("ann 2 bob 1 ");
    processes_pass(20000);
    expect_all("ann 2 ");
    end();
}
END_TEST

/* --- the whole service ----------------------------------------------------------------------- */

START_TEST(a_client_watches_the_users_of_all_processes)
{
    struct client *ann;
    struct client *bob;

    begin();
    ann = &clients[n_clients++];
    client_open(&processes[0].host, ann, "ann", "ann");
    client_say(ann, "{\"type\":\"watch_presence\"}");
    processes_pass(500);
    client_count(ann);
    bob = enter(1, "bob");
    processes_pass(1000);
    ck_assert_ptr_nonnull(strstr(ann->messages[ann->n_messages - 1], "\"user_id\":\"bob\""));
    client_lose(bob);
    processes_pass(3000);
    ck_assert_ptr_nonnull(
        strstr(ann->messages[ann->n_messages - 1], "\"left\":[{\"user_id\":\"bob\"}]"));
    end();
}
END_TEST

/* --- states ---------------------------------------------------------------------------------- */

/* What all processes know of ann's state. */
static void expect_state(const char *state)
{
    for (size_t i = 0; i < N_PROCESSES; i++) {
        char expected[64];
        char *text;

        snprintf(expected, sizeof expected, "\"state\":%s}", state);
        ck_assert_int_eq(ws_manager_get_presence(processes[i].host.manager, "r", &text, NULL),
                         WS_OK);
        ck_assert_msg(strstr(text, expected) != NULL, "process %zu: %s", i, text);
        ws_manager_free_text(processes[i].host.manager, text);
    }
}

static void set_state(struct client *client, const char *state)
{
    char text[64];

    snprintf(text, sizeof text, "{\"type\":\"set_state\",\"room\":\"r\",\"data\":%s}", state);
    client_say(client, text);
    host_run(client->host);
}

/* A process that has missed a later state sends what it has, and its own is older. */
static void miss_a_state(const char *state)
{
    struct client *ann;
    struct client *tab;

    begin();
    ann = enter(0, "ann");
    tab = enter(1, "ann");
    processes_pass(500);
    set_state(ann, "1");
    processes_pass(500);
    expect_state("1");
    is_cut[0] = true;
    set_state(tab, state);
    processes_pass(500);
    is_cut[0] = false;
    process_start(&processes[0], 0);
    processes_pass(1000);
    expect_state(state);
    end();
}

START_TEST(an_older_state_does_not_replace_a_newer_one)
{
    miss_a_state("2");
}
END_TEST

START_TEST(a_removed_state_does_not_come_back)
{
    miss_a_state("null");
}
END_TEST

/* Both set it before they know of the other: the order in the stream decides. */
START_TEST(states_that_are_set_at_once_are_the_same_everywhere)
{
    struct client *ann;
    struct client *tab;

    begin();
    ann = enter(0, "ann");
    tab = enter(1, "ann");
    processes_pass(500);
    is_away = true;
    set_state(tab, "2");
    processes_pass(500);
    set_state(ann, "1");
    processes_pass(500);
    set_state(tab, "3");
    processes_pass(500);
    processes_come_back(); /* first what process 0 has sent */
    processes_pass(500);
    expect_state("3");
    set_state(ann, "null");
    processes_pass(500);
    expect_state("null");
    end();
}
END_TEST

static void expect_same(size_t one, size_t another)
{
    char *text;
    char *other;

    ck_assert_int_eq(ws_manager_get_presence(processes[one].host.manager, "r", &text, NULL),
                     WS_OK);
    ck_assert_int_eq(
        ws_manager_get_presence(processes[another].host.manager, "r", &other, NULL), WS_OK);
    ck_assert_str_eq(text, other);
    ws_manager_free_text(processes[one].host.manager, text);
    ws_manager_free_text(processes[another].host.manager, other);
}

START_TEST(a_state_goes_with_its_user_on_all_processes)
{
    struct client *ann;

    begin();
    ann = enter(0, "ann");
    set_state(ann, "1");
    processes_pass(500);
    expect_state("1");
    client_say(ann, "{\"type\":\"leave_room\",\"room\":\"r\"}");
    client_say(ann, "{\"type\":\"join_room\",\"room\":\"r\"}");
    processes_pass(500);
    expect_state("null");
    /* The user leaves one process and is on another one, which knows the state or does not. */
    set_state(ann, "2");
    processes_pass(500);
    client_say(ann, "{\"type\":\"leave_room\",\"room\":\"r\"}");
    host_run(&processes[0].host);
    enter(1, "ann");
    processes_pass(1000);
    expect_same(1, 2);
    end();
}
END_TEST

/* A user leaves one process and sets a state on another one, of which the first learns before
 * it has sent that the user has left. */
START_TEST(a_user_who_has_left_takes_no_state_from_another_process)
{
    struct client *ann;
    struct client *tab;

    begin();
    ann = enter(0, "ann");
    set_state(ann, "1");
    processes_pass(500);
    tab = &clients[n_clients++];
    client_open(&processes[1].host, tab, "ann", "ann");
    processes_pass(500);
    client_say(ann, "{\"type\":\"leave_room\",\"room\":\"r\"}");
    host_run(&processes[0].host);
    client_say(tab, "{\"type\":\"join_room\",\"room\":\"r\",\"presence\":true}");
    set_state(tab, "2");
    processes[1].host.now_ms += 200;
    host_run(&processes[1].host);
    processes_pass(1000);
    expect_all("ann 1 ");
    expect_state("2");
    end();
}
END_TEST

/* Positions of the former stream mean nothing in the next one, which begins with low ones. */
START_TEST(states_outlive_the_stream)
{
    struct client *ann;
    struct client *tab;

    begin();
    ann = enter(0, "ann");
    tab = enter(1, "ann");
    processes_pass(500);
    for (int i = 0; i < 20; i++) {
        set_state(ann, i % 2 == 0 ? "1" : "2");
        processes_pass(200);
    }
    stream_reset();
    strcpy(stream.epoch, "bbbbbbbb22");
    for (size_t i = 0; i < N_PROCESSES; i++)
        process_start(&processes[i], 0);
    processes_pass(1000);
    expect_state("2");
    set_state(tab, "3");
    processes_pass(500);
    expect_state("3");
    end();
}
END_TEST

/* An order that the carrier does not take is sent again, also of a user who is elsewhere. */
START_TEST(a_state_that_was_not_sent_is_sent_later)
{
    begin();
    enter(0, "ann");
    enter(2, "bob");
    processes_pass(500);
    stream.publish_result = WS_ERR_BACKPRESSURE;
    ck_assert_int_eq(
        ws_manager_set_presence_state(processes[1].host.manager, "r", "ann", "1", 1), WS_OK);
    processes_pass(500);
    stream.publish_result = WS_OK;
    processes_pass(1000);
    expect_state("1");
    end();
}
END_TEST

/* The deepest state reaches the others, and a deeper one is refused: nobody would read the
 * command, with what it says of other users. */
START_TEST(a_state_is_not_too_deep_for_others)
{
    enum { DEEPEST = 254 };
    char state[2 * DEEPEST + 3];
    char text[sizeof state + 64];
    struct client *ann;

    begin();
    for (size_t i = 0; i < N_PROCESSES; i++)
        processes[i].host.manager->options.max_client_json_depth = JSON_MAX_DEPTH;
    ann = enter(0, "ann");
    processes_pass(500);
    for (size_t depth = DEEPEST + 1; depth >= DEEPEST; depth--) {
        memset(state, '[', depth);
        memset(state + depth, ']', depth);
        state[2 * depth] = '\0';
        ck_assert_int_eq(ws_manager_set_presence_state(processes[0].host.manager, "r", "ann",
                                                       state, 2 * depth),
                         depth > DEEPEST ? WS_ERR_BAD_JSON : WS_OK);
        snprintf(text, sizeof text,
                 "{\"type\":\"set_state\",\"room\":\"r\",\"ref\":1,\"data\":%s}", state);
        client_count(ann);
        client_say(ann, text);
        host_run(&processes[0].host);
        ck_assert_ptr_nonnull(
            strstr(client_next(ann), depth > DEEPEST ? "bad_request" : "\"ack\""));
    }
    enter(0, "bob");
    processes_pass(1000);
    expect_all("ann 1 bob 1 ");
    for (size_t i = 0; i < N_PROCESSES; i++) {
        char *list;

        ck_assert_int_eq(ws_manager_get_presence(processes[i].host.manager, "r", &list, NULL),
                         WS_OK);
        ck_assert_ptr_nonnull(strstr(list, state));
        ws_manager_free_text(processes[i].host.manager, list);
    }
    end();
}
END_TEST

/* --- orders ---------------------------------------------------------------------------------- */

/* Clients cause them, so they take the clients' part of the carrier's queue, and no more of it
 * while the stream is away: what changes then is sent afterwards. */
START_TEST(orders_are_of_clients_and_few_at_once)
{
    begin();
    enter(0, "ann");
    enter(1, "bob");
    enter(2, "eve");
    processes_pass(500);
    ck_assert_uint_gt(n_of_clients, 0);
    n_of_clients = n_signs = 0;
    is_away = true;
    for (int i = 0; i < 100; i++) {
        set_state(&clients[0], i % 2 == 0 ? "1" : "2");
        processes_pass(200);
    }
    ck_assert_uint_le(n_of_clients, 16);
    ck_assert_uint_eq(n_waiting, n_of_clients + n_signs);
    ck_assert_uint_gt(n_signs, 0);
    processes_come_back();
    processes_pass(1000);
    expect_all("ann 1 bob 1 eve 1 ");
    end();
}
END_TEST

static void expect_answer(struct client *client, const char *expected)
{
    client_count(client);
    client_say(client, "{\"type\":\"presence\",\"room\":\"q\",\"ref\":1}");
    host_run(client->host);
    ck_assert_ptr_nonnull(strstr(client_next(client), expected));
}

/* A room that is empty here may have members elsewhere, whose process did not count them so far. */
START_TEST(a_second_request_includes_other_processes)
{
    struct client *ann;
    struct client *bob;

    begin();
    ann = enter(0, "ann");
    bob = enter(1, "bob");
    client_say(bob, "{\"type\":\"join_room\",\"room\":\"q\"}");
    processes_pass(500);
    expect_answer(ann, "\"count\":0");
    processes_pass(500);
    expect_answer(ann, "\"count\":1");
    client_say(bob, "{\"type\":\"leave_room\",\"room\":\"q\"}");
    processes_pass(500);
    expect_answer(ann, "\"count\":0");
    end();
}
END_TEST

/* While the stream makes no progress no process is declared dead, and changes made meanwhile are
 * sent afterwards. */
START_TEST(without_the_stream_the_list_stays)
{
    struct client *bob;

    begin();
    enter(0, "ann");
    bob = enter(1, "bob");
    processes_pass(1000);
    stream.publish_result = WS_ERR_BACKPRESSURE;
    client_lose(bob);
    enter(2, "eve");
    processes_pass(60000);
    expect(0, "ann 1 bob 1 ");
    stream.publish_result = WS_OK;
    processes_pass(2000);
    expect_all("ann 1 eve 1 ");
    end();
}
END_TEST

static void say(struct client *client, const char *type, int room)
{
    char json[80];

    snprintf(json, sizeof json, "{\"type\":\"%s\",\"room\":\"room-%d\",\"presence\":true}",
             type, room);
    client_say(client, json);
    host_run(client->host);
}

/* A client enters rooms and leaves them; nothing may be sent meanwhile, or there is no time for
 * that. */
static void come_and_go(struct client *client, int n, uint64_t stay_ms)
{
    for (int i = 0; i < n; i++) {
        say(client, "join_room", i);
        processes_pass(stay_ms);
        say(client, "leave_room", i);
    }
}

/* No process was told of such a user, so nothing waits until the stream is there again. */
START_TEST(who_comes_and_goes_without_the_stream_leaves_nothing)
{
    const struct presence *presence;
    struct client *eve;

    begin();
    enter(0, "bob");
    eve = enter(0, "eve");
    presence = processes[0].host.manager->presence;
    processes_pass(1000);
    ck_assert_uint_eq(presence->n_members, 2);
    stream.publish_result = WS_ERR_BACKPRESSURE;
    come_and_go(eve, 50, 200);
    ck_assert_uint_eq(presence->n_members, 2);
    for (int i = 0; i < 50; i++)
        say(eve, "join_room", i);
    client_lose(eve);
    ck_assert_uint_eq(presence->n_members, 2 + 50);
    processes_pass(3000); /* the grace time ends; that eve has left "r" is still to be sent */
    ck_assert_uint_eq(presence->n_members, 2);
    stream.publish_result = WS_OK;
    processes_pass(20000);
    ck_assert_uint_eq(presence->n_members, 1);
    ck_assert_uint_eq(presence->rooms.count, 1);
    expect_all("bob 1 ");
    end();
}
END_TEST

START_TEST(who_comes_and_goes_between_two_commands_is_not_sent)
{
    begin();
    enter(0, "bob");
    processes_pass(1000);
    come_and_go(enter(0, "eve"), 50, 0);
    processes_pass(1000);
    for (uint64_t i = 1; i <= stream.count; i++)
        ck_assert_ptr_null(strstr(stream_event(i).text, "\"n\":0"));
    end();
}
END_TEST

/* The carrier keeps what is sent while the stream is away: each process then reads its own signs of
 * life in a row. */
START_TEST(no_process_is_declared_dead_when_the_stream_comes_back)
{
    begin();
    enter(0, "ann");
    enter(1, "bob");
    enter(2, "eve");
    processes_pass(7000);
    is_away = true;
    processes_pass(60000);
    processes_come_back();
    for (size_t i = 0; i < N_PROCESSES; i++) {
        while (processes[i].n_read < stream.count) {
            ws_cluster_event event = stream_event(processes[i].n_read + 1);

            ck_assert_int_eq(ws_manager_cluster_deliver(processes[i].host.manager, &event),
                             WS_OK);
            processes[i].n_read++;
            expect(i, "ann 1 bob 1 eve 1 ");
        }
    }
    processes_pass(30000);
    expect_all("ann 1 bob 1 eve 1 ");
    process_close(&processes[1]);
    processes_pass(25000);
    expect(0, "ann 1 eve 1 ");
    expect(2, "ann 1 eve 1 ");
    end();
}
END_TEST

/* A loop that has a turn every 750 ms, because callbacks take their time. */
START_TEST(a_slow_process_lives)
{
    begin();
    enter(0, "ann");
    enter(1, "bob");
    processes_pass(1000);
    for (int i = 0; i < 120; i++) {
        ws_manager *manager = processes[1].host.manager;

        processes[1].host.manager = NULL; /* has no turn */
        processes_pass(700);
        processes[1].host.manager = manager;
        processes[1].host.now_ms += 700;
        processes_pass(50);
        expect(0, "ann 1 bob 1 ");
    }
    end();
}
END_TEST

/* A process that missed orders asks for everything, and sends what it has. */
START_TEST(a_gap_is_closed)
{
    struct client *bob;

    begin();
    enter(0, "ann");
    bob = enter(1, "bob");
    processes_pass(1000);
    is_cut[2] = true;
    client_lose(bob);
    enter(0, "eve");
    processes_pass(6000);
    expect(2, "ann 1 bob 1 ");
    is_cut[2] = false;
    process_start(&processes[2], 1); /* not all that it has missed */
    processes_pass(3000);
    expect_all("ann 1 eve 1 ");
    end();
}
END_TEST

/* An order that is carried out while memory is short is tried again, and then all is known. */
START_TEST(each_allocation_may_fail)
{
    bool failed = true;

    for (long n = 0; failed; n++) {
        begin();
        enter(0, "ann");
        processes_pass(1000);
        enter(1, "bob");
        host_run(&processes[1].host);
        processes[1].host.now_ms += 200;
        host_run(&processes[1].host);
        test_memory_fail(&processes[0].host.memory, n, false);
        processes_pass(200);
        failed = processes[0].host.memory.failed;
        test_memory_fail(&processes[0].host.memory, NEVER_FAIL, false);
        processes_pass(1000);
        if (clients[0].n_closes == 0)
            expect(0, "ann 1 bob 1 ");
        end();
    }
}
END_TEST

static void deliver(const char *text)
{
    struct process *process = &processes[0];
    const ws_cluster_event event = {.size = sizeof event,
                                    .scope = WS_SCOPE_PROCESSES,
                                    .text = text,
                                    .length = strlen(text)};

    ck_assert_int_eq(stream_carrier.publish(&event, NULL, process), WS_OK);
    processes_pass(100);
}

#define ORDER(name)                                                                            \
    "{\"order\":\"presence" name "\",\"process\":\"ccccbbbb22\",\"generation\":1"

/* What no process of ours would send changes nothing. */
START_TEST(strange_orders_are_skipped)
{
    begin();
    enter(0, "ann");
    processes_pass(500);
    deliver(ORDER("") "}");
    deliver(ORDER("") ",\"members\":7}");
    deliver(ORDER("") ",\"members\":[7,{\"room\":\"r\"}]}");
    deliver(ORDER("") ",\"members\":[{\"room\":7,\"user\":\"bob\",\"n\":1}]}");
    deliver(ORDER("") ",\"members\":[{\"room\":\"r\",\"user\":\"\",\"n\":1}]}");
    deliver(ORDER("") ",\"members\":[{\"room\":\"r\",\"user\":\"bob\",\"n\":-1}]}");
    deliver(ORDER("") ",\"members\":[{\"room\":\"r\",\"user\":\"bob\",\"n\":99999999999}]}");
    deliver("{\"order\":\"presence\",\"process\":\"x\",\"members\":[]}");
    deliver("{\"order\":\"presence_end\"}");
    deliver(ORDER("_wanted") ",\"rooms\":7}");
    deliver(ORDER("_wanted") ",\"rooms\":[7]}");
    deliver(ORDER("_dance") "}");
    expect_all("ann 1 ");
    deliver(ORDER("") ",\"members\":[{\"room\":\"r\",\"user\":\"bob\",\"n\":3}]}");
    expect_all("ann 1 bob 3 ");
    end();
}
END_TEST

/* What another process has of a room in which nobody is here goes with its last user, and so
 * does the room. */
START_TEST(a_room_of_others_goes_with_its_last_user)
{
    static const char *const rooms[] = {"x", ""};
    char order[256];

    begin();
    processes_pass(500);
    for (size_t i = 0; i < 4; i++) {
        for (int n = 1; n >= 0; n--) {
            snprintf(order, sizeof order,
                     ORDER("") ",\"members\":[{\"room\":\"%s\",\"user\":\"bob\",\"n\":%d}]}",
                     rooms[i % 2], n);
            deliver(order);
        }
    }
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        each_process_knows_the_users_of_all,
        presence_may_begin_anywhere,
        the_users_of_a_dead_process_leave,
        a_client_watches_the_users_of_all_processes,
        an_older_state_does_not_replace_a_newer_one,
        a_removed_state_does_not_come_back,
        states_that_are_set_at_once_are_the_same_everywhere,
        a_state_goes_with_its_user_on_all_processes,
        a_user_who_has_left_takes_no_state_from_another_process,
        states_outlive_the_stream,
        a_state_that_was_not_sent_is_sent_later,
        a_state_is_not_too_deep_for_others,
        orders_are_of_clients_and_few_at_once,
        a_second_request_includes_other_processes,
        without_the_stream_the_list_stays,
        who_comes_and_goes_without_the_stream_leaves_nothing,
        who_comes_and_goes_between_two_commands_is_not_sent,
        no_process_is_declared_dead_when_the_stream_comes_back,
        a_slow_process_lives,
        a_gap_is_closed,
        each_allocation_may_fail,
        strange_orders_are_skipped,
        a_room_of_others_goes_with_its_last_user,
        NULL,
    };

    return suite_run("presence_cluster", tests);
}
