/* presence_cluster_test.c: presence of several processes, through a stream in memory: each knows the
 * users of all, also after a gap and when one dies. Not here: one process (presence_list_test.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/stream.h"
#include "support/suite.h"

enum { N_PROCESSES = 3 };

static struct process processes[N_PROCESSES];
static bool is_cut[N_PROCESSES]; /* reads nothing from the stream */
static bool is_away;             /* the stream: what is sent waits */
static struct waiting_order {
    struct process *process;
    char *text;
} waiting[256];
static size_t n_waiting;
static struct client clients[8];
static size_t n_clients;

static int allow(ws_manager *manager, const ws_connection_info *connection, const char *room,
                 void *user_data)
{
    (void)manager;
    (void)connection;
    (void)room;
    (void)user_data;
    return WS_OK;
}

static int send(const ws_cluster_event *event, void *receipt, void *data)
{
    if (!is_away)
        return stream_carrier.publish(event, receipt, data);
    ck_assert_uint_lt(n_waiting, sizeof waiting / sizeof *waiting);
    waiting[n_waiting++] = (struct waiting_order){data, strndup(event->text, event->length)};
    return WS_OK;
}

/* What each process has sent is stored one after the other: nothing of others is in between. */
static void come_back(void)
{
    is_away = false;
    for (size_t i = 0; i < N_PROCESSES; i++) {
        for (size_t n = 0; n < n_waiting; n++) {
            const ws_cluster_event event = {.size = sizeof event,
                                            .scope = WS_SCOPE_PROCESSES,
                                            .text = waiting[n].text,
                                            .length = strlen(waiting[n].text)};

            if (waiting[n].process == &processes[i])
                ck_assert_int_eq(stream_carrier.publish(&event, NULL, &processes[i]), WS_OK);
        }
    }
    while (n_waiting > 0)
        free(waiting[--n_waiting].text);
}

static void open_process(size_t i)
{
    struct process *process = &processes[i];
    struct host *host = &process->host;
    ws_cluster carrier = stream_carrier;

    carrier.publish = send;
    host_init(host);
    host_without_callbacks(host);
    host->options.authorize_presence = allow;
    host->options.presence_grace_ms = 1000;
    ck_assert_int_eq(ws_manager_new(&host->options, &host->manager), WS_OK);
    ck_assert_int_eq(ws_manager_set_cluster(host->manager, &carrier, process), WS_OK);
    ck_assert_int_eq(ws_loop_new(host->manager, NULL, 0, &host->loop), WS_OK);
    process->n_read = 0;
    process_start(process, 0);
    is_cut[i] = false;
}

static void begin(void)
{
    stream_reset();
    n_clients = 0;
    for (size_t i = 0; i < N_PROCESSES; i++)
        open_process(i);
}

static void end(void)
{
    for (size_t i = 0; i < N_PROCESSES; i++)
        if (processes[i].host.manager != NULL)
            process_close(&processes[i]);
    for (size_t i = 0; i < n_clients; i++)
        client_free(&clients[i]);
}

/* An order for which memory was short is delivered again later. */
static void read_all(struct process *process)
{
    int result = WS_OK;

    while (result == WS_OK && process->n_read < stream.count) {
        ws_cluster_event event = stream_event(process->n_read + 1);

        result = ws_manager_cluster_deliver(process->host.manager, &event);
        ck_assert(result == WS_OK || result == WS_ERR_NO_MEMORY);
        process->n_read += result == WS_OK;
    }
}

static void pass(uint64_t ms)
{
    for (uint64_t passed = 0; passed < ms; passed += 50) {
        for (size_t i = 0; i < N_PROCESSES; i++) {
            struct process *process = &processes[i];

            if (process->host.manager == NULL)
                continue;
            process->host.now_ms += 50;
            if (!is_cut[i])
                read_all(process);
            host_run(&process->host);
        }
    }
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
    pass(1000);
    expect_all("ann 2 bob 1 ");
    ck_assert_ptr_nonnull(strstr(ann->messages[ann->n_messages - 1], "\"count\":2"));
    client_say(tab, "{\"type\":\"set_state\",\"room\":\"r\",\"data\":\"away\"}");
    pass(1000);
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
    pass(500);
    enter(1, "ann");
    pass(3000);
    expect_all("ann 2 bob 1 ");
    end();
}
END_TEST

/* Users that were there before somebody asked are known too, and a process that begins late learns of
 * them. */
START_TEST(presence_may_begin_anywhere)
{
    struct client *ann = &clients[n_clients = 0];

    begin();
    n_clients = 1;
    client_open(&processes[0].host, ann, "ann", "ann");
    client_say(ann, "{\"type\":\"join_room\",\"room\":\"r\"}");
    pass(500);
    ck_assert_uint_eq(stream.count, 0); /* rooms without presence cost nothing */
    enter(1, "bob");
    pass(1000);
    expect(0, "ann 1 bob 1 ");
    expect(1, "ann 1 bob 1 ");
    process_close(&processes[2]);
    open_process(2);
    enter(2, "eve");
    pass(7000);
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
    pass(1000);
    expect_all("ann 2 bob 1 ");
    process_close(&processes[1]);
    processes[1].host.manager = NULL;
    pass(4000);
    expect_all("ann 2 bob 1 ");
    pass(20000);
    expect_all("ann 2 ");
    end();
}
END_TEST

/* As long as the stream stands still nobody dies, and what happened meanwhile is told afterwards. */
START_TEST(without_the_stream_the_list_stays)
{
    struct client *bob;

    begin();
    enter(0, "ann");
    bob = enter(1, "bob");
    pass(1000);
    stream.publish_result = WS_ERR_BACKPRESSURE;
    client_lose(bob);
    enter(2, "eve");
    pass(60000);
    expect(0, "ann 1 bob 1 ");
    stream.publish_result = WS_OK;
    pass(2000);
    expect_all("ann 1 eve 1 ");
    end();
}
END_TEST

/* The carrier keeps what is sent while the stream is away: each process then reads its own signs of
 * life in a row. */
START_TEST(nobody_dies_when_the_stream_comes_back)
{
    begin();
    enter(0, "ann");
    enter(1, "bob");
    enter(2, "eve");
    pass(7000);
    is_away = true;
    pass(60000);
    come_back();
    for (size_t i = 0; i < N_PROCESSES; i++) {
        while (processes[i].n_read < stream.count) {
            ws_cluster_event event = stream_event(processes[i].n_read + 1);

            ck_assert_int_eq(ws_manager_cluster_deliver(processes[i].host.manager, &event),
                             WS_OK);
            processes[i].n_read++;
            expect(i, "ann 1 bob 1 eve 1 ");
        }
    }
    pass(30000);
    expect_all("ann 1 bob 1 eve 1 ");
    process_close(&processes[1]);
    pass(25000);
    expect(0, "ann 1 eve 1 ");
    expect(2, "ann 1 eve 1 ");
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
    pass(1000);
    is_cut[2] = true;
    client_lose(bob);
    enter(0, "eve");
    pass(6000);
    expect(2, "ann 1 bob 1 ");
    is_cut[2] = false;
    process_start(&processes[2], 1); /* not all that it has missed */
    pass(3000);
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
        pass(1000);
        enter(1, "bob");
        host_run(&processes[1].host);
        processes[1].host.now_ms += 200;
        host_run(&processes[1].host);
        test_memory_fail(&processes[0].host.memory, n, false);
        pass(200);
        failed = processes[0].host.memory.failed;
        test_memory_fail(&processes[0].host.memory, NEVER_FAIL, false);
        pass(1000);
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
    pass(100);
}

#define ORDER(name)                                                                            \
    "{\"order\":\"presence" name "\",\"process\":\"ccccbbbb22\",\"generation\":1"

/* What no process of ours would send changes nothing. */
START_TEST(strange_orders_are_skipped)
{
    begin();
    enter(0, "ann");
    pass(500);
    deliver(ORDER("") "}");
    deliver(ORDER("") ",\"members\":7}");
    deliver(ORDER("") ",\"members\":[7,{\"room\":\"r\"}]}");
    deliver(ORDER("") ",\"members\":[{\"room\":7,\"user\":\"bob\",\"n\":1}]}");
    deliver(ORDER("") ",\"members\":[{\"room\":\"r\",\"user\":\"\",\"n\":1}]}");
    deliver(ORDER("") ",\"members\":[{\"room\":\"r\",\"user\":\"bob\",\"n\":-1}]}");
    deliver(ORDER("") ",\"members\":[{\"room\":\"r\",\"user\":\"bob\",\"n\":99999999999}]}");
    deliver("{\"order\":\"presence\",\"process\":\"x\",\"members\":[]}");
    deliver("{\"order\":\"presence_end\"}");
    deliver(ORDER("_wanted") ",\"room\":7}");
    deliver(ORDER("_dance") "}");
    expect_all("ann 1 ");
    deliver(ORDER("") ",\"members\":[{\"room\":\"r\",\"user\":\"bob\",\"n\":3}]}");
    expect_all("ann 1 bob 3 ");
    end();
}
END_TEST

/* What another process has of a room in which nobody is here goes with its last user, and so does the
 * room. */
START_TEST(a_room_of_others_goes_with_its_last_user)
{
    static const char *const rooms[] = {"x", ""};
    char order[256];

    begin();
    pass(500);
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

/* An order of a process with `n` users "u0" and so on. */
static void deliver_users(size_t n)
{
    static char order[32768];
    size_t length = (size_t)snprintf(order, sizeof order, ORDER("") ",\"members\":[");

    for (size_t i = 0; i < n; i++)
        length += (size_t)snprintf(order + length, sizeof order - length,
                                   "%s{\"room\":\"r\",\"user\":\"u%zu\",\"n\":1}",
                                   i > 0 ? "," : "", i);
    snprintf(order + length, sizeof order - length, "]}");
    deliver(order);
}

/* The table of members shrinks while they are removed. Each manager hashes in another way. */
START_TEST(all_users_of_a_process_go_with_it)
{
    char *text;

    for (int n = 0; n < 60; n++) {
        begin();
        enter(0, "ann");
        pass(200);
        deliver_users(400);
        deliver("{\"order\":\"presence_end\",\"process\":\"ccccbbbb22\",\"generation\":2}");
        pass(200);
        for (size_t i = 0; i < N_PROCESSES; i++) {
            ck_assert_int_eq(
                ws_manager_get_presence(processes[i].host.manager, "r", &text, NULL), WS_OK);
            ck_assert_ptr_nonnull(strstr(text, "\"count\":1"));
            ws_manager_free_text(processes[i].host.manager, text);
        }
        end();
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        each_process_knows_the_users_of_all,
        presence_may_begin_anywhere,
        the_users_of_a_dead_process_leave,
        without_the_stream_the_list_stays,
        nobody_dies_when_the_stream_comes_back,
        a_gap_is_closed,
        each_allocation_may_fail,
        strange_orders_are_skipped,
        a_room_of_others_goes_with_its_last_user,
        all_users_of_a_process_go_with_it,
        NULL,
    };

    return suite_run("presence_cluster", tests);
}
