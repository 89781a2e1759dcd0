/* presence_wanted_test.c: a process on which nobody is in a room learns of those who come to it
 * elsewhere, as long as it needs them, and no longer. Not here: rooms with users of several
 * processes (presence_cluster_test.c). */
#include <stdio.h>
#include <string.h>

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

static struct client *open_client(size_t process, const char *user, const char *text)
{
    struct client *client = &clients[n_clients++];

    client_open(&processes[process].host, client, "c", user);
    client_say(client, text);
    host_run(&processes[process].host);
    return client;
}

static struct client *join(size_t process, const char *user)
{
    return open_client(process, user, "{\"type\":\"join_room\",\"room\":\"r\"}");
}

static void enable(size_t process)
{
    ck_assert_int_eq(ws_manager_enable_presence(processes[process].host.manager, "r"), WS_OK);
}

static void expect_count(size_t process, int count)
{
    char expected[32];
    char *text;

    snprintf(expected, sizeof expected, "{\"count\":%d,", count);
    ck_assert_int_eq(ws_manager_get_presence(processes[process].host.manager, "r", &text, NULL),
                     WS_OK);
    ck_assert_msg(strncmp(text, expected, strlen(expected)) == 0, "%s", text);
    ws_manager_free_text(processes[process].host.manager, text);
}

static size_t count_rooms(size_t process)
{
    const struct presence *presence = processes[process].host.manager->presence;

    return presence != NULL ? presence->rooms.count : 0;
}

/* How many commands of a name the stream has. */
static size_t count_commands(const char *name)
{
    char begins[64];
    size_t n = 0;

    snprintf(begins, sizeof begins, "{\"order\":\"%s\"", name);
    for (uint64_t i = 1; i <= stream.count; i++) {
        const ws_cluster_event event = stream_event(i);

        n += strncmp(event.text, begins, strlen(begins)) == 0;
    }
    return n;
}

START_TEST(who_comes_later_is_known)
{
    struct client *bob;

    begin();
    enable(0);
    processes_pass(1000);
    for (int i = 0; i < 2; i++) {
        bob = join(1, "bob");
        processes_pass(1000);
        expect_count(0, 1);
        client_say(bob, "{\"type\":\"leave_room\",\"room\":\"r\"}");
        processes_pass(1000);
        expect_count(0, 0);
        processes_pass(30000);
    }
    end();
}
END_TEST

START_TEST(clients_without_a_user_see_who_comes_elsewhere)
{
    const struct client *watcher;
    const struct client *observer;

    begin();
    watcher = open_client(0, NULL, "{\"type\":\"join_room\",\"room\":\"r\",\"presence\":true}");
    observer = open_client(0, NULL, "{\"type\":\"watch_presence\"}");
    processes_pass(30000);
    join(1, "bob");
    processes_pass(1000);
    ck_assert_ptr_nonnull(
        strstr(watcher->messages[watcher->n_messages - 1], "\"joined\":[{\"user_id\":\"bob\""));
    ck_assert_ptr_nonnull(strstr(observer->messages[observer->n_messages - 1],
                                 "\"joined\":[{\"user_id\":\"bob\""));
    end();
}
END_TEST

/* The process hears of the others by their signs of life. */
START_TEST(a_process_that_begins_late_learns_what_is_needed)
{
    begin();
    enable(0);
    processes_pass(1000);
    process_close(&processes[1]);
    processes_open_one(1);
    processes[1].n_read = stream.count;
    processes_pass(10000);
    join(1, "bob");
    processes_pass(1000);
    expect_count(0, 1);
    end();
}
END_TEST

static void lose_the_stream(void)
{
    stream_reset();
    strcpy(stream.epoch, "bbbbbbbb22");
    for (size_t i = 0; i < N_PROCESSES; i++)
        process_start(&processes[i], 0);
}

/* The process that needs the room has nobody in it, and has heard of no other process. */
START_TEST(what_was_lost_is_said_again)
{
    begin();
    enable(0);
    is_cut[1] = is_cut[2] = true;
    processes_pass(1000);
    ck_assert_uint_eq(count_commands("presence_wanted"), 1);
    is_cut[1] = is_cut[2] = false;
    lose_the_stream();
    processes_pass(1000);
    join(1, "bob");
    processes_pass(1000);
    expect_count(0, 1);
    end();
}
END_TEST

/* A process that has missed the command asks after that. */
START_TEST(what_was_missed_is_said_again)
{
    begin();
    join(1, "eve");
    processes_pass(500);
    is_cut[1] = true;
    enable(0);
    processes_pass(1000);
    is_cut[1] = false;
    process_start(&processes[1], 0);
    processes_pass(10000);
    join(1, "bob");
    processes_pass(1000);
    expect_count(0, 2);
    end();
}
END_TEST

/* A process that asks once receives the members. Later no process keeps the room for it. */
START_TEST(rooms_that_nobody_needs_are_forgotten)
{
    char room[16];
    char *text;

    begin();
    for (int n = 0; n < 3000; n++) {
        snprintf(room, sizeof room, "q%d", n);
        ck_assert_int_eq(
            ws_manager_get_presence(processes[n % 2].host.manager, room, &text, NULL), WS_OK);
        ws_manager_free_text(processes[n % 2].host.manager, text);
        if (n % 500 == 0)
            processes_pass(200);
    }
    processes_pass(1000);
    ck_assert_uint_gt(count_rooms(2), 0);
    ck_assert_uint_le(count_rooms(0), 2 * 1025);
    ck_assert_uint_le(count_rooms(2), 2 * 1025);
    processes_pass(12000);
    for (size_t i = 0; i < N_PROCESSES; i++)
        ck_assert_uint_eq(count_rooms(i), 0);
    end();
}
END_TEST

/* Rooms with nobody in them are kept for other processes within the limit. */
START_TEST(rooms_of_others_have_a_limit)
{
    begin();
    processes[1].host.manager->options.max_presence_bytes = 1;
    enable(0);
    processes_pass(500);
    ck_assert_uint_eq(count_rooms(1), 0);
    ck_assert_uint_eq(count_rooms(2), 1);
    end();
}
END_TEST

/* Who asks now and then, while somebody is there elsewhere, does not make the others send it
 * each time. */
START_TEST(who_asks_again_asks_no_other_process)
{
    size_t n;

    begin();
    join(1, "bob");
    expect_count(0, 0);
    processes_pass(500);
    n = count_commands("presence_wanted");
    for (int i = 0; i < 20; i++) {
        expect_count(0, 1);
        processes_pass(5000);
    }
    ck_assert_uint_le(count_commands("presence_wanted"), n + 3); /* and of each new process */
    ck_assert_uint_eq(count_commands("presence_unwanted"), 0);
    end();
}
END_TEST

/* The room ends here while another process needs it, and is asked for again before the command
 * was sent. */
START_TEST(a_room_is_needed_again)
{
    begin();
    enable(0);
    processes_pass(1000);
    ck_assert_int_eq(ws_manager_disable_presence(processes[0].host.manager, "r"), WS_OK);
    stream.publish_result = WS_ERR_BACKPRESSURE;
    processes_pass(11000);
    enable(0);
    stream.publish_result = WS_OK;
    processes_pass(1000);
    join(1, "bob");
    processes_pass(1000);
    expect_count(0, 1);
    end();
}
END_TEST

/* What a dead process needed is forgotten with it. */
START_TEST(the_rooms_of_a_dead_process_go)
{
    begin();
    enable(0);
    processes_pass(1000);
    ck_assert_uint_eq(count_rooms(1), 1);
    process_close(&processes[0]);
    processes[0].host.manager = NULL;
    processes_pass(25000);
    ck_assert_uint_eq(count_rooms(1), 0);
    ck_assert_uint_eq(count_rooms(2), 0);
    end();
}
END_TEST

/* What the process does not repeat within all that it sends, it does not need. */
START_TEST(what_is_not_repeated_is_forgotten)
{
#define COMMAND(name, number)                                                                  \
    "{\"order\":\"presence_" name "\",\"process\":\"ccccbbbb22\",\"number\":" number
    static const char *const commands[] = {
        COMMAND("wanted", "1") ",\"rooms\":[\"x\",\"y\"]}",
        COMMAND("begin", "2") "}",
        COMMAND("repeated", "3") ",\"rooms\":[\"y\",\"z\"]}",
        COMMAND("end", "4") "}",
        COMMAND("unwanted", "5") ",\"rooms\":[\"y\",\"z\",\"q\"]}",
        COMMAND("repeated", "6") ",\"rooms\":[7]}",
    };
    static const size_t n_rooms[] = {2, 2, 3, 2, 0, 0};

    begin();
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const ws_cluster_event event = {.size = sizeof event,
                                        .scope = WS_SCOPE_PROCESSES,
                                        .text = commands[i],
                                        .length = strlen(commands[i])};

        ck_assert_int_eq(stream_carrier.publish(&event, NULL, &processes[0]), WS_OK);
        processes_pass(100);
        ck_assert_msg(count_rooms(1) == n_rooms[i], "%zu: %zu rooms", i, count_rooms(1));
    }
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        who_comes_later_is_known,
        clients_without_a_user_see_who_comes_elsewhere,
        a_process_that_begins_late_learns_what_is_needed,
        what_was_lost_is_said_again,
        what_was_missed_is_said_again,
        rooms_that_nobody_needs_are_forgotten,
        rooms_of_others_have_a_limit,
        who_asks_again_asks_no_other_process,
        a_room_is_needed_again,
        the_rooms_of_a_dead_process_go,
        what_is_not_repeated_is_forgotten,
        NULL,
    };

    return suite_run("presence_wanted", tests);
}
