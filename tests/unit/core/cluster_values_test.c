/* cluster_values_test.c: what rooms keep, with a cluster: what the carrier is to keep of an
 * event, and what a manager does with the values when it starts. Not here: a real Redis
 * (redis/values_test.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ws_manager/last_values.h>

#include "core/manager.h"
#include "support/stream.h"
#include "support/suite.h"

static struct process here;
static struct client ann;

static void keep(const char *type, int by_key, uint32_t max_values)
{
    ws_last_values_options options;

    ws_last_values_options_init(&options);
    options.room = "r";
    options.type = type;
    options.by_key = by_key;
    options.max_values = max_values;
    ck_assert_int_eq(ws_manager_keep_last_values(here.host.manager, &options), WS_OK);
}

static void begin(void)
{
    stream_reset();
    process_open(&here, 100);
}

static void end(void)
{
    process_close(&here);
    client_free(&ann);
    ann = (struct client){0};
    stream_reset();
}

static void emit(const char *type, const char *key, const char *data)
{
    ws_event *event;

    ck_assert_int_eq(ws_event_new(here.host.manager, type, data, strlen(data), &event), WS_OK);
    if (key != NULL)
        ck_assert_int_eq(ws_event_set_key(event, key), WS_OK);
    ck_assert_int_eq(ws_manager_broadcast_to_room(here.host.manager, "r", event, NULL, 0),
                     WS_OK);
    ws_event_free(event);
}

/* --- what the carrier is to keep ---------------------------------------------------------- */

static const struct stored *newest(void)
{
    return &stream.events[stream.count - 1];
}

START_TEST(the_carrier_learns_what_to_keep)
{
    ws_conn_id excluded;
    ws_event *event;

    begin();
    keep("order_created", 1, 7);
    keep("order_updated", 0, 5);
    process_start(&here, 0);
    client_open_in(&here.host, &ann, "ann", "r");
    emit("order_created", "k", "{\"key\":\"no\"}");
    ck_assert_str_eq(newest()->key, "k");
    ck_assert_int_eq(newest()->keep.removes, 0);
    ck_assert_uint_eq(newest()->keep.max_values, 7);
    ck_assert_uint_eq(newest()->keep.max_bytes, 1 << 20);
    ck_assert_uint_eq(newest()->keep.max_total_bytes, 64 << 20);
    emit("order_created", "k", "null");
    ck_assert_str_eq(newest()->key, "k");
    ck_assert_int_eq(newest()->keep.removes, 1);
    emit("order_created", NULL, "1"); /* kept by key only */
    ck_assert_uint_eq(newest()->keep.size, 0);
    emit("stock_low", "k", "1");
    ck_assert_uint_eq(newest()->keep.size, 0);
    emit("order_updated", "k", "null");
    ck_assert_ptr_null(newest()->key);
    ck_assert_int_eq(newest()->keep.removes, 1);
    excluded = ann.id;
    ck_assert_int_eq(ws_event_new(here.host.manager, "order_updated", "{\"a\":1}", 7, &event),
                     WS_OK);
    ck_assert_int_eq(ws_manager_broadcast_to_room(here.host.manager, "r", event, &excluded, 1),
                     WS_OK);
    ws_event_free(event);
    process_read_all(&here);
    /* The carrier counts as many bytes as the manager. */
    ck_assert_uint_eq(here.host.manager->last_values.count, 1);
    ck_assert_uint_eq(newest()->keep.bytes,
                      kept_value_cost(NULL, here.host.manager->last_values.first->message));
    emit("order_created", "key", "{\"a\":1}");
    process_read_all(&here);
    ck_assert_uint_eq(newest()->keep.bytes,
                      kept_value_cost("key", here.host.manager->last_values.last->message));
    end();
}
END_TEST

/* --- what a manager starts with ----------------------------------------------------------- */

/* The values of a carrier, by their positions. */
static ws_cluster_event value(uint64_t position, const char *text)
{
    return (ws_cluster_event){.size = sizeof(ws_cluster_event),
                              .scope = WS_SCOPE_ROOM,
                              .target = "r",
                              .text = text,
                              .length = strlen(text),
                              .position = position};
}

#define TEXT(key, n)                                                                           \
    "{\"type\":\"order_updated\",\"data\":" #n ",\"room\":\"r\",\"key\":\"" key "\"}"

/* Starts with the newest `n` events of the stream, and these values. */
static int start_with(const char *epoch, size_t n, const ws_cluster_event *values,
                      size_t n_values)
{
    ws_cluster_event *events = calloc(n + 1, sizeof *events);
    int result;

    ck_assert_ptr_nonnull(events);
    for (size_t i = 0; i < n; i++)
        events[i] = stream_event(stream.count - n + 1 + i);
    result = ws_manager_cluster_start_with(here.host.manager, epoch, stream.count, events, n,
                                           values, n_values);
    free(events);
    here.n_read = stream.count;
    host_run(&here.host);
    return result;
}

/* Enters the room and checks the data of its values. */
static void expect_state(const char *expected)
{
    char found[256] = "";
    const char *message;

    client_count(&ann);
    client_say(&ann, "{\"type\":\"join_room\",\"room\":\"r\",\"state\":true,\"last\":9}");
    host_run(&here.host);
    while ((message = client_next(&ann)) != NULL) {
        const char *data = strstr(message, "\"data\":");

        if (strstr(message, "\"state\":true") != NULL ||
            strstr(message, "\"replayed\":true") != NULL)
            snprintf(found + strlen(found), sizeof found - strlen(found), "%.1s", data + 7);
    }
    ck_assert_str_eq(found, expected);
}

static void emit_stream(void)
{
    emit("order_updated", "a", "1"); /* position 1 */
    emit("order_updated", "b", "2");
    emit("order_updated", "c", "3");
    emit("order_updated", "b", "4");
    emit("order_updated", "a", "null"); /* position 5 */
    emit("order_updated", "d", "6");
}

/* Whatever part of the stream is still there, the state is the same. */
START_TEST(values_and_events_together)
{
    const ws_cluster_event values[] = {value(3, TEXT("c", 3)), value(4, TEXT("b", 4)),
                                       value(6, TEXT("d", 6))};

    for (size_t n = 0; n <= 6; n++) {
        begin();
        keep(NULL, 1, 10);
        emit_stream();
        client_open(&here.host, &ann, "ann", NULL);
        ck_assert_int_eq(start_with(stream.epoch, n, values, 3), WS_OK);
        expect_state("346");
        end();
    }
}
END_TEST

/* What changed after `position` is not among the values. It arrives with the stream. */
START_TEST(values_that_changed_meanwhile_come_with_the_stream)
{
    const ws_cluster_event values[] = {value(3, TEXT("c", 3))};
    ws_cluster_event event;

    begin();
    keep(NULL, 1, 10);
    emit_stream();
    client_open_in(&here.host, &ann, "ann", "r");
    ck_assert_int_eq(
        ws_manager_cluster_start_with(here.host.manager, stream.epoch, 3, NULL, 0, values, 1),
        WS_OK);
    host_run(&here.host);
    client_count(&ann);
    for (uint64_t position = 4; position <= 6; position++) {
        event = stream_event(position);
        ck_assert_int_eq(ws_manager_cluster_deliver(here.host.manager, &event), WS_OK);
    }
    host_run(&here.host);
    ck_assert_uint_eq(client_count(&ann), 3);
    expect_state("346");
    end();
}
END_TEST

/* A room's history has only events that are in one piece with what follows. */
START_TEST(values_are_not_in_a_history)
{
    const ws_cluster_event values[] = {value(3, TEXT("c", 3)), value(4, TEXT("b", 4))};
    ws_room_history_options options;
    const char *answer;

    begin();
    ws_room_history_options_init(&options);
    ck_assert_int_eq(ws_manager_keep_room_history(here.host.manager, &options), WS_OK);
    emit_stream();
    client_open(&here.host, &ann, "ann", NULL);
    ck_assert_int_eq(start_with(stream.epoch, 2, values, 2), WS_OK);
    expect_state("n6");
    client_say(&ann, "{\"type\":\"join_room\",\"room\":\"r\",\"since\":\"aaaabbbb22.3\"}");
    host_run(&here.host);
    answer = client_next(&ann);
    ck_assert_msg(strstr(answer, "\"complete\":false") != NULL, "%s", answer);
    client_count(&ann);
    client_say(&ann, "{\"type\":\"join_room\",\"room\":\"r\",\"since\":\"aaaabbbb22.4\"}");
    host_run(&here.host);
    answer = client_next(&ann);
    ck_assert_msg(strstr(answer, "\"complete\":true") != NULL, "%s", answer);
    end();
}
END_TEST

START_TEST(a_manager_that_goes_on_keeps_what_it_has)
{
    const ws_cluster_event wrong[] = {value(1, TEXT("x", 9))};

    begin();
    keep(NULL, 1, 10);
    client_open(&here.host, &ann, "ann", NULL);
    ck_assert_int_eq(start_with(stream.epoch, 0, NULL, 0), WS_OK);
    emit("order_updated", "a", "1");
    emit("order_updated", "b", "2");
    process_read_all(&here);
    emit("order_updated", "c", "3");
    ck_assert_int_eq(start_with(stream.epoch, 2, wrong, 1), WS_OK);
    expect_state("123");
    /* An event is missing between: what it had may be out of date. */
    emit("order_updated", "d", "4");
    emit("order_updated", "e", "5");
    ck_assert_int_eq(start_with(stream.epoch, 1, wrong, 1), WS_OK);
    expect_state("95");
    /* So it may be in another epoch. */
    ck_assert_int_eq(start_with("ccccdddd33", 1, NULL, 0), WS_OK);
    expect_state("5");
    end();
}
END_TEST

START_TEST(invalid_values)
{
    ws_cluster_event twice[] = {value(2, TEXT("a", 1)), value(2, TEXT("b", 1))};
    ws_cluster_event late[] = {value(7, TEXT("a", 1))};
    ws_cluster_event for_user[] = {value(2, TEXT("a", 1))};
    ws_cluster_event odd[] = {value(1, "what?"), value(2, "{}"),
                              value(3, "{\"type\":7,\"key\":\"k\"}"), value(4, TEXT("a", 1))};

    begin();
    keep(NULL, 1, 10);
    emit_stream();
    client_open(&here.host, &ann, "ann", NULL);
    for_user[0].scope = WS_SCOPE_USER;
    ck_assert_int_eq(start_with(stream.epoch, 0, twice, 2), WS_ERR_INVALID);
    ck_assert_int_eq(start_with(stream.epoch, 0, late, 1), WS_ERR_INVALID);
    ck_assert_int_eq(start_with(stream.epoch, 0, for_user, 1), WS_ERR_INVALID);
    odd[1].target = "not a\nname";
    ck_assert_int_eq(start_with(stream.epoch, 0, odd, 4), WS_OK);
    expect_state("1");
    end();
}
END_TEST

/* A client that has seen later events elsewhere does not wait for them here to receive values: its
 * further messages wait for the values. */
START_TEST(values_do_not_wait_for_events)
{
    const ws_cluster_event values[] = {value(3, TEXT("c", 3))};
    ws_connect_options options;
    char after[EVENT_ID_SIZE];

    begin();
    keep(NULL, 1, 10);
    emit_stream();
    ck_assert_int_eq(start_with(stream.epoch, 0, values, 1), WS_OK);
    event_id_write(stream.epoch, stream.count + 1, after);
    ann = (struct client){.host = &here.host, .name = "ann"};
    client_options(&ann, &options);
    options.after = after;
    ck_assert_int_eq(ws_manager_connect(here.host.manager, here.host.loop, &options, &ann.id),
                     WS_OK);
    host_run(&here.host);
    expect_state("3");
    client_say(&ann, "{\"type\":\"ping\"}");
    host_run(&here.host);
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "\"pong\""));
    end();
}
END_TEST

/* What a room keeps is right, or says that it is not: no value is out of date, and a history
 * without a gap is complete. */
static void expect_honest(bool is_whole)
{
    const char *answer;
    bool is_complete;

    client_say(&ann, "{\"type\":\"join_room\",\"room\":\"r\",\"state\":true}");
    host_run(&here.host);
    answer = client_next(&ann);
    ck_assert(!is_whole || strstr(answer, "\"state\":3") != NULL);
    while ((answer = client_next(&ann)) != NULL)
        ck_assert_msg(strstr(answer, "\"data\":2") == NULL, "%s", answer);
    client_say(&ann, "{\"type\":\"join_room\",\"room\":\"r\",\"since\":\"aaaabbbb22.3\"}");
    host_run(&here.host);
    answer = client_next(&ann);
    is_complete = strstr(answer, "\"complete\":true") != NULL;
    ck_assert(is_complete || !is_whole);
    ck_assert(!is_complete || client_count(&ann) == 3);
}

/* After an error it is tried again. */
START_TEST(any_allocation_may_fail)
{
    const ws_cluster_event values[] = {value(2, TEXT("b", 2)), value(3, TEXT("c", 3))};
    ws_room_history_options options;
    bool failed = true;

    for (long n = 0; failed; n++) {
        begin();
        keep(NULL, 1, 10);
        ws_room_history_options_init(&options);
        ck_assert_int_eq(ws_manager_keep_room_history(here.host.manager, &options), WS_OK);
        emit_stream();
        client_open(&here.host, &ann, "ann", NULL);
        test_memory_fail(&here.host.memory, n, false);
        if (start_with(stream.epoch, 3, values, 2) != WS_OK)
            ck_assert_int_eq(start_with(stream.epoch, 3, values, 2), WS_OK);
        failed = here.host.memory.failed;
        test_memory_fail(&here.host.memory, NEVER_FAIL, false);
        client_count(&ann);
        if (ws_manager_is_member(here.host.manager, ann.id, "r") == 0 && !ann.gone)
            expect_honest(!failed);
        end();
    }
}
END_TEST

START_TEST(an_event_is_not_sent_without_memory)
{
    bool failed = true;

    for (long n = 0; failed; n++) {
        ws_event *event;
        int result;

        begin();
        keep(NULL, 1, 10);
        ck_assert_int_eq(start_with(stream.epoch, 0, NULL, 0), WS_OK);
        ck_assert_int_eq(ws_event_new(here.host.manager, "order_updated", "1", 1, &event),
                         WS_OK);
        ck_assert_int_eq(ws_event_set_key(event, "k"), WS_OK);
        test_memory_fail(&here.host.memory, n, false);
        result = ws_manager_broadcast_to_room(here.host.manager, "r", event, NULL, 0);
        failed = here.host.memory.failed;
        test_memory_fail(&here.host.memory, NEVER_FAIL, false);
        ck_assert_int_eq(result, failed ? WS_ERR_NO_MEMORY : WS_OK);
        ck_assert_uint_eq(stream.count, failed ? 0 : 1);
        ws_event_free(event);
        end();
    }
}
END_TEST

/* --- the lock ----------------------------------------------------------------------------- */

static ws_allocator real_memory;
static size_t n_under_lock; /* blocks that were made or freed with the manager's lock held */

static void count_if_locked(void)
{
    pthread_mutex_t *mutex = &here.host.manager->lock.mutex;

    if (pthread_mutex_trylock(mutex) == 0)
        pthread_mutex_unlock(mutex);
    else
        n_under_lock++;
}

static void *watched_malloc(size_t bytes, void *user_data)
{
    count_if_locked();
    return real_memory.malloc(bytes, user_data);
}

static void watched_free(void *block, void *user_data)
{
    count_if_locked();
    real_memory.free(block, user_data);
}

enum { MANY = 2000, FEW = 100 };

/* Starts with a value for each of many rooms, and then with as many events; returns what was done
 * with the lock held. */
static size_t start_with_many(const char *epoch)
{
    static char rooms[MANY][16];
    static char texts[MANY][80];
    static ws_cluster_event events[MANY];
    ws_manager *manager = here.host.manager;

    for (uint64_t i = 0; i < MANY; i++) {
        snprintf(rooms[i], sizeof rooms[i], "r%d", (int)i);
        snprintf(texts[i], sizeof texts[i],
                 "{\"type\":\"order_updated\",\"data\":1,\"room\":\"r%d\"}", (int)i);
        events[i] = value(i + 1, texts[i]);
        events[i].target = rooms[i];
    }
    n_under_lock = 0;
    ck_assert_int_eq(ws_manager_cluster_start_with(manager, epoch, MANY, NULL, 0, events, MANY),
                     WS_OK);
    ck_assert_uint_eq(manager->last_values.count, MANY);
    for (uint64_t i = 0; i < MANY; i++)
        events[i].position += 2 * MANY;
    ck_assert_int_eq(ws_manager_cluster_start(manager, epoch, 3 * MANY, events, MANY), WS_OK);
    ck_assert_uint_eq(manager->last_values.count, MANY);
    ck_assert_uint_eq(manager->last_values.last->message->position, 3 * MANY);
    ck_assert_uint_eq(manager->history.count, MANY);
    host_run(&here.host);
    return n_under_lock;
}

/* Other threads need the lock for whatever they send. */
START_TEST(many_values_and_events_are_replaced_without_the_lock)
{
    ws_last_values_options options;
    ws_manager *manager;

    stream_reset();
    process_open(&here, 2 * MANY);
    manager = here.host.manager;
    ws_last_values_options_init(&options);
    options.by_key = 0;
    options.max_values = 1;
    ck_assert_int_eq(ws_manager_keep_last_values(manager, &options), WS_OK);
    real_memory = manager->memory;
    manager->memory.malloc = watched_malloc;
    manager->memory.free = watched_free;
    ck_assert_uint_lt(start_with_many(stream.epoch), FEW);
    ck_assert_uint_lt(start_with_many("ccccdddd33"), FEW);
    manager->memory = real_memory;
    end();
}
END_TEST

/* A rule that is added later keeps what comes later, also after a new start. */
START_TEST(a_rule_is_added_between_two_starts)
{
    const ws_cluster_event values[] = {value(1, TEXT("a", 1))};

    begin();
    emit_stream();
    client_open(&here.host, &ann, "ann", NULL);
    ck_assert_int_eq(start_with(stream.epoch, 0, values, 1), WS_OK);
    expect_state("");
    keep(NULL, 1, 10);
    emit("order_updated", "e", "7");
    process_read_all(&here);
    expect_state("7");
    ck_assert_int_eq(start_with("ccccdddd33", 0, values, 1), WS_OK);
    expect_state("1");
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_carrier_learns_what_to_keep,
        values_and_events_together,
        values_that_changed_meanwhile_come_with_the_stream,
        values_are_not_in_a_history,
        a_manager_that_goes_on_keeps_what_it_has,
        values_do_not_wait_for_events,
        invalid_values,
        any_allocation_may_fail,
        an_event_is_not_sent_without_memory,
        many_values_and_events_are_replaced_without_the_lock,
        a_rule_is_added_between_two_starts,
        NULL,
    };

    return suite_run("cluster values", tests);
}
