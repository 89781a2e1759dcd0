/* cluster_test.c: two managers and a carrier made of memory: what one sends both deliver, in the
 * stream's order, and a client recovers on either. Not here: a real engine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ws_manager/cluster.h>

#include "core/manager.h"
#include "support/host.h"
#include "support/suite.h"

enum { MOST = 2000 };

/* The stream, and what a process's carrier keeps. */
struct stored {
    int32_t scope;
    char *target;
    char *exclude;
    char *text;
    char *producer;
    uint64_t sequence;
};

static struct stored stream[MOST];
static size_t n_stored;
static void *receipts[MOST];
static int publish_result;
static void *request; /* the last that fetch() got */
static uint64_t fetch_after;
static int fetch_result;
static const char *const epoch = "aaaabbbb22";

struct process {
    struct host host;
    size_t n_read;
};

static struct process here;
static struct process there;
static struct client ann;
static struct client bob;
static char told[256]; /* a line for each call of stored() */

static char *copy(const char *text)
{
    return text != NULL ? strdup(text) : NULL;
}

static int publish(const ws_cluster_event *event, void *receipt, void *data)
{
    (void)data;
    if (publish_result != WS_OK)
        return publish_result;
    ck_assert_uint_lt(n_stored, MOST);
    stream[n_stored] = (struct stored){
        .scope = event->scope,
        .target = copy(event->target),
        .exclude = copy(event->exclude),
        .text = strndup(event->text, event->length),
        .producer = copy(event->producer),
        .sequence = event->sequence,
    };
    receipts[n_stored++] = receipt;
    return WS_OK;
}

static int fetch(uint64_t after, uint32_t max_events, void *asked, void *data)
{
    (void)data;
    ck_assert_uint_gt(max_events, 0);
    fetch_after = after;
    if (fetch_result == WS_OK)
        request = asked;
    return fetch_result;
}

static ws_cluster_event event_at(uint64_t position)
{
    const struct stored *stored = &stream[position - 1];

    return (ws_cluster_event){
        .size = sizeof(ws_cluster_event),
        .scope = stored->scope,
        .target = stored->target,
        .exclude = stored->exclude,
        .text = stored->text,
        .length = strlen(stored->text),
        .position = position,
    };
}

/* What is in the stream arrives. */
static void read_all(struct process *process)
{
    while (process->n_read < n_stored) {
        ws_cluster_event event = event_at(process->n_read + 1);

        ck_assert_int_eq(ws_manager_cluster_deliver(process->host.manager, &event), WS_OK);
        process->n_read++;
    }
    host_run(&process->host);
}

static void open_process(struct process *process, uint32_t history_events)
{
    static const ws_cluster cluster = {sizeof cluster, publish, fetch};

    host_init(&process->host);
    process->host.options.history_events = history_events;
    process->n_read = 0;
    ck_assert_int_eq(ws_manager_new(&process->host.options, &process->host.manager), WS_OK);
    ck_assert_int_eq(ws_manager_set_cluster(process->host.manager, &cluster, process), WS_OK);
    ck_assert_int_eq(ws_loop_new(process->host.manager, NULL, 0, &process->host.loop), WS_OK);
}

/* With the newest n events at once. */
static void start(struct process *process, size_t n)
{
    ws_cluster_event events[MOST];

    for (size_t i = 0; i < n; i++)
        events[i] = event_at(n_stored - n + 1 + i);
    ck_assert_int_eq(
        ws_manager_cluster_start(process->host.manager, epoch, n_stored, events, n), WS_OK);
    process->n_read = n_stored;
    host_run(&process->host);
}

static void begin(void)
{
    open_process(&here, 100);
    open_process(&there, 100);
    start(&here, 0);
    start(&there, 0);
    client_open(&here.host, &ann, "ann", "ann");
    client_open(&there.host, &bob, "bob", "bob");
}

static void close_process(struct process *process)
{
    if (process->host.manager != NULL)
        host_close(&process->host);
    process->host.manager = NULL;
}

static void end(void)
{
    close_process(&here);
    close_process(&there);
    client_free(&ann);
    client_free(&bob);
    ann = bob = (struct client){0};
    for (size_t i = 0; i < n_stored; i++) {
        free(stream[i].target);
        free(stream[i].exclude);
        free(stream[i].text);
        free(stream[i].producer);
    }
    n_stored = 0;
    publish_result = fetch_result = WS_OK;
    request = NULL;
    told[0] = '\0';
}

static const char *id_of(int position)
{
    static char ids[4][EVENT_ID_SIZE];
    static unsigned next;
    char *id = ids[next++ % 4];

    event_id_write(epoch, (uint64_t)position, id);
    return id;
}

START_TEST(what_one_sends_both_deliver_in_one_order)
{
    begin();
    emit_number(&here.host, NULL, 1);
    emit_number(&there.host, NULL, 2);
    emit_number(&here.host, "r", 3);
    host_run(&here.host);
    client_expect(&ann, NULL); /* not before it is read back */
    read_all(&here);
    read_all(&there);
    client_expect(&ann, number_message(1, NULL, 1), number_message(2, NULL, 2), NULL);
    client_expect(&bob, number_message(1, NULL, 1), number_message(2, NULL, 2), NULL);
    client_say(&bob, "{\"type\":\"ping\"}");
    host_run(&there.host);
    client_expect(&bob, "{\"type\":\"pong\",\"data\":{\"id\":\"E.3\"}}", NULL);
    end();
}
END_TEST

START_TEST(users_and_rooms_of_every_process)
{
    begin();
    ck_assert_int_eq(ws_manager_join_room(there.host.manager, bob.id, "r"), WS_OK);
    emit_number(&here.host, "r", 1);
    ck_assert_int_eq(ws_manager_emit_notification(here.host.manager, "hello", "bob", "info"),
                     WS_OK);
    read_all(&here);
    read_all(&there);
    client_expect(&ann, NULL);
    client_expect(&bob, number_message(1, "r", 1),
                  "{\"id\":\"E.2\",\"type\":\"notification\",\"data\":{\"message\":\"hello\","
                  "\"severity\":\"info\"},\"timestamp\":\"1970-01-01T00:00:00.000Z\","
                  "\"user_id\":\"bob\"}",
                  NULL);
    end();
}
END_TEST

START_TEST(exclusions_are_of_one_process)
{
    ws_event *event;

    begin();
    ck_assert_uint_eq(ann.id, bob.id); /* the same number means another one there */
    ck_assert_int_eq(ws_event_new(here.host.manager, "notification", "{\"n\":1}", 7, &event),
                     WS_OK);
    ck_assert_int_eq(ws_manager_broadcast(here.host.manager, event, &ann.id, 1), WS_OK);
    ck_assert_str_eq(ws_event_id(event), "");
    ws_event_free(event);
    read_all(&here);
    read_all(&there);
    client_expect(&ann, NULL);
    client_expect(&bob, number_message(1, NULL, 1), NULL);
    end();
}
END_TEST

static void stored(int result, const char *id, void *user_data)
{
    snprintf(told + strlen(told), sizeof told - strlen(told), "%s %s %s\n",
             (const char *)user_data, ws_strerror(result), id);
}

START_TEST(who_asks_learns_that_it_is_stored)
{
    char expected[256];
    ws_event *event;

    begin();
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(
            ws_event_new(here.host.manager, "notification", "{\"n\":1}", 7, &event), WS_OK);
        ck_assert_int_eq(ws_event_set_sequence(event, "outbox", (uint64_t)i + 7), WS_OK);
        ck_assert_int_eq(ws_event_on_stored(event, stored, (void *)(uintptr_t) "event"), WS_OK);
        ck_assert_int_eq(ws_manager_broadcast(here.host.manager, event, NULL, 0), WS_OK);
        ck_assert_int_eq(ws_event_on_stored(event, stored, NULL), WS_ERR_ALREADY);
        ck_assert_int_eq(ws_event_set_sequence(event, "outbox", 1), WS_ERR_ALREADY);
        ws_event_free(event);
    }
    ck_assert_str_eq(told, "");
    ck_assert_str_eq(stream[1].producer, "outbox");
    ck_assert_uint_eq(stream[1].sequence, 8);
    ws_manager_cluster_stored(here.host.manager, receipts[0], WS_OK, 1);
    ws_manager_cluster_stored(here.host.manager, receipts[1], WS_OK, 0);
    ws_manager_cluster_stored(here.host.manager, receipts[2], WS_ERR_CLOSED, 0);
    ws_manager_cluster_stored(here.host.manager, NULL, WS_OK, 4);
    snprintf(expected, sizeof expected, "event success %s\nevent success \nevent %s \n",
             id_of(1), ws_strerror(WS_ERR_CLOSED));
    ck_assert_str_eq(told, expected);
    end();
}
END_TEST

START_TEST(a_carrier_that_is_full)
{
    ws_event *event;

    begin();
    publish_result = WS_ERR_BACKPRESSURE;
    ck_assert_int_eq(ws_event_new(here.host.manager, "notification", "{\"n\":1}", 7, &event),
                     WS_OK);
    ck_assert_int_eq(ws_event_on_stored(event, stored, NULL), WS_OK);
    ck_assert_int_eq(ws_manager_broadcast(here.host.manager, event, &ann.id, 1),
                     WS_ERR_BACKPRESSURE);
    publish_result = WS_OK;
    ck_assert_int_eq(ws_manager_broadcast(here.host.manager, event, &ann.id, 1), WS_OK);
    ws_manager_cluster_stored(here.host.manager, receipts[0], WS_OK, 1);
    ws_event_free(event);
    end();
}
END_TEST

static void come_back(struct process *process, const char *after, const char *former)
{
    ws_connect_options options;

    client_free(&ann);
    ann = (struct client){.host = &process->host, .name = "ann"};
    client_options(&ann, &options);
    options.user_id = "ann";
    options.after = after;
    options.former_connection_id = former;
    ck_assert_int_eq(
        ws_manager_connect(process->host.manager, process->host.loop, &options, &ann.id),
        WS_OK);
    host_run(&process->host);
}

static const char *recovered(bool is_complete, int count, int position)
{
    static char text[128];

    snprintf(text, sizeof text,
             "{\"type\":\"recovered\",\"data\":{\"complete\":%s,\"count\":%d,\"id\":\"E.%d\"}}",
             is_complete ? "true" : "false", count, position);
    return text;
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
    read_all(&there);
    client_lose(&ann);
    come_back(&there, id_of(0), former);
    ck_assert_ptr_nonnull(client_next(&ann));
    client_expect(&ann, number_message(1, NULL, 1), number_message(4, NULL, 4),
                  recovered(true, 2, 4), NULL);
    end();
}
END_TEST

START_TEST(a_process_that_is_behind)
{
    begin();
    emit_number(&here.host, NULL, 1);
    emit_number(&here.host, NULL, 2);
    client_lose(&ann);
    come_back(&there, id_of(1), NULL);
    ck_assert_ptr_nonnull(client_next(&ann));
    client_expect(&ann, NULL);
    read_all(&there);
    there.host.now_ms += 1000;
    host_run(&there.host);
    client_expect(&ann, number_message(2, NULL, 2), recovered(true, 1, 2), NULL);
    /* What will never come is given up. */
    client_lose(&ann);
    come_back(&there, id_of(1000000), NULL);
    for (int i = 0; i < 200; i++) {
        there.host.now_ms += 100;
        host_run(&there.host);
    }
    ck_assert_ptr_nonnull(client_next(&ann));
    client_expect(&ann, recovered(false, 0, 2), NULL);
    end();
}
END_TEST

START_TEST(clients_that_come_before_the_stream_is_reached)
{
    begin();
    for (int i = 1; i <= 3; i++)
        emit_number(&here.host, NULL, i);
    close_process(&there);
    open_process(&there, 100);
    client_free(&bob);
    bob = (struct client){0};
    client_open(&there.host, &bob, "bob", "bob");
    client_lose(&ann);
    come_back(&there, id_of(1), NULL);
    ck_assert_ptr_nonnull(strstr(client_next(&ann), id_of(1)));
    client_expect(&ann, NULL);
    start(&there, 3);
    client_expect(&ann, number_message(2, NULL, 2), number_message(3, NULL, 3),
                  recovered(true, 2, 3), NULL);
    /* Who was connected without a stream may have missed something. */
    client_expect(&bob, recovered(false, 0, 3), NULL);
    end();
}
END_TEST

START_TEST(another_epoch_and_a_gap)
{
    begin();
    emit_number(&here.host, NULL, 1);
    read_all(&here);
    ck_assert_uint_eq(client_count(&ann), 1);
    /* Reached again, and nothing has happened. */
    ck_assert_int_eq(ws_manager_cluster_start(here.host.manager, epoch, 1, NULL, 0), WS_OK);
    host_run(&here.host);
    client_expect(&ann, NULL);
    /* Events that were trimmed before they were read. */
    ck_assert_int_eq(ws_manager_cluster_start(here.host.manager, epoch, 5, NULL, 0), WS_OK);
    host_run(&here.host);
    client_expect(&ann, recovered(false, 0, 5), NULL);
    /* The stream is gone. */
    ck_assert_int_eq(ws_manager_cluster_start(here.host.manager, "zzzzzzzzzz", 0, NULL, 0),
                     WS_OK);
    host_run(&here.host);
    client_expect(&ann,
                  "{\"type\":\"recovered\",\"data\":{\"complete\":false,\"count\":0,"
                  "\"id\":\"E.0\"}}",
                  NULL);
    client_lose(&ann);
    come_back(&here, id_of(1), NULL);
    ck_assert_ptr_nonnull(client_next(&ann));
    client_expect(&ann, recovered(false, 0, 0), NULL);
    end();
}
END_TEST

/* Answers the last request with events of the stream. */
static void answer(struct process *process, size_t n)
{
    ws_cluster_event events[MOST];

    for (size_t i = 0; i < n; i++)
        events[i] = event_at(fetch_after + 1 + i);
    ck_assert_ptr_nonnull(request);
    ck_assert_int_eq(ws_manager_cluster_fetched(process->host.manager, request, events, n),
                     WS_OK);
    request = NULL;
    host_run(&process->host);
}

static void forget_most(void)
{
    close_process(&there);
    open_process(&there, 10);
    start(&there, 10);
}

START_TEST(what_the_history_does_not_have_is_fetched)
{
    begin();
    for (int i = 1; i <= 500; i++)
        emit_number(&here.host, i % 2 == 0 ? "r" : NULL, i);
    client_lose(&ann);
    client_free(&bob);
    forget_most();
    come_back(&there, id_of(100), NULL);
    ck_assert_uint_eq(fetch_after, 100);
    emit_number(&here.host, NULL, 501);
    read_all(&there);
    answer(&there, 200);
    ck_assert_uint_eq(fetch_after, 300);
    answer(&there, 200);
    ck_assert_ptr_nonnull(client_next(&ann));
    for (int i = 101; i <= 501; i += 2)
        ck_assert_str_eq(client_next(&ann), number_message(i, NULL, i));
    client_expect(&ann, recovered(true, 201, 501), NULL);
    end();
}
END_TEST

START_TEST(what_is_fetched_waits_for_room)
{
    begin();
    for (int i = 1; i <= 100; i++)
        emit_number(&here.host, NULL, i);
    client_lose(&ann);
    client_free(&bob);
    forget_most();
    come_back(&there, id_of(10), NULL);
    ann.send_result = WS_ERR_BACKPRESSURE;
    answer(&there, 90);
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(ws_manager_transport_drained(there.host.manager, ann.id), WS_OK);
    ck_assert_uint_eq(ann.n_messages, 22);
    ann.send_result = WS_OK;
    ck_assert_int_eq(ws_manager_transport_drained(there.host.manager, ann.id), WS_OK);
    ck_assert_ptr_nonnull(client_next(&ann));
    for (int i = 11; i <= 100; i++)
        ck_assert_str_eq(client_next(&ann), number_message(i, NULL, i));
    client_expect(&ann, recovered(true, 90, 100), NULL);
    end();
}
END_TEST

START_TEST(what_can_not_be_fetched)
{
    for (int how = 0; how < 6; how++) {
        begin();
        for (int i = 1; i <= 50; i++)
            emit_number(&here.host, NULL, i);
        client_lose(&ann);
        client_free(&bob);
        forget_most();
        fetch_result = how == 0 ? WS_ERR_BACKPRESSURE : WS_OK;
        come_back(&there, id_of(10), NULL);
        if (how == 1) { /* it is gone there too */
            answer(&there, 0);
        } else if (how == 2) { /* it begins later */
            fetch_after++;
            answer(&there, 5);
        } else if (how == 3) { /* there is no answer */
            there.host.now_ms += 60000;
            host_run(&there.host);
            there.host.now_ms += 60000;
            host_run(&there.host);
        } else if (how == 4) { /* nor memory for one */
            test_memory_fail(&there.host.memory, 0, true);
            answer(&there, 0);
            test_memory_fail(&there.host.memory, NEVER_FAIL, false);
            there.host.now_ms += 60000;
            host_run(&there.host);
            there.host.now_ms += 60000;
            host_run(&there.host);
        }
        if (how < 5) {
            ck_assert_ptr_nonnull(client_next(&ann));
            client_expect(&ann, recovered(false, 0, 50), NULL);
        }
        if (how == 5) /* the client is gone */
            client_lose(&ann);
        if (how == 3 || how == 5) /* too late */
            answer(&there, 5);
        end();
    }
}
END_TEST

START_TEST(what_can_not_be_understood)
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

START_TEST(bad_arguments)
{
    static const ws_cluster incomplete = {.size = sizeof incomplete, .publish = publish};
    static const ws_cluster whole = {sizeof whole, publish, fetch};
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
    ck_assert_int_eq(ws_manager_cluster_start(here.host.manager, epoch, 8, &event, 1),
                     WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_cluster_start(here.host.manager, epoch, 0, &event, 1),
                     WS_ERR_INVALID);
    ck_assert_int_eq(ws_cluster_new_epoch(drawn), WS_OK);
    ck_assert(epoch_valid(drawn));
    ck_assert_str_eq(ws_manager_process_id(here.host.manager), here.host.manager->process);
    ck_assert_int_eq(ws_event_new(here.host.manager, "notification", "1", 1, &made), WS_OK);
    ck_assert_int_eq(ws_event_set_sequence(made, "", 1), WS_ERR_INVALID);
    ck_assert_int_eq(ws_event_set_sequence(made, "p", 0), WS_ERR_INVALID);
    ck_assert_int_eq(ws_event_set_sequence(NULL, "p", 1), WS_ERR_INVALID);
    ck_assert_int_eq(ws_event_on_stored(NULL, stored, NULL), WS_ERR_INVALID);
    ws_event_free(made);
    ck_assert_int_eq(ws_manager_set_cluster(here.host.manager, NULL, NULL), WS_OK);
    end();
}
END_TEST

START_TEST(without_a_cluster_stored_is_said_at_once)
{
    struct host alone;
    ws_event *event;

    host_open(&alone);
    ck_assert_int_eq(ws_event_new(alone.manager, "notification", "1", 1, &event), WS_OK);
    ck_assert_int_eq(ws_event_set_sequence(event, "outbox", 1), WS_OK);
    ck_assert_int_eq(ws_event_on_stored(event, stored, (void *)(uintptr_t) "event"), WS_OK);
    ck_assert_int_eq(ws_manager_broadcast(alone.manager, event, NULL, 0), WS_OK);
    ck_assert_ptr_nonnull(strstr(told, ws_event_id(event)));
    ws_event_free(event);
    host_close(&alone);
    told[0] = '\0';
}
END_TEST

START_TEST(without_memory_it_is_tried_again)
{
    for (int n = 0; n < 20; n++) {
        ws_cluster_event event;
        int result;

        begin();
        emit_number(&there.host, "r", 1);
        event = event_at(1);
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

int main(void)
{
    const TTest *const tests[] = {
        what_one_sends_both_deliver_in_one_order,
        users_and_rooms_of_every_process,
        exclusions_are_of_one_process,
        who_asks_learns_that_it_is_stored,
        a_carrier_that_is_full,
        a_client_recovers_on_the_other_process,
        a_process_that_is_behind,
        clients_that_come_before_the_stream_is_reached,
        another_epoch_and_a_gap,
        what_the_history_does_not_have_is_fetched,
        what_is_fetched_waits_for_room,
        what_can_not_be_fetched,
        what_can_not_be_understood,
        bad_arguments,
        without_a_cluster_stored_is_said_at_once,
        without_memory_it_is_tried_again,
        NULL,
    };

    return suite_run("cluster", tests);
}
