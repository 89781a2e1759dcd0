/* cluster_test.c: two managers and a carrier in memory: both deliver what one of them sends, in the
 * stream's order, and a client recovers on either. Not here: events that are no longer in the
 * history (pages_test.c), a real Redis. */
#include <stdio.h>
#include <string.h>

#include "core/loop_state.h"
#include "core/manager.h"
#include "support/stream.h"
#include "support/suite.h"

static struct process here;
static struct process there;
static struct client ann;
static struct client bob;
static char told[256]; /* a line for each call of stored() */

static void begin(void)
{
    stream_reset();
    process_open(&here, 100);
    process_open(&there, 100);
    process_start(&here, 0);
    process_start(&there, 0);
    client_open(&here.host, &ann, "ann", "ann");
    client_open(&there.host, &bob, "bob", "bob");
}

static void end(void)
{
    process_close(&here);
    process_close(&there);
    client_free(&ann);
    client_free(&bob);
    ann = bob = (struct client){0};
    stream_reset();
    told[0] = '\0';
}

START_TEST(both_processes_deliver_all_events_in_one_order)
{
    begin();
    emit_number(&here.host, NULL, 1);
    emit_number(&there.host, NULL, 2);
    emit_number(&here.host, "r", 3);
    host_run(&here.host);
    client_expect(&ann, NULL); /* nothing is delivered before it is read back */
    process_read_all(&here);
    process_read_all(&there);
    client_expect(&ann, number_message(1, NULL, 1), number_message(2, NULL, 2), NULL);
    client_expect(&bob, number_message(1, NULL, 1), number_message(2, NULL, 2), NULL);
    client_say(&bob, "{\"type\":\"ping\"}");
    host_run(&there.host);
    client_expect(&bob, "{\"type\":\"pong\",\"data\":{\"id\":\"E.3\"}}", NULL);
    end();
}
END_TEST

START_TEST(users_and_rooms_span_all_processes)
{
    begin();
    ck_assert_int_eq(ws_manager_join_room(there.host.manager, bob.id, "r"), WS_OK);
    emit_number(&here.host, "r", 1);
    ck_assert_int_eq(ws_manager_emit_notification(here.host.manager, "hello", "bob", "info"),
                     WS_OK);
    process_read_all(&here);
    process_read_all(&there);
    client_expect(&ann, NULL);
    client_expect(&bob, number_message(1, "r", 1),
                  "{\"id\":\"E.2\",\"type\":\"notification\",\"data\":{\"message\":\"hello\","
                  "\"severity\":\"info\"},\"timestamp\":\"1970-01-01T00:00:00.000Z\","
                  "\"user_id\":\"bob\"}",
                  NULL);
    end();
}
END_TEST

START_TEST(an_exclude_list_applies_to_one_process)
{
    ws_event *event;

    begin();
    ck_assert_uint_eq(ann.id,
                      bob.id); /* on the other process, the same number is another connection */
    ck_assert_int_eq(ws_event_new(here.host.manager, "notification", "{\"n\":1}", 7, &event),
                     WS_OK);
    ck_assert_int_eq(ws_manager_broadcast(here.host.manager, event, &ann.id, 1), WS_OK);
    ck_assert_str_eq(ws_event_id(event), "");
    ws_event_free(event);
    process_read_all(&here);
    process_read_all(&there);
    client_expect(&ann, NULL);
    client_expect(&bob, number_message(1, NULL, 1), NULL);
    end();
}
END_TEST

/* The user_data of stored(). */
static char event_label[] = "event";

static void stored(int result, const char *id, void *user_data)
{
    snprintf(told + strlen(told), sizeof told - strlen(told), "%s %s %s\n",
             (const char *)user_data, ws_strerror(result), id);
}

START_TEST(stored_is_called_for_events_that_ask_for_it)
{
    char expected[256];
    ws_event *event;

    begin();
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(
            ws_event_new(here.host.manager, "notification", "{\"n\":1}", 7, &event), WS_OK);
        ck_assert_int_eq(ws_event_set_sequence(event, "outbox", (uint64_t)i + 7), WS_OK);
        ck_assert_int_eq(ws_event_set_stored_callback(event, stored, event_label), WS_OK);
        ck_assert_int_eq(ws_manager_broadcast(here.host.manager, event, NULL, 0), WS_OK);
        ck_assert_int_eq(ws_event_set_stored_callback(event, stored, NULL), WS_ERR_ALREADY);
        ck_assert_int_eq(ws_event_set_sequence(event, "outbox", 1), WS_ERR_ALREADY);
        ws_event_free(event);
    }
    ck_assert_str_eq(told, "");
    ck_assert_str_eq(stream.events[1].producer, "outbox");
    ck_assert_uint_eq(stream.events[1].sequence, 8);
    ws_manager_cluster_stored(here.host.manager, stream.events[0].receipt, WS_OK, 1);
    ws_manager_cluster_stored(here.host.manager, stream.events[1].receipt, WS_OK, 0);
    ws_manager_cluster_stored(here.host.manager, stream.events[2].receipt, WS_ERR_CLOSED, 0);
    ws_manager_cluster_stored(here.host.manager, NULL, WS_OK, 4);
    snprintf(expected, sizeof expected, "event success %s\nevent success \nevent %s \n",
             stream_id(1), ws_strerror(WS_ERR_CLOSED));
    ck_assert_str_eq(told, expected);
    end();
}
END_TEST

/* A carrier whose thread is faster than the one that sends. */
static int publish_at_once(const ws_cluster_event *event, void *receipt, void *data)
{
    (void)event;
    (void)data;
    ws_manager_cluster_stored(here.host.manager, receipt, WS_OK, 1);
    return WS_OK;
}

static void free_stored(int result, const char *id, void *user_data)
{
    ws_event *event = user_data;

    stored(result, id, event_label);
    ck_assert_int_eq(ws_manager_broadcast(here.host.manager, event, NULL, 0), WS_ERR_ALREADY);
    ws_event_free(event);
}

START_TEST(a_callback_frees_its_event_before_the_call_returns)
{
    char expected[64];
    ws_event *event;

    begin();
    here.host.manager->cluster.publish = publish_at_once;
    ck_assert_int_eq(ws_event_new(here.host.manager, "notification", "1", 1, &event), WS_OK);
    ck_assert_int_eq(ws_event_set_stored_callback(event, free_stored, event), WS_OK);
    ck_assert_int_eq(ws_manager_broadcast(here.host.manager, event, NULL, 0), WS_OK);
    snprintf(expected, sizeof expected, "event success %s\n", stream_id(1));
    ck_assert_str_eq(told, expected);
    end();
}
END_TEST

START_TEST(a_full_carrier_is_backpressure)
{
    ws_event *event;

    begin();
    stream.publish_result = WS_ERR_BACKPRESSURE;
    ck_assert_int_eq(ws_event_new(here.host.manager, "notification", "{\"n\":1}", 7, &event),
                     WS_OK);
    ck_assert_int_eq(ws_event_set_stored_callback(event, stored, NULL), WS_OK);
    ck_assert_int_eq(ws_manager_broadcast(here.host.manager, event, &ann.id, 1),
                     WS_ERR_BACKPRESSURE);
    stream.publish_result = WS_OK;
    ck_assert_int_eq(ws_manager_broadcast(here.host.manager, event, &ann.id, 1), WS_OK);
    ws_manager_cluster_stored(here.host.manager, stream.events[0].receipt, WS_OK, 1);
    ws_event_free(event);
    end();
}
END_TEST

static void come_back(struct process *process, const char *after, const char *former)
{
    process_come_back(process, &ann, after, former);
    host_run(&process->host);
}

START_TEST(a_client_recovers_on_the_other_process)
{
    char former[CONNECTION_NAME_SIZE];
    ws_event *event;

    begin();
    connection_name_write(here.host.manager->process, ann.id, former);
    emit_number(&here.host, NULL, 1);
    emit_number(&there.host, "r", 2);
    ck_assert_int_eq(ws_event_new(here.host.manager, "notification", "{\"n\":3}", 7, &event),
                     WS_OK);
    ck_assert_int_eq(ws_manager_broadcast(here.host.manager, event, &ann.id, 1), WS_OK);
    ws_event_free(event);
    emit_number(&here.host, NULL, 4);
    process_read_all(&there);
    client_lose(&ann);
    come_back(&there, stream_id(0), former);
    ck_assert_ptr_nonnull(client_next(&ann));
    client_expect(&ann, number_message(1, NULL, 1), number_message(4, NULL, 4),
                  recovered_message(true, 2, 4), NULL);
    end();
}
END_TEST

START_TEST(a_client_waits_for_a_process_that_is_behind)
{
    begin();
    emit_number(&here.host, NULL, 1);
    emit_number(&here.host, NULL, 2);
    client_lose(&ann);
    come_back(&there, stream_id(1), NULL);
    ck_assert_ptr_nonnull(client_next(&ann));
    client_expect(&ann, NULL);
    process_read_all(&there);
    there.host.now_ms += 1000;
    host_run(&there.host);
    client_expect(&ann, number_message(2, NULL, 2), recovered_message(true, 1, 2), NULL);
    end();
}
END_TEST

static void answer_that_nothing_follows(uint64_t after)
{
    ck_assert_uint_eq(stream.n_asked, 1);
    ck_assert_uint_eq(stream.asked[0].after, after);
    ck_assert_int_eq(stream_answer_with(after, 0), WS_OK);
}

/* The process cannot reach the stream. A client that has seen more of the stream waits until it
 * can, and receives nothing twice. */
START_TEST(a_client_waits_for_a_process_that_is_cut_off)
{
    begin();
    for (int i = 1; i <= 4; i++)
        emit_number(&here.host, NULL, i);
    client_lose(&ann);
    come_back(&there, stream_id(3), NULL);
    ck_assert_ptr_nonnull(client_next(&ann));
    process_pass(&there, 120000);
    client_expect(&ann, NULL);
    ck_assert_uint_eq(stream.n_fetches, 1);
    stream_answer();
    process_pass(&there, 1000);
    client_expect(&ann, NULL);
    process_read_all(&there);
    process_pass(&there, 2000);
    client_expect(&ann, number_message(4, NULL, 4), recovered_message(true, 1, 4), NULL);
    end();
}
END_TEST

/* The stream has lost the client's position, or never had it. */
START_TEST(a_position_that_is_not_in_the_stream_is_incomplete)
{
    begin();
    emit_number(&here.host, NULL, 1);
    process_read_all(&there);
    client_lose(&ann);
    come_back(&there, stream_id(1000000), NULL);
    ck_assert_ptr_nonnull(client_next(&ann));
    answer_that_nothing_follows(1);
    process_pass(&there, 200);
    client_expect(&ann, recovered_message(false, 0, 1), NULL);
    end();
}
END_TEST

/* An answer to a question that was asked before a client came does not count for that client: it
 * may have seen events that were stored since. */
START_TEST(an_answer_to_an_older_question_does_not_count)
{
    struct client eve = {0};

    begin();
    client_lose(&ann);
    come_back(&there, stream_id(2), NULL);
    ck_assert_ptr_nonnull(client_next(&ann));
    emit_number(&here.host, NULL, 1);
    process_come_back(&there, &eve, stream_id(1), NULL);
    host_run(&there.host);
    ck_assert_ptr_nonnull(client_next(&eve));
    answer_that_nothing_follows(0);
    process_pass(&there, 200);
    client_expect(&ann, recovered_message(false, 0, 0), NULL);
    client_expect(&eve, NULL);
    process_read_all(&there);
    process_pass(&there, 200);
    client_expect(&eve, recovered_message(true, 0, 1), NULL);
    client_expect(&ann, number_message(1, NULL, 1), NULL);
    client_free(&eve);
    end();
}
END_TEST

START_TEST(a_carrier_that_cannot_be_asked_is_given_up)
{
    begin();
    client_lose(&ann);
    stream.fetch_result = WS_ERR_BACKPRESSURE;
    come_back(&there, stream_id(7), NULL);
    ck_assert_ptr_nonnull(client_next(&ann));
    process_pass(&there, 25000);
    client_expect(&ann, NULL);
    process_pass(&there, 200000);
    client_expect(&ann, recovered_message(false, 0, 0), NULL);
    end();
}
END_TEST

/* The answer is about a stream that has been replaced. */
START_TEST(another_epoch_while_a_client_waits)
{
    begin();
    client_lose(&ann);
    come_back(&there, stream_id(7), NULL);
    ck_assert_ptr_nonnull(client_next(&ann));
    strcpy(stream.epoch, "abcdefghij");
    process_start(&there, 0);
    process_pass(&there, 200);
    client_expect(&ann, recovered_message(false, 0, 0), NULL);
    client_lose(&ann);
    come_back(&there, stream_id(7), NULL);
    ck_assert_ptr_nonnull(client_next(&ann));
    answer_that_nothing_follows(0);
    host_run(&there.host);
    client_expect(&ann, NULL);
    process_pass(&there, 200);
    answer_that_nothing_follows(0);
    process_pass(&there, 200);
    client_expect(&ann, recovered_message(false, 0, 0), NULL);
    end();
}
END_TEST

START_TEST(clients_that_connect_before_the_stream_is_reached)
{
    begin();
    for (int i = 1; i <= 3; i++)
        emit_number(&here.host, NULL, i);
    process_close(&there);
    process_open(&there, 100);
    client_free(&bob);
    bob = (struct client){0};
    client_open(&there.host, &bob, "bob", "bob");
    client_lose(&ann);
    come_back(&there, stream_id(1), NULL);
    ck_assert_ptr_nonnull(strstr(client_next(&ann), stream_id(1)));
    client_expect(&ann, NULL);
    process_start(&there, 3);
    client_expect(&ann, number_message(2, NULL, 2), number_message(3, NULL, 3),
                  recovered_message(true, 2, 3), NULL);
    /* A client that was connected without a stream may have missed something. */
    client_expect(&bob, recovered_message(false, 0, 3), NULL);
    end();
}
END_TEST

START_TEST(clients_are_notified_of_a_gap_or_another_epoch)
{
    begin();
    emit_number(&here.host, NULL, 1);
    process_read_all(&here);
    ck_assert_uint_eq(client_count(&ann), 1);
    /* The stream is reached again, and nothing has happened. */
    ck_assert_int_eq(ws_manager_cluster_start(here.host.manager, stream.epoch, 1, NULL, 0),
                     WS_OK);
    host_run(&here.host);
    client_expect(&ann, NULL);
    /* Events were trimmed before they were read. */
    ck_assert_int_eq(ws_manager_cluster_start(here.host.manager, stream.epoch, 5, NULL, 0),
                     WS_OK);
    host_run(&here.host);
    client_expect(&ann, recovered_message(false, 0, 5), NULL);
    /* The stream is gone. */
    ck_assert_int_eq(ws_manager_cluster_start(here.host.manager, "zzzzzzzzzz", 0, NULL, 0),
                     WS_OK);
    host_run(&here.host);
    client_expect(&ann,
                  "{\"type\":\"recovered\",\"data\":{\"complete\":false,\"count\":0,"
                  "\"id\":\"E.0\"}}",
                  NULL);
    client_lose(&ann);
    come_back(&here, stream_id(1), NULL);
    ck_assert_ptr_nonnull(client_next(&ann));
    client_expect(&ann, recovered_message(false, 0, 0), NULL);
    end();
}
END_TEST

static void *(*malloc_before)(size_t bytes, void *user_data);
static int n_mallocs;
static ws_loop *added;

/* Adds a loop while memory is being allocated, as another thread might. */
static void *add_loop(size_t bytes, void *user_data)
{
    if (++n_mallocs == 2)
        ck_assert_int_eq(ws_loop_new(here.host.manager, NULL, here.host.now_ms, &added), WS_OK);
    return malloc_before(bytes, user_data);
}

START_TEST(a_loop_is_added_while_another_epoch_begins)
{
    begin();
    malloc_before = here.host.manager->memory.malloc;
    here.host.manager->memory.malloc = add_loop;
    ck_assert_int_eq(ws_manager_cluster_start(here.host.manager, "zzzzzzzzzz", 0, NULL, 0),
                     WS_OK);
    here.host.manager->memory.malloc = malloc_before;
    ck_assert_ptr_nonnull(added);
    ws_loop_run(added, here.host.now_ms);
    ws_loop_free(added);
    end();
}
END_TEST

START_TEST(invalid_events_of_the_stream_are_skipped)
{
    static const char *const texts[] = {"", "x", "{}", "[1]", "{\"type\":", "{ \"a\":1}"};

    begin();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        ws_cluster_event event = {.size = sizeof event,
                                  .text = texts[i],
                                  .length = strlen(texts[i]),
                                  .position = i + 1};

        ck_assert_int_eq(ws_manager_cluster_deliver(here.host.manager, &event), WS_OK);
    }
    for (int32_t scope = 1; scope <= 3; scope++) {
        ws_cluster_event event = {.size = sizeof event,
                                  .scope = scope,
                                  .target = scope == 2 ? "bad\nname" : NULL,
                                  .text = "{\"type\":\"x\"}",
                                  .length = 12,
                                  .position = 6 + (uint64_t)scope};

        ck_assert_int_eq(ws_manager_cluster_deliver(here.host.manager, &event), WS_OK);
        ck_assert_int_eq(ws_manager_cluster_deliver(here.host.manager, &event), WS_ERR_INVALID);
    }
    host_run(&here.host);
    client_expect(&ann, NULL);
    client_say(&ann, "{\"type\":\"ping\"}");
    host_run(&here.host);
    client_expect(&ann, "{\"type\":\"pong\",\"data\":{\"id\":\"E.9\"}}", NULL);
    end();
}
END_TEST

static unsigned n_lines;
static unsigned n_lines_left_out;

static void count_skips(int level, const char *line, void *user_data)
{
    (void)user_data;
    ck_assert_int_eq(level, WS_LOG_WARN);
    n_lines++;
    sscanf(line, "%u more events of the stream were skipped", &n_lines_left_out);
}

/* Another program may write any number of them. */
START_TEST(invalid_events_do_not_flood_the_log)
{
    enum { N = 1000, LINES = 10 };
    ws_cluster_event event = {.size = sizeof event, .text = "x", .length = 1};

    begin();
    here.host.manager->options.log = count_skips;
    n_lines = n_lines_left_out = 0;
    for (event.position = 1; event.position <= N; event.position++)
        ck_assert_int_eq(ws_manager_cluster_deliver(here.host.manager, &event), WS_OK);
    ck_assert_uint_eq(n_lines, LINES);
    here.host.clock_ms += 1000;
    ck_assert_int_eq(ws_manager_cluster_deliver(here.host.manager, &event), WS_OK);
    ck_assert_uint_eq(n_lines, LINES + 2);
    ck_assert_uint_eq(n_lines_left_out, N - LINES);
    here.host.manager->options.log = NULL;
    end();
}
END_TEST

START_TEST(invalid_arguments_are_refused)
{
    const ws_cluster whole = stream_carrier;
    const ws_cluster incomplete = {.size = sizeof incomplete, .publish = whole.publish};
    ws_cluster_event event = {.size = sizeof event, .position = 7};
    char drawn[WS_EPOCH_SIZE];
    ws_event *made;

    begin();
    ck_assert_int_eq(ws_manager_set_cluster(NULL, &whole, NULL), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_set_cluster(here.host.manager, &incomplete, NULL),
                     WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_set_cluster(here.host.manager, &whole, NULL), WS_ERR_ALREADY);
    ck_assert_int_eq(ws_manager_cluster_start(here.host.manager, "short", 0, NULL, 0),
                     WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_cluster_start(here.host.manager, stream.epoch, 8, &event, 1),
                     WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_cluster_start(here.host.manager, stream.epoch, 0, &event, 1),
                     WS_ERR_INVALID);
    ck_assert_int_eq(ws_cluster_new_epoch(drawn), WS_OK);
    ck_assert(epoch_valid(drawn));
    ck_assert_str_eq(ws_manager_process_id(here.host.manager), here.host.manager->process);
    ck_assert_int_eq(ws_event_new(here.host.manager, "notification", "1", 1, &made), WS_OK);
    ck_assert_int_eq(ws_event_set_sequence(made, "", 1), WS_ERR_INVALID);
    ck_assert_int_eq(ws_event_set_sequence(made, "p", 0), WS_ERR_INVALID);
    ck_assert_int_eq(ws_event_set_sequence(NULL, "p", 1), WS_ERR_INVALID);
    ck_assert_int_eq(ws_event_set_stored_callback(NULL, stored, NULL), WS_ERR_INVALID);
    ws_event_free(made);
    ck_assert_int_eq(ws_manager_set_cluster(here.host.manager, NULL, NULL), WS_OK);
    end();
}
END_TEST

START_TEST(without_a_cluster_stored_is_called_at_once)
{
    struct host alone;
    ws_event *event;

    host_open(&alone);
    ck_assert_int_eq(ws_event_new(alone.manager, "notification", "1", 1, &event), WS_OK);
    ck_assert_int_eq(ws_event_set_sequence(event, "outbox", 1), WS_OK);
    ck_assert_int_eq(ws_event_set_stored_callback(event, stored, event_label), WS_OK);
    ck_assert_int_eq(ws_manager_broadcast(alone.manager, event, NULL, 0), WS_OK);
    ck_assert_ptr_nonnull(strstr(told, ws_event_id(event)));
    ws_event_free(event);
    host_close(&alone);
    told[0] = '\0';
}
END_TEST

START_TEST(without_memory_a_delivery_is_tried_again)
{
    for (int n = 0; n < 20; n++) {
        ws_cluster_event event;
        int result;

        begin();
        emit_number(&there.host, "r", 1);
        event = stream_event(1);
        event.exclude = "abc def";
        ck_assert_int_eq(ws_manager_join_room(here.host.manager, ann.id, "r"), WS_OK);
        test_memory_fail(&here.host.memory, n, true);
        result = ws_manager_cluster_deliver(here.host.manager, &event);
        test_memory_fail(&here.host.memory, NEVER_FAIL, false);
        if (result != WS_OK) {
            ck_assert_int_eq(result, WS_ERR_NO_MEMORY);
            ck_assert_int_eq(ws_manager_cluster_deliver(here.host.manager, &event), WS_OK);
        }
        host_run(&here.host);
        client_expect(&ann, number_message(1, "r", 1), NULL);
        test_memory_fail(&here.host.memory, n, true);
        result = ws_manager_cluster_start(here.host.manager, "zzzzzzzzzz", 1, &event, 1);
        test_memory_fail(&here.host.memory, NEVER_FAIL, false);
        ck_assert(result == WS_OK || result == WS_ERR_NO_MEMORY);
        host_run(&here.host);
        ck_assert_uint_eq(client_count(&ann), result == WS_OK);
        end();
    }
}
END_TEST

static int sent_on; /* the result of a callback's send for a client */

static void send_on(struct host *host, struct client *client, const char *line)
{
    ws_event *event;

    (void)client;
    if (strncmp(line, "accept_message", 14) != 0)
        return;
    ck_assert_int_eq(ws_event_new(host->manager, "notification", "1", 1, &event), WS_OK);
    sent_on = ws_manager_broadcast(host->manager, event, NULL, 0);
    ws_event_free(event);
}

/* A client's published messages come back from the stream without being charged to a client. While
 * the loop is behind with the stream, clients may not add to it. The application may: its own calls
 * have their own limit. */
START_TEST(clients_cannot_publish_while_the_loop_is_behind)
{
    enum {
        MANY = 10000
    }; /* each costs the work of two deliveries: more than two turns in all */

    begin();
    here.host.hook = send_on;
    client_say(&ann, "{\"type\":\"message\"}");
    host_run(&here.host);
    ck_assert_int_eq(sent_on, WS_OK);
    for (int i = 0; i < MANY; i++)
        emit_number(&there.host, NULL, i);
    client_say(&ann, "{\"type\":\"message\"}");
    while (here.n_read < stream.count) {
        ws_cluster_event event = stream_event(++here.n_read);

        ck_assert_int_eq(ws_manager_cluster_deliver(here.host.manager, &event), WS_OK);
    }
    sent_on = WS_OK;
    ws_loop_run(here.host.loop, here.host.now_ms);
    ck_assert_int_eq(sent_on, WS_ERR_BACKPRESSURE);
    emit_number(&here.host, NULL, MANY);
    host_run(&here.host);
    client_say(&ann, "{\"type\":\"message\"}");
    host_run(&here.host);
    ck_assert_int_eq(sent_on, WS_OK);
    end();
}
END_TEST

/* A client's message makes another client, of another loop, join a room; its on_join sends. */
static void join_and_send(struct host *host, struct client *client, const char *line)
{
    const struct client *other = host->hook_data;

    if (strncmp(line, "accept_message", 14) == 0)
        ck_assert_int_eq(ws_manager_join_room(host->manager, other->id, "r"), WS_OK);
    else if (strncmp(line, "on_join", 7) == 0)
        send_on(host, client, "accept_message");
}

/* What the first client caused is done on the other loop, when its own loop is gone. */
START_TEST(a_callback_sends_for_a_client_whose_loop_was_freed)
{
    struct client other = {0};
    ws_loop *first;
    ws_loop *second;

    begin();
    first = here.host.loop;
    ck_assert_int_eq(ws_loop_new(here.host.manager, NULL, here.host.now_ms, &second), WS_OK);
    here.host.loop = second;
    client_open(&here.host, &other, "other", NULL);
    here.host.hook = join_and_send;
    here.host.hook_data = &other;
    client_say(&ann, "{\"type\":\"message\"}");
    ws_loop_run(first, here.host.now_ms);
    ws_loop_free(first);
    sent_on = WS_ERR_INVALID;
    host_run(&here.host);
    ck_assert_int_eq(sent_on, WS_OK);
    end();
    client_free(&other);
}
END_TEST

/* The work of a loop's commands that came from the stream. */
static uint64_t work_from_stream(const ws_loop *loop)
{
    const struct inbox *inboxes[] = {&loop->batch, &loop->inbox};
    uint64_t work = 0;

    for (int i = 0; i < 2; i++)
        for (size_t at = i == 0 ? loop->done : 0; at < inboxes[i]->count; at++)
            if (inboxes[i]->items[at].account.kind == ACCOUNT_CLUSTER)
                work += inboxes[i]->items[at].work;
    return work;
}

static void reauthorize_on_join(struct host *host, struct client *client, const char *line)
{
    if (strcmp(line, "on_join ann last success") == 0)
        ck_assert_int_eq(ws_manager_reauthorize(host->manager, client->id), WS_OK);
}

/* The application's own call takes two turns. It is no part of what is subtracted from the stream's
 * backlog when it is done. */
START_TEST(the_application_s_calls_are_not_taken_off_the_stream_s_backlog)
{
    enum { N_ROOMS = 200, N_EVENTS = 10000 };
    const ws_loop *loop;

    begin();
    loop = here.host.loop;
    for (int i = 0; i < N_ROOMS; i++) {
        char room[16];

        snprintf(room, sizeof room, "r%d", i);
        ck_assert_int_eq(ws_manager_join_room(here.host.manager, ann.id, room), WS_OK);
    }
    host_run(&here.host);
    here.host.hook = reauthorize_on_join;
    ck_assert_int_eq(ws_manager_join_room(here.host.manager, ann.id, "last"), WS_OK);
    ws_loop_run(here.host.loop, here.host.now_ms);
    ck_assert(loop->reauthorization.running);
    for (int i = 0; i < N_EVENTS; i++)
        emit_number(&there.host, NULL, i);
    while (here.n_read < stream.count) {
        ws_cluster_event event = stream_event(++here.n_read);

        ck_assert_int_eq(ws_manager_cluster_deliver(here.host.manager, &event), WS_OK);
    }
    do {
        ws_loop_run(here.host.loop, here.host.now_ms);
        ck_assert_uint_eq(atomic_load(&loop->stream_backlog), work_from_stream(loop));
    } while (atomic_load(&loop->stream_backlog) > 0);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        both_processes_deliver_all_events_in_one_order,
        users_and_rooms_span_all_processes,
        an_exclude_list_applies_to_one_process,
        stored_is_called_for_events_that_ask_for_it,
        a_callback_frees_its_event_before_the_call_returns,
        a_full_carrier_is_backpressure,
        a_client_recovers_on_the_other_process,
        a_client_waits_for_a_process_that_is_behind,
        a_client_waits_for_a_process_that_is_cut_off,
        a_position_that_is_not_in_the_stream_is_incomplete,
        an_answer_to_an_older_question_does_not_count,
        a_carrier_that_cannot_be_asked_is_given_up,
        another_epoch_while_a_client_waits,
        clients_that_connect_before_the_stream_is_reached,
        clients_are_notified_of_a_gap_or_another_epoch,
        a_loop_is_added_while_another_epoch_begins,
        invalid_events_of_the_stream_are_skipped,
        invalid_events_do_not_flood_the_log,
        invalid_arguments_are_refused,
        without_a_cluster_stored_is_called_at_once,
        without_memory_a_delivery_is_tried_again,
        clients_cannot_publish_while_the_loop_is_behind,
        a_callback_sends_for_a_client_whose_loop_was_freed,
        the_application_s_calls_are_not_taken_off_the_stream_s_backlog,
        NULL,
    };

    return suite_run("cluster", tests);
}
