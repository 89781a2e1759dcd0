/* presence_many_test.c: very many users of other processes, and too many processes. Not here: a
 * few of each (presence_cluster_test.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/manager.h"
#include "support/processes.h"
#include "support/suite.h"

static struct client clients[N_PROCESSES];
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

static void enter(size_t process, const char *user)
{
    struct client *client = &clients[n_clients++];

    client_open(&processes[process].host, client, user, user);
    client_say(client, "{\"type\":\"join_room\",\"room\":\"r\",\"presence\":true}");
    host_run(&processes[process].host);
}

/* How many users all processes know. */
static void expect_count(int count)
{
    char expected[32];
    char *text;

    snprintf(expected, sizeof expected, "{\"count\":%d,", count);
    for (size_t i = 0; i < N_PROCESSES; i++) {
        ck_assert_int_eq(ws_manager_get_presence(processes[i].host.manager, "r", &text, NULL),
                         WS_OK);
        ck_assert_msg(strncmp(text, expected, strlen(expected)) == 0, "process %zu: %.60s", i,
                      text);
        ws_manager_free_text(processes[i].host.manager, text);
    }
}

static void deliver(const char *text)
{
    const ws_cluster_event event = {.size = sizeof event,
                                    .scope = WS_SCOPE_PROCESSES,
                                    .text = text,
                                    .length = strlen(text)};

    ck_assert_int_eq(stream_carrier.publish(&event, NULL, &processes[0]), WS_OK);
    processes_pass(100);
}

#define COMMAND(name)                                                                          \
    "{\"order\":\"presence" name "\",\"process\":\"ccccbbbb22\",\"generation\":1"

enum { N_USERS = 400 };

/* A command of a process with `n` users "u0" and so on. */
static void deliver_users(size_t n, size_t first)
{
    static char command[32768];
    size_t length = (size_t)snprintf(command, sizeof command, COMMAND("") ",\"members\":[");

    for (size_t i = 0; i < n; i++)
        length += (size_t)snprintf(command + length, sizeof command - length,
                                   "%s{\"room\":\"r\",\"user\":\"u%zu\",\"n\":1,\"state\":1}",
                                   i > 0 ? "," : "", first + i);
    snprintf(command + length, sizeof command - length, "]}");
    deliver(command);
}

/* The table of members shrinks while they are removed. Each manager hashes in another way. */
START_TEST(all_users_of_a_process_go_with_it)
{
    for (int n = 0; n < 60; n++) {
        begin();
        enter(0, "ann");
        processes_pass(200);
        deliver_users(N_USERS, 0);
        deliver("{\"order\":\"presence_end\",\"process\":\"ccccbbbb22\",\"generation\":2}");
        processes_pass(200);
        expect_count(1);
        end();
    }
}
END_TEST

static bool has_states(void)
{
    bool found;
    char *text;

    ck_assert_int_eq(ws_manager_get_presence(processes[0].host.manager, "r", &text, NULL),
                     WS_OK);
    ck_assert_ptr_nonnull(strstr(text, "\"user_id\":\"u399\""));
    found = strstr(text, "\"state\":1") != NULL;
    ws_manager_free_text(processes[0].host.manager, text);
    return found;
}

/* What others have set is not known after a gap, of any member, however many there are. */
START_TEST(the_states_of_many_are_doubted_after_a_gap)
{
    enum { ROUNDS = 20 };

    begin();
    processes[0].host.manager->options.max_presence_list = 2 * ROUNDS * N_USERS;
    enter(0, "ann");
    processes_pass(200);
    for (size_t n = 0; n < ROUNDS; n++)
        deliver_users(N_USERS, n * N_USERS);
    processes_pass(500);
    ck_assert(has_states());
    strcpy(stream.epoch, "bbbbbbbb22");
    process_start(&processes[0], 0);
    ck_assert(!has_states());
    processes_pass(500);
    process_start(&processes[1], 0);
    process_start(&processes[2], 0);
    deliver("{\"order\":\"presence_end\",\"process\":\"ccccbbbb22\",\"generation\":2}");
    processes_pass(2000);
    expect_count(1);
    end();
}
END_TEST

static void deliver_of(size_t number, const char *rest)
{
    char text[256];

    snprintf(text, sizeof text, "{\"order\":\"presence\",\"process\":\"cccc%c%cbb22\"%s}",
             (char)('a' + number / 26), (char)('a' + number % 26), rest);
    deliver(text);
}

static bool has_skipped(size_t n)
{
    char expected[40];
    bool found;
    char *text;

    snprintf(expected, sizeof expected, "\"presence_skipped\":%zu,", n);
    ck_assert_int_eq(ws_manager_get_stats(processes[0].host.manager, &text, NULL), WS_OK);
    found = strstr(text, expected) != NULL;
    ws_manager_free_text(processes[0].host.manager, text);
    return found;
}

static unsigned n_logged;

static void on_log(int level, const char *line, void *user_data)
{
    (void)level;
    (void)user_data;
    n_logged += strstr(line, "from a process beyond the limit for presence and was ") != NULL;
}

/* A process too many is counted and logged, and known when another one has died. */
START_TEST(processes_have_a_limit)
{
    static const char bob[] = ",\"members\":[{\"room\":\"r\",\"user\":\"bob\",\"n\":1}]";
    enum { MOST = 64 - (N_PROCESSES - 1) };

    begin();
    for (size_t i = 0; i < N_PROCESSES; i++)
        enter(i, "ann");
    processes_pass(500);
    n_logged = 0;
    processes[0].host.manager->options.log = on_log;
    for (size_t i = 0; i < MOST; i++)
        deliver_of(i, ",\"members\":[]");
    ck_assert(has_skipped(0));
    deliver_of(MOST, bob);
    ck_assert(has_skipped(1));
    ck_assert_uint_eq(n_logged, 1);
    expect_count(1);
    processes_pass(15000);
    deliver_of(MOST, bob);
    ck_assert(has_skipped(1));
    expect_count(2);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        all_users_of_a_process_go_with_it,
        the_states_of_many_are_doubted_after_a_gap,
        processes_have_a_limit,
        NULL,
    };

    return suite_run("presence_many", tests);
}
