/* presence_events_cluster_test.c: user_connected and user_disconnected of several processes: of a
 * user's first connection and the end of its last one, wherever they are, once for each process's
 * clients. Not here: one process (presence_test.c), and many changes at random
 * (presence_events_random_test.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/manager.h"
#include "core/presence/state.h"
#include "support/processes.h"
#include "support/suite.h"

static struct client observers[N_PROCESSES];
static struct client clients[8];
static size_t n_clients;
static ws_manager_options changed; /* size 0: only presence_events is on */

static void change_options(ws_manager_options *options)
{
    options->presence_events = WS_PRESENCE_EVERYONE;
    if (changed.size == 0)
        return;
    options->presence_events = changed.presence_events;
    options->presence_room = changed.presence_room;
    options->presence_grace_ms = changed.presence_grace_ms;
    options->max_presence_members = changed.max_presence_members;
    options->max_presence_deliveries = changed.max_presence_deliveries;
    options->presence_batch_ms = changed.presence_batch_ms;
}

static void change_nothing(void)
{
    processes_options = change_options;
    changed.size = 0;
}

static ws_manager_options *change(void)
{
    processes_options = change_options;
    ws_manager_options_init(&changed);
    changed.presence_grace_ms = 1000;
    return &changed;
}

static void observe(size_t process)
{
    char user[8];

    snprintf(user, sizeof user, "ob%zu", process);
    client_free(&observers[process]);
    client_open(&processes[process].host, &observers[process], user, user);
}

/* Every process has a client that observes. */
static void begin(void)
{
    n_clients = 0;
    processes_open();
    for (size_t i = 0; i < N_PROCESSES; i++)
        observe(i);
    processes_pass(4000); /* no process has told another one of users */
}

static void end(void)
{
    processes_close();
    for (size_t i = 0; i < n_clients; i++)
        client_free(&clients[i]);
    for (size_t i = 0; i < N_PROCESSES; i++)
        client_free(&observers[i]);
    processes_options = NULL;
}

static struct client *come(size_t process, const char *user)
{
    struct client *client = &clients[n_clients++];

    client_open(&processes[process].host, client, user, user);
    return client;
}

static void kill_process(size_t i)
{
    process_close(&processes[i]);
    processes[i].host.manager = NULL;
}

/* What a client has heard of ann and bob since it was asked: "+ann -ann ". */
static const char *heard(struct client *client)
{
    static char all[512];
    const char *text;

    all[0] = '\0';
    while ((text = client_next(client)) != NULL) {
        const char *user = strstr(text, "\"user_id\":\"");
        bool came = strncmp(text, "{\"type\":\"user_connected\"", 24) == 0;

        if (!came && strncmp(text, "{\"type\":\"user_disconnected\"", 27) != 0)
            continue;
        ck_assert_ptr_nonnull(user);
        if (strncmp(user + 11, "ob", 2) != 0)
            snprintf(all + strlen(all), sizeof all - strlen(all), "%c%.3s ", came ? '+' : '-',
                     user + 11);
    }
    return all;
}

static void expect_all(const char *expected)
{
    for (size_t i = 0; i < N_PROCESSES; i++)
        if (processes[i].host.manager != NULL)
            ck_assert_str_eq(heard(&observers[i]), expected);
}

START_TEST(the_first_and_the_last_connection_of_all_processes)
{
    struct client *one, *two;

    change_nothing();
    begin();
    expect_all("");
    one = come(0, "ann");
    processes_pass(500);
    expect_all("+ann ");
    two = come(1, "ann");
    processes_pass(500);
    client_lose(one);
    processes_pass(3000);
    expect_all("");
    client_lose(two);
    processes_pass(500);
    expect_all(""); /* the grace time runs */
    processes_pass(1500);
    expect_all("-ann ");
    end();
}
END_TEST

/* A client moves to another process within the grace time, or reconnects. */
START_TEST(who_moves_has_not_left)
{
    struct client *ann;

    change_nothing();
    begin();
    ann = come(0, "ann");
    processes_pass(500);
    expect_all("+ann ");
    for (size_t i = 1; i < 5; i++) {
        client_lose(ann);
        processes_pass(700);
        ann = come(i % 2, "ann");
        processes_pass(2000);
        expect_all("");
    }
    end();
}
END_TEST

/* The name of a client's connection, from its welcome. */
static const char *name_of(const struct client *client)
{
    static char name[64];
    const char *found = strstr(client->messages[0], "\"connection_id\":\"");

    ck_assert_ptr_nonnull(found);
    ck_assert_int_eq(sscanf(found + 17, "%63[^\"]", name), 1);
    return name;
}

static void expect_about(struct client *observer, const char *type, const char *name)
{
    char expected[160];

    snprintf(expected, sizeof expected,
             "{\"type\":\"%s\",\"data\":{\"connection_id\":\"%s\",\"user_id\":\"ann\"},", type,
             name);
    for (const char *text; (text = client_next(observer)) != NULL;)
        if (strncmp(text, expected, strlen(expected)) == 0)
            return;
    ck_abort_msg("%s did not receive %s", observer->name, expected);
}

START_TEST(events_name_the_first_connection_and_the_last_one)
{
    struct client *one, *two;

    change_nothing();
    begin();
    one = come(0, "ann");
    processes_pass(500);
    for (size_t i = 0; i < N_PROCESSES; i++)
        expect_about(&observers[i], "user_connected", name_of(one));
    ck_assert_ptr_null(strstr(one->messages[one->n_messages - 1], "user_connected"));
    two = come(1, "ann");
    processes_pass(500);
    client_lose(one);
    processes_pass(2000);
    client_lose(two);
    processes_pass(2000);
    for (size_t i = 0; i < N_PROCESSES; i++)
        expect_about(&observers[i], "user_disconnected", name_of(two));
    end();
}
END_TEST

/* --- processes that end and begin ------------------------------------------------------------ */

START_TEST(the_users_of_a_dead_process_leave_after_its_lease)
{
    char name[64];

    change_nothing();
    begin();
    come(1, "ann");
    come(1, "bob");
    come(2, "bob");
    processes_pass(500);
    snprintf(name, sizeof name, "%s", name_of(&clients[0]));
    expect_all("+ann +bob ");
    kill_process(1);
    processes_pass(4000);
    expect_all("");
    processes_pass(8000);
    expect_about(&observers[0], "user_disconnected", name);
    expect_about(&observers[2], "user_disconnected", name);
    expect_all("");
    end();
}
END_TEST

START_TEST(who_comes_back_to_another_process_in_time_has_not_left)
{
    change_nothing();
    begin();
    come(1, "ann");
    come(1, "bob");
    processes_pass(500);
    expect_all("+ann +bob ");
    kill_process(1);
    processes_pass(1000);
    come(0, "ann");
    processes_open_one(1); /* the next one in its place */
    observe(1);
    processes_pass(200);
    come(1, "bob");
    processes_pass(20000);
    ck_assert_str_eq(heard(&observers[0]), "");
    ck_assert_str_eq(heard(&observers[2]), "");
    end();
}
END_TEST

/* It was asked for by nobody, so it is not told that it came, but that it goes. */
START_TEST(a_process_that_begins_announces_nobody_who_was_there)
{
    struct client *tab;

    change_nothing();
    begin();
    kill_process(2);
    come(0, "ann");
    processes_pass(500);
    expect_all("+ann ");
    processes_open_one(2);
    observe(2);
    tab = come(2, "ann"); /* before the process knows that the user is elsewhere */
    processes_pass(3000);
    expect_all("");
    come(1, "bob"); /* comes while the process is still new */
    processes_pass(500);
    expect_all("+bob ");
    client_lose(tab);
    client_lose(&clients[0]);
    processes_pass(3000);
    expect_all("-ann ");
    end();
}
END_TEST

/* The others do not answer for a while, and users come before they do. */
START_TEST(a_process_that_begins_waits_for_slow_processes)
{
    change_nothing();
    begin();
    kill_process(2);
    come(0, "ann");
    processes_pass(500);
    expect_all("+ann ");
    is_cut[0] = true;
    is_cut[1] = true;
    processes_open_one(2);
    observe(2);
    come(2, "ann");
    processes_pass(1500);
    is_cut[0] = false;
    is_cut[1] = false;
    processes_pass(4000);
    expect_all("");
    end();
}
END_TEST

/* Processes that begin at the same time each have users that the others cannot know. */
START_TEST(processes_that_begin_together_announce_each_others_users)
{
    change_nothing();
    n_clients = 0;
    processes_open();
    for (size_t i = 0; i < N_PROCESSES; i++)
        observe(i);
    come(0, "ann");
    come(1, "bob");
    processes_pass(4000);
    for (size_t i = 0; i < N_PROCESSES; i++) {
        const char *all = heard(&observers[i]);

        ck_assert_msg(strcmp(all, "+ann +bob ") == 0 || strcmp(all, "+bob +ann ") == 0, "%s",
                      all);
    }
    end();
}
END_TEST

/* --- the stream ------------------------------------------------------------------------------ */

/* Both processes change a user at once: all hear what the stream says, in its order. */
START_TEST(all_hear_the_same)
{
    struct client *ann;
    const char *first;

    change_nothing();
    begin();
    ann = come(0, "ann");
    processes_pass(500);
    expect_all("+ann ");
    client_lose(ann);
    processes_pass(950); /* its grace time is nearly over */
    ann = come(1, "ann");
    processes_pass(3000);
    first = heard(&observers[0]);
    ck_assert_msg(strcmp(first, "") == 0 || strcmp(first, "-ann +ann ") == 0, "%s", first);
    ck_assert_str_eq(heard(&observers[1]), first);
    end();
}
END_TEST

START_TEST(without_the_stream_nobody_is_announced)
{
    struct client *ann, *eve;

    change_nothing();
    begin();
    ann = come(0, "ann");
    processes_pass(500);
    expect_all("+ann ");
    is_away = true;
    client_lose(ann);
    come(1, "bob");
    eve = come(1, "eve");
    processes_pass(500);
    client_lose(eve);
    processes_pass(30000);
    expect_all("");
    processes_come_back();
    processes_pass(3000);
    for (size_t i = 0; i < N_PROCESSES; i++) {
        const char *all = heard(&observers[i]);

        ck_assert_ptr_nonnull(strstr(all, "-ann "));
        ck_assert_ptr_nonnull(strstr(all, "+bob "));
    }
    expect_all("");
    end();
}
END_TEST

/* A process that misses a part of the stream announces what has changed when it knows it. */
START_TEST(what_was_missed_is_announced_later)
{
    struct client *ann;
    const char *all;

    change_nothing();
    begin();
    ann = come(0, "ann");
    processes_pass(12000); /* no process is new any more */
    expect_all("+ann ");
    is_cut[2] = true;
    client_lose(ann);
    come(1, "bob");
    processes_pass(3000);
    ck_assert_str_eq(heard(&observers[2]), "");
    is_cut[2] = false;
    process_start(&processes[2], 1);
    processes_pass(3000);
    ck_assert_str_eq(heard(&observers[0]), "+bob -ann ");
    ck_assert_str_eq(heard(&observers[1]), "+bob -ann ");
    all = heard(&observers[2]);
    ck_assert_msg(strcmp(all, "+bob -ann ") == 0 || strcmp(all, "-ann +bob ") == 0, "%s", all);
    end();
}
END_TEST

/* The commands of a process that the stream lost with its history are made up for. */
START_TEST(another_stream_changes_nothing)
{
    struct client *ann, *bob;

    change_nothing();
    begin();
    ann = come(0, "ann");
    bob = come(1, "bob");
    processes_pass(12000);
    expect_all("+ann +bob ");
    client_lose(bob);
    processes_pass(1000); /* what it sends at its end is lost */
    stream_reset();
    strcpy(stream.epoch, "bbbbbbbb22");
    for (size_t i = 0; i < N_PROCESSES; i++)
        process_start(&processes[i], 0);
    processes_pass(5000);
    expect_all("-bob ");
    client_lose(ann);
    processes_pass(3000);
    expect_all("-ann ");
    end();
}
END_TEST

/* --- options and limits ---------------------------------------------------------------------- */

START_TEST(who_wants_no_events_pays_nothing)
{
    processes_options = NULL;
    begin();
    come(0, "ann");
    processes_pass(12000);
    expect_all("");
    ck_assert_uint_eq(stream.count, 0);
    end();
}
END_TEST

START_TEST(a_rooms_members_are_notified)
{
    ws_manager_options *options = change();

    options->presence_events = WS_PRESENCE_ROOM;
    options->presence_room = "staff";
    options->presence_grace_ms = 0;
    begin();
    client_say(&observers[1], "{\"type\":\"join_room\",\"room\":\"staff\"}");
    host_run(&processes[1].host);
    client_lose(come(0, "ann"));
    come(0, "bob");
    processes_pass(1000);
    ck_assert_str_eq(heard(&observers[0]), "");
    ck_assert_ptr_nonnull(strstr(heard(&observers[1]), "+bob "));
    client_lose(&clients[1]);
    processes_pass(1000);
    ck_assert_str_eq(heard(&observers[1]), "-bob ");
    end();
}
END_TEST

/* There is no place for the user, who is announced to the clients of the own process, at once. */
START_TEST(who_exceeds_the_limit_is_announced_by_its_process)
{
    struct client *ann, *tab;
    char *text;

    change()->max_presence_members = N_PROCESSES;
    begin();
    ann = come(0, "ann");
    ck_assert_str_eq(heard(&observers[0]), "+ann ");
    ck_assert_int_eq(ws_manager_get_presence(processes[0].host.manager, NULL, &text, NULL),
                     WS_ERR_LIMIT);
    /* There is a place again, but the user was not counted from the first connection on. */
    client_lose(&observers[2]);
    processes_pass(3000);
    tab = come(0, "ann");
    processes_pass(1000);
    expect_all("");
    client_lose(ann);
    client_lose(tab);
    host_run(&processes[0].host);
    ck_assert_str_eq(heard(&observers[0]), "-ann ");
    processes_pass(3000);
    expect_all("");
    /* The next first connection is counted. */
    come(0, "ann");
    processes_pass(500);
    ck_assert_str_eq(heard(&observers[1]), "+ann ");
    end();
}
END_TEST

static uint64_t presence_drops(size_t process)
{
    char *text;
    uint64_t drops = 0;
    const char *found;

    ck_assert_int_eq(ws_manager_get_stats(processes[process].host.manager, &text, NULL), WS_OK);
    found = strstr(text, "\"presence\":");
    if (found != NULL)
        drops = strtoull(found + 11, NULL, 10);
    ws_manager_free_text(processes[process].host.manager, text);
    return drops;
}

START_TEST(many_are_not_all_announced)
{
    change()->max_presence_deliveries = 2;
    begin();
    processes_pass(1000);
    for (int i = 0; i < 8; i++)
        come(0, (const char *[]){"a00", "a01", "a02", "a03", "a04", "a05", "a06", "a07"}[i]);
    processes_pass(1000);
    for (size_t i = 0; i < N_PROCESSES; i++)
        ck_assert_uint_lt(strlen(heard(&observers[i])), strlen("+a00 ") * 5);
    ck_assert_uint_gt(presence_drops(1), 0);
    end();
}
END_TEST

/* The limit is for a second, and beats are as long: it is not used up by the first event. */
START_TEST(long_beats_use_the_whole_limit)
{
    change()->max_presence_deliveries = 20;
    changed.presence_batch_ms = 1000;
    begin();
    processes_pass(5000);
    for (int i = 0; i < 6; i++)
        come(0, (const char *[]){"a00", "a01", "a02", "a03", "a04", "a05"}[i]);
    processes_pass(3000);
    ck_assert_uint_eq(strlen(heard(&observers[1])), strlen("+a00 ") * 6);
    ck_assert_uint_eq(presence_drops(1), 0);
    end();
}
END_TEST

/* All clients leave by themselves while a drain is spread: the other processes are notified. */
START_TEST(a_drain_that_finds_nobody_left_ends)
{
    ws_drain_options options;
    struct client *ann;

    change_nothing();
    begin();
    ann = come(0, "ann");
    processes_pass(500);
    ws_drain_options_init(&options);
    options.spread_ms = 10000;
    ck_assert_int_eq(ws_manager_drain(processes[0].host.manager, &options), WS_OK);
    processes_pass(500);
    client_lose(ann);
    client_lose(&observers[0]);
    processes_pass(4000);
    ck_assert(!processes[0].host.manager->presence->has_said_leaving);
    processes_pass(2000);
    ck_assert(processes[0].host.manager->presence->has_said_leaving);
    end();
}
END_TEST

/* Somebody asks for the list later. What is followed leads on to it. */
START_TEST(the_list_may_be_asked_for_later)
{
    struct client *ann;
    char *text;

    change_nothing();
    begin();
    ann = come(0, "ann");
    come(1, "ann");
    processes_pass(500);
    for (size_t i = 0; i < N_PROCESSES; i++) {
        ck_assert_int_eq(ws_manager_get_presence(processes[i].host.manager, NULL, &text, NULL),
                         WS_OK);
        ck_assert_ptr_nonnull(strstr(text, "{\"count\":4,"));
        ck_assert_ptr_nonnull(strstr(text, "{\"user_id\":\"ann\",\"connections\":2,"));
        ws_manager_free_text(processes[i].host.manager, text);
    }
    expect_all("+ann ");
    client_lose(ann);
    client_lose(&clients[1]);
    processes_pass(3000);
    expect_all("-ann ");
    end();
}
END_TEST

/* Without its carrier a process announces its own users, as one without a cluster. */
START_TEST(without_its_carrier_a_process_goes_on_alone)
{
    struct client *ann;

    change_nothing();
    begin();
    ann = come(0, "ann");
    processes_pass(500);
    expect_all("+ann ");
    for (size_t i = 0; i < N_PROCESSES; i++)
        ck_assert_int_eq(ws_manager_set_cluster(processes[i].host.manager, NULL, NULL), WS_OK);
    come(0, "bob");
    ck_assert_str_eq(heard(&observers[0]), "+bob ");
    client_lose(ann);
    client_lose(&clients[1]);
    processes_pass(3000);
    ck_assert_str_eq(heard(&observers[0]), "-ann -bob ");
    ck_assert_str_eq(heard(&observers[1]), "");
    end();
}
END_TEST

/* --- memory ---------------------------------------------------------------------------------- */

static unsigned count_of(const char *all, const char *one)
{
    unsigned n = 0;

    for (const char *at = all; (at = strstr(at, one)) != NULL; at++)
        n++;
    return n;
}

/* What was not announced for want of memory is not made up for, and nothing is announced twice. */
START_TEST(each_allocation_may_fail)
{
    bool failed = true;

    change_nothing();
    for (long n = 0; failed; n++) {
        struct client *ann = NULL;
        const char *all;

        begin();
        test_memory_fail(&processes[0].host.memory, n, false);
        if (client_try(&processes[0].host, &clients[n_clients++], "ann", "ann",
                       WS_PROTOCOL_JSON) == WS_OK)
            ann = &clients[0];
        come(1, "bob");
        processes_pass(500);
        failed = processes[0].host.memory.failed;
        test_memory_fail(&processes[0].host.memory, NEVER_FAIL, false);
        processes_pass(1000);
        all = heard(&observers[0]);
        ck_assert_uint_le(count_of(all, "+ann "), 1);
        ck_assert_uint_le(count_of(all, "+bob "), 1);
        ck_assert_ptr_null(strstr(all, "-bob "));
        ck_assert(strstr(all, "-ann ") == NULL || ann == NULL || ann->n_closes > 0);
        if (ann != NULL && ann->n_closes == 0) {
            test_memory_fail(&processes[0].host.memory, n, false);
            client_lose(ann);
            processes_pass(3000);
            test_memory_fail(&processes[0].host.memory, NEVER_FAIL, false);
            processes_pass(3000);
            all = heard(&observers[1]);
            ck_assert_ptr_nonnull(strstr(all, "+bob "));
            ck_assert(strstr(all, "+ann ") == NULL || strstr(all, "-ann ") != NULL);
        }
        end();
        change_nothing();
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_first_and_the_last_connection_of_all_processes,
        who_moves_has_not_left,
        events_name_the_first_connection_and_the_last_one,
        the_users_of_a_dead_process_leave_after_its_lease,
        who_comes_back_to_another_process_in_time_has_not_left,
        a_process_that_begins_announces_nobody_who_was_there,
        a_process_that_begins_waits_for_slow_processes,
        processes_that_begin_together_announce_each_others_users,
        all_hear_the_same,
        without_the_stream_nobody_is_announced,
        what_was_missed_is_announced_later,
        another_stream_changes_nothing,
        who_wants_no_events_pays_nothing,
        a_rooms_members_are_notified,
        who_exceeds_the_limit_is_announced_by_its_process,
        many_are_not_all_announced,
        long_beats_use_the_whole_limit,
        a_drain_that_finds_nobody_left_ends,
        the_list_may_be_asked_for_later,
        without_its_carrier_a_process_goes_on_alone,
        each_allocation_may_fail,
        NULL,
    };

    return suite_run("presence_events_cluster", tests);
}
