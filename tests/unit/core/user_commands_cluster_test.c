/* user_commands_cluster_test.c: commands for users through the stream of a cluster: on all
 * processes, in the order of events, after a process was cut off; messages between processes.
 * Not here: one process (user_commands_test.c), a real Redis (redis/user_commands_test.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/stream.h"
#include "support/suite.h"

static struct process here;
static struct process there;
static struct client ann; /* here */
static struct client bob; /* there, also user "ann" */
static struct client eve; /* there, user "eve" */
static char heard[1024];  /* a line for each message that `there` received */
static unsigned n_gaps;   /* of `there` */
static unsigned n_skipped;

static void on_message(ws_manager *manager, const ws_process_message *message, void *user_data)
{
    const struct host *host = user_data;

    ck_assert_ptr_eq(manager, there.host.manager);
    ck_assert_ptr_eq(host, &there.host);
    ck_assert_str_eq(message->process, ws_manager_process_id(here.host.manager));
    ck_assert_uint_eq(strlen(message->data), message->length);
    snprintf(heard + strlen(heard), sizeof heard - strlen(heard), "%s %s\n", message->type,
             message->data);
    /* No lock is held, and an event may be sent. */
    ck_assert_uint_gt(ws_manager_connection_count(manager), 0);
}

static void on_gap(ws_manager *manager, void *user_data)
{
    (void)user_data;
    ck_assert_ptr_eq(manager, there.host.manager);
    ck_assert_uint_gt(ws_manager_connection_count(manager), 0);
    n_gaps++;
}

static void on_log(int level, const char *line, void *user_data)
{
    (void)user_data;
    if (level == WS_LOG_WARN && strstr(line, "skipped") != NULL)
        n_skipped++;
}

static void open_there(uint32_t history_events)
{
    ws_loop_options options;

    ws_loop_options_init(&options);
    host_init(&there.host);
    there.n_read = 0;
    there.host.options.history_events = history_events;
    there.host.options.on_process_message = on_message;
    there.host.options.on_processes_gap = on_gap;
    there.host.options.log = on_log;
    ck_assert_int_eq(ws_manager_new(&there.host.options, &there.host.manager), WS_OK);
    ck_assert_int_eq(ws_manager_set_cluster(there.host.manager, &stream_carrier, &there),
                     WS_OK);
    ck_assert_int_eq(ws_loop_new(there.host.manager, &options, 0, &there.host.loop), WS_OK);
}

static void begin(uint32_t history_events)
{
    stream_reset();
    process_open(&here, 100);
    open_there(history_events);
    client_open(&there.host, &bob, "bob", "ann");
    client_open(&there.host, &eve, "eve", "eve");
    process_start(&here, 0);
    process_start(&there, 0);
    client_count(&bob);
    client_count(&eve);
    client_open(&here.host, &ann, "ann", "ann");
    host_forget_log(&here.host);
    host_forget_log(&there.host);
    heard[0] = '\0';
    n_gaps = n_skipped = 0;
}

static void end(void)
{
    process_close(&here);
    process_close(&there);
    client_free(&ann);
    client_free(&bob);
    client_free(&eve);
    stream_reset();
}

static void join(struct client *client, const char *room)
{
    struct host *host = client->host;

    ck_assert_int_eq(ws_manager_join_room(host->manager, client->id, room), WS_OK);
    host_run(host);
    host_forget_log(host);
}

static void read_both(void)
{
    process_read_all(&here);
    process_read_all(&there);
}

/* An entry that another program wrote. */
static void store_command(const char *text)
{
    const ws_cluster_event event = {.size = sizeof event,
                                    .scope = WS_SCOPE_PROCESSES,
                                    .text = text,
                                    .length = strlen(text)};

    ck_assert_int_eq(stream_carrier.publish(&event, NULL, NULL), WS_OK);
}

static bool has_statistic(struct process *process, const char *text)
{
    char *stats;
    bool found;

    ck_assert_int_eq(ws_manager_get_stats(process->host.manager, &stats, NULL), WS_OK);
    found = strstr(stats, text) != NULL;
    ws_manager_free_text(process->host.manager, stats);
    return found;
}

/* --- on all processes --------------------------------------------------------------------- */

START_TEST(a_user_is_disconnected_on_all_processes)
{
    begin(100);
    emit_number(&here.host, NULL, 1);
    ck_assert_int_eq(ws_manager_disconnect_user(here.host.manager, "ann", 4001, "g\"o"), WS_OK);
    emit_number(&here.host, NULL, 2);
    host_run(&here.host);
    ck_assert_int_eq(ann.n_closes, 0); /* not before it is read back */
    read_both();
    client_expect(&ann, number_message(1, NULL, 1), NULL);
    client_expect(&bob, number_message(1, NULL, 1), NULL);
    client_expect(&eve, number_message(1, NULL, 1), number_message(3, NULL, 2), NULL);
    ck_assert_int_eq(ann.close_code, 4001);
    ck_assert_int_eq(bob.close_code, 4001);
    ck_assert_str_eq(bob.close_reason, "g\"o");
    ck_assert(has_statistic(&here, "\"orders_sent\":1,\"orders_done\":1,"));
    ck_assert(has_statistic(&there, "\"orders_sent\":0,\"orders_done\":1,"));
    end();
}
END_TEST

START_TEST(rooms_are_entered_and_left_on_all_processes)
{
    begin(100);
    ck_assert_int_eq(ws_manager_join_room_of_user(there.host.manager, "ann", "r\xc3\xb6om"),
                     WS_OK);
    emit_number(&here.host, "r\xc3\xb6om", 1);
    ck_assert_int_eq(ws_manager_leave_room_of_user(here.host.manager, "ann", "r\xc3\xb6om"),
                     WS_OK);
    emit_number(&there.host, "r\xc3\xb6om", 2);
    read_both();
    client_expect(&ann, number_message(2, "r\xc3\xb6om", 1),
                  "{\"type\":\"room_left\",\"data\":{\"room\":\"r\xc3\xb6om\",\"id\":\"E.2\"}}",
                  NULL);
    client_expect(&bob, number_message(2, "r\xc3\xb6om", 1),
                  "{\"type\":\"room_left\",\"data\":{\"room\":\"r\xc3\xb6om\",\"id\":\"E.2\"}}",
                  NULL);
    client_expect(&eve, NULL);
    join(&bob, "staff");
    there.host.authorize_result = WS_ERR_FORBIDDEN;
    ck_assert_int_eq(ws_manager_reauthorize_user(here.host.manager, "ann"), WS_OK);
    read_both();
    host_expect_log(&there.host, "authorize_join bob staff\non_leave bob staff success\n");
    end();
}
END_TEST

START_TEST(messages_reach_the_other_processes)
{
    char longest[WS_PROCESS_MESSAGE_MAX + 1];

    begin(100);
    ck_assert_int_eq(
        ws_manager_send_to_processes(here.host.manager, "ca\"che", "[1, \"a\"]", 8), WS_OK);
    ck_assert_int_eq(ws_manager_send_to_processes(here.host.manager, "cache", "2", 1), WS_OK);
    read_both();
    ck_assert_str_eq(heard, "ca\"che [1, \"a\"]\ncache 2\n");
    ck_assert(has_statistic(&there, "\"process_messages\":2"));
    ck_assert(has_statistic(&here, "\"process_messages\":0"));
    heard[0] = '\0';
    memset(longest, ' ', sizeof longest);
    longest[0] = '1';
    ck_assert_int_eq(ws_manager_send_to_processes(here.host.manager, "cache", longest,
                                                  WS_PROCESS_MESSAGE_MAX),
                     WS_OK);
    read_both();
    ck_assert_str_eq(heard, "cache 1\n");
    client_expect(&ann, NULL);
    client_expect(&bob, NULL);
    end();
}
END_TEST

START_TEST(a_full_carrier_refuses_commands)
{
    begin(100);
    stream.publish_result = WS_ERR_BACKPRESSURE;
    ck_assert_int_eq(ws_manager_disconnect_user(here.host.manager, "ann", 4001, NULL),
                     WS_ERR_BACKPRESSURE);
    ck_assert_int_eq(ws_manager_send_to_processes(here.host.manager, "cache", "2", 1),
                     WS_ERR_BACKPRESSURE);
    ck_assert(has_statistic(&here, "\"orders_sent\":0"));
    ck_assert_uint_eq(stream.count, 0);
    end();
}
END_TEST

/* --- their place in the stream ------------------------------------------------------------ */

static void recover_over_commands(void)
{
    emit_number(&here.host, NULL, 1);
    ck_assert_int_eq(ws_manager_reauthorize_user(here.host.manager, "nobody"), WS_OK);
    ck_assert_int_eq(ws_manager_send_to_processes(here.host.manager, "cache", "2", 1), WS_OK);
    emit_number(&here.host, NULL, 2);
    ck_assert_int_eq(ws_manager_reauthorize_user(here.host.manager, "nobody"), WS_OK);
}

static void expect_recovered(void)
{
    client_lose(&bob);
    process_come_back(&there, &bob, stream_id(0), NULL);
    host_run(&there.host);
    stream_answer_all();
    process_pass(&there, 2000);
    ck_assert_ptr_nonnull(strstr(client_next(&bob), "welcome"));
    client_expect(&bob, number_message(1, NULL, 1), number_message(4, NULL, 2),
                  recovered_message(true, 2, 5), NULL);
}

START_TEST(a_client_that_recovers_gets_no_commands)
{
    begin(100);
    recover_over_commands();
    read_both();
    expect_recovered();
    end();
}
END_TEST

START_TEST(a_client_that_recovers_from_the_stream_gets_no_commands)
{
    begin(0);
    recover_over_commands();
    read_both();
    expect_recovered();
    end();
}
END_TEST

START_TEST(a_client_that_recovers_from_a_start_gets_no_commands)
{
    begin(100);
    recover_over_commands();
    process_start(&there, 5);
    expect_recovered();
    ck_assert_uint_eq(stream.n_fetches, 0); /* the history has all of it */
    end();
}
END_TEST

START_TEST(commands_that_are_not_known_are_skipped)
{
    begin(100);
    store_command("{\"order\":\"of a newer process\"}");
    store_command("{\"order\":7}");
    store_command("{}");
    store_command("[]");
    store_command("not json");
    store_command("{\"order\":\"disconnect_user\"}");
    store_command("{\"order\":\"disconnect_user\",\"user_id\":7,\"code\":4001}");
    store_command("{\"order\":\"disconnect_user\",\"user_id\":\"ann\",\"code\":1006}");
    store_command("{\"order\":\"disconnect_user\",\"user_id\":\"ann\",\"code\":40010}");
    store_command("{\"order\":\"disconnect_user\",\"user_id\":\"ann\",\"code\":4e03}");
    store_command("{\"order\":\"join_room_of_user\",\"user_id\":\"ann\"}");
    store_command("{\"order\":\"message\",\"process\":\"p\",\"type\":\"t\"}");
    store_command("{\"order\":\"message\",\"process\":\"p\",\"type\":\"\",\"data\":1}");
    store_command("{\"order\":\"message\",\"process\":1,\"type\":\"t\",\"data\":1}");
    emit_number(&here.host, NULL, 1);
    process_read_all(&there);
    client_expect(&bob, number_message(15, NULL, 1), NULL);
    ck_assert_uint_eq(n_skipped, 10); /* the lines of a second */
    ck_assert_int_eq(bob.n_closes, 0);
    ck_assert(has_statistic(&there, "\"orders_done\":0"));
    ck_assert_str_eq(heard, "");
    end();
}
END_TEST

START_TEST(a_command_is_carried_out_once_memory_is_there)
{
    long n = 0;
    int result = WS_ERR_NO_MEMORY;

    begin(100);
    ck_assert_int_eq(ws_manager_join_room_of_user(here.host.manager, "ann", "r"), WS_OK);
    ck_assert_int_eq(ws_manager_send_to_processes(here.host.manager, "cache", "2", 1), WS_OK);
    for (uint64_t position = 1; position <= 2; position++, result = WS_ERR_NO_MEMORY) {
        ws_cluster_event event = stream_event(position);

        for (n = 0; result != WS_OK; n++) {
            test_memory_fail(&there.host.memory, n, false);
            result = ws_manager_cluster_deliver(there.host.manager, &event);
            ck_assert_int_eq(result, there.host.memory.failed ? WS_ERR_NO_MEMORY : WS_OK);
        }
        test_memory_fail(&there.host.memory, NEVER_FAIL, false);
        there.n_read++;
        ck_assert_int_gt(n, 2);
    }
    host_run(&there.host);
    ck_assert_int_eq(ws_manager_is_member(there.host.manager, bob.id, "r"), 1);
    host_expect_log(&there.host, "on_join bob r success\n");
    ck_assert_str_eq(heard, "cache 2\n");
    end();
}
END_TEST

/* --- a process that was cut off ----------------------------------------------------------- */

static void send_commands(void)
{
    ck_assert_int_eq(ws_manager_send_to_processes(here.host.manager, "cache", "1", 1), WS_OK);
    emit_number(&here.host, NULL, 1);
    ck_assert_int_eq(ws_manager_leave_room_of_user(here.host.manager, "ann", "r"), WS_OK);
    ck_assert_int_eq(ws_manager_send_to_processes(here.host.manager, "cache", "2", 1), WS_OK);
    emit_number(&here.host, NULL, 2);
}

START_TEST(commands_that_were_missed_are_carried_out)
{
    begin(100);
    join(&bob, "r");
    join(&eve, "r");
    emit_number(&here.host, NULL, 0);
    process_read_all(&there);
    client_count(&bob);
    send_commands();
    process_start(&there, 5);
    host_expect_log(&there.host, "on_leave bob r success\n");
    ck_assert_str_eq(heard, "cache 1\ncache 2\n");
    ck_assert_uint_eq(n_gaps, 0);
    process_start(&there, 5); /* again, where it is */
    ck_assert_str_eq(heard, "cache 1\ncache 2\n");
    ck_assert_int_eq(ws_manager_is_member(there.host.manager, eve.id, "r"), 1);
    end();
}
END_TEST

START_TEST(only_missed_commands_are_carried_out)
{
    begin(100);
    join(&bob, "r");
    send_commands();
    process_read_all(&there);
    host_forget_log(&there.host);
    join(&bob, "r");
    ck_assert_int_eq(ws_manager_send_to_processes(here.host.manager, "cache", "3", 1), WS_OK);
    process_start(&there, 6);
    host_expect_log(&there.host, "");
    ck_assert_str_eq(heard, "cache 1\ncache 2\ncache 3\n");
    ck_assert_uint_eq(n_gaps, 0);
    end();
}
END_TEST

START_TEST(commands_that_were_missed_are_carried_out_once_if_memory_runs_out)
{
    ws_cluster_event events[5];
    int result = WS_ERR_NO_MEMORY;

    begin(100);
    join(&bob, "r");
    send_commands();
    for (uint64_t i = 0; i < 5; i++)
        events[i] = stream_event(i + 1);
    for (long n = 0; result != WS_OK; n++) {
        test_memory_fail(&there.host.memory, n, false);
        result = ws_manager_cluster_start(there.host.manager, stream.epoch, 5, events, 5);
    }
    test_memory_fail(&there.host.memory, NEVER_FAIL, false);
    host_run(&there.host);
    host_expect_log(&there.host, "on_leave bob r success\n");
    ck_assert_str_eq(heard, "cache 1\ncache 2\n");
    ck_assert(has_statistic(&there, "\"orders_done\":3,"));
    end();
}
END_TEST

/* A start that fails, after which the carrier can go on where it was. */
START_TEST(commands_are_not_repeated_after_a_start_that_failed)
{
    ws_cluster_event events[5];

    begin(100);
    send_commands();
    for (uint64_t i = 0; i < 5; i++)
        events[i] = stream_event(i + 1);
    for (long n = 0; strcmp(heard, "cache 1\ncache 2\n") != 0; n++) {
        test_memory_fail(&there.host.memory, n, true);
        ck_assert_int_eq(
            ws_manager_cluster_start(there.host.manager, stream.epoch, 5, events, 5),
            WS_ERR_NO_MEMORY);
    }
    test_memory_fail(&there.host.memory, NEVER_FAIL, false);
    process_read_all(&there);
    ck_assert_str_eq(heard, "cache 1\ncache 2\n");
    client_expect(&eve, number_message(2, NULL, 1), number_message(5, NULL, 2), NULL);
    end();
}
END_TEST

static void expect_gap(void)
{
    host_expect_log(&there.host, "authorize_join eve r\non_leave eve r success\n"
                                 "authorize_join bob r\non_leave bob r success\n");
    ck_assert_uint_eq(n_gaps, 1);
    ck_assert_str_eq(heard, "");
}

START_TEST(a_process_that_missed_unknown_commands_authorizes_all)
{
    begin(100);
    join(&bob, "r");
    join(&eve, "r");
    send_commands();
    there.host.authorize_result = WS_ERR_FORBIDDEN;
    process_start(&there, 4);
    expect_gap();
    end();
}
END_TEST

START_TEST(another_epoch_is_a_gap)
{
    begin(100);
    join(&bob, "r");
    join(&eve, "r");
    send_commands();
    stream.epoch[0] = 'b';
    there.host.authorize_result = WS_ERR_FORBIDDEN;
    process_start(&there, 5);
    expect_gap();
    end();
}
END_TEST

START_TEST(the_first_start_is_a_gap)
{
    begin(100);
    process_close(&there);
    client_free(&bob);
    client_free(&eve);
    send_commands();
    open_there(100);
    client_open(&there.host, &bob, "bob", "ann");
    client_open(&there.host, &eve, "eve", "eve");
    join(&bob, "r");
    join(&eve, "r");
    there.host.authorize_result = WS_ERR_FORBIDDEN;
    process_start(&there, 5);
    expect_gap();
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_user_is_disconnected_on_all_processes,
        rooms_are_entered_and_left_on_all_processes,
        messages_reach_the_other_processes,
        a_full_carrier_refuses_commands,
        a_client_that_recovers_gets_no_commands,
        a_client_that_recovers_from_the_stream_gets_no_commands,
        a_client_that_recovers_from_a_start_gets_no_commands,
        commands_that_are_not_known_are_skipped,
        a_command_is_carried_out_once_memory_is_there,
        commands_that_were_missed_are_carried_out,
        only_missed_commands_are_carried_out,
        commands_that_were_missed_are_carried_out_once_if_memory_runs_out,
        commands_are_not_repeated_after_a_start_that_failed,
        a_process_that_missed_unknown_commands_authorizes_all,
        another_epoch_is_a_gap,
        the_first_start_is_a_gap,
        NULL,
    };

    return suite_run("user-commands-cluster", tests);
}
