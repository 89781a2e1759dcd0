/* presence_moves_test.c: a user whose connection is lost at one process, and who comes back to
 * another one, is neither gone nor there twice. Not here: users who stay
 * (presence_cluster_test.c). */
#include <stdio.h>
#include <string.h>

#include "support/processes.h"
#include "support/suite.h"

static struct client clients[8];
static size_t n_clients;

static struct client *enter(size_t process, const char *user, bool is_watching)
{
    struct client *client = &clients[n_clients++];

    client_open(&processes[process].host, client, user, user);
    client_say(client, is_watching ? "{\"type\":\"join_room\",\"room\":\"r\",\"presence\":true}"
                                   : "{\"type\":\"join_room\",\"room\":\"r\"}");
    host_run(&processes[process].host);
    return client;
}

/* A watcher on each process, and bob. */
static struct client *begin(void)
{
    struct client *bob;

    n_clients = 0;
    processes_open();
    for (size_t i = 0; i < N_PROCESSES; i++)
        enter(i, "ann", true);
    bob = enter(1, "bob", false);
    processes_pass(1000);
    for (size_t i = 0; i < N_PROCESSES; i++)
        client_count(&clients[i]);
    return bob;
}

static void end(void)
{
    processes_close();
    for (size_t i = 0; i < n_clients; i++)
        client_free(&clients[i]);
}

/* The watchers that are left have heard nothing of bob. */
static void expect_silence(void)
{
    for (size_t i = 0; i < N_PROCESSES; i++) {
        const char *text;

        while (processes[i].host.manager != NULL && (text = client_next(&clients[i])) != NULL)
            ck_assert_msg(strstr(text, "\"bob\"") == NULL, "process %zu: %s", i, text);
    }
}

static void expect_bob_left(void)
{
    for (size_t i = 0; i < N_PROCESSES; i++) {
        const struct client *client = &clients[i];

        if (processes[i].host.manager != NULL)
            ck_assert_ptr_nonnull(strstr(client->messages[client->n_messages - 1],
                                         "\"left\":[{\"user_id\":\"bob\"}]"));
    }
}

START_TEST(a_move_within_the_grace_time_is_no_news)
{
    for (uint64_t ms = 300; ms <= 900; ms += 300) {
        client_lose(begin());
        processes_pass(ms);
        enter(0, "bob", false);
        processes_pass(10000);
        expect_silence();
        client_lose(&clients[n_clients - 1]);
        processes_pass(500);
        expect_silence();
        processes_pass(2000);
        expect_bob_left();
        end();
    }
}
END_TEST

START_TEST(who_does_not_come_back_leaves)
{
    client_lose(begin());
    processes_pass(800);
    expect_silence();
    processes_pass(1500);
    expect_bob_left();
    end();
}
END_TEST

/* A process that begins late, or asks after a gap, learns of those in their grace time, too. */
START_TEST(a_gap_ends_no_grace_time)
{
    client_lose(begin());
    processes_pass(300);
    process_start(&processes[0], 0);
    processes_pass(500);
    expect_silence();
    enter(2, "bob", false);
    processes_pass(10000);
    expect_silence();
    end();
}
END_TEST

static void drain(size_t process, uint32_t spread_ms)
{
    ws_drain_options options;

    ws_drain_options_init(&options);
    options.spread_ms = spread_ms;
    ck_assert_int_eq(ws_manager_drain(processes[process].host.manager, &options), WS_OK);
    host_run(&processes[process].host);
}

static void stop(size_t process)
{
    processes[process].host.now_ms += 60;
    host_run(&processes[process].host);
    process_close(&processes[process]);
    processes[process].host.manager = NULL;
}

/* The process sends nothing more after its last connection has ended. */
START_TEST(users_of_a_process_that_stops_come_back_elsewhere)
{
    for (uint32_t spread_ms = 0; spread_ms <= 50; spread_ms += 50) {
        begin();
        drain(1, spread_ms);
        stop(1);
        processes_pass(500);
        expect_silence();
        enter(2, "bob", false);
        processes_pass(20000);
        expect_silence();
        end();
    }
}
END_TEST

START_TEST(users_of_a_process_that_stops_may_leave)
{
    begin();
    drain(1, 0);
    stop(1);
    processes_pass(4000);
    expect_silence();
    processes_pass(20000);
    expect_bob_left();
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_move_within_the_grace_time_is_no_news,
        who_does_not_come_back_leaves,
        a_gap_ends_no_grace_time,
        users_of_a_process_that_stops_come_back_elsewhere,
        users_of_a_process_that_stops_may_leave,
        NULL,
    };

    return suite_run("presence_moves", tests);
}
