/* pending_values_test.c: what rooms keep for clients that read slowly is bounded: they wait
 * before they enter more rooms. Not here: which values they receive (last_values_test.c). */
#include <stdio.h>
#include <string.h>

#include <ws_manager/last_values.h>

#include "core/connections/connection.h"
#include "core/recovery/state.h"
#include "support/host.h"
#include "support/suite.h"

static struct host host;
static struct client ann;

static void begin_of(uint32_t max_values, uint32_t history_events, int slow_policy)
{
    ws_last_values_options options;

    host_init(&host);
    host.options.history_events = history_events;
    host.options.slow_policy = slow_policy;
    host_start(&host);
    ws_last_values_options_init(&options);
    options.max_values = max_values;
    options.max_bytes = 0;
    ck_assert_int_eq(ws_manager_keep_last_values(host.manager, &options), WS_OK);
    client_open(&host, &ann, "ann", NULL);
}

static void begin_with(uint32_t max_values)
{
    begin_of(max_values, 10000, WS_SLOW_DISCONNECT);
}

static void begin_without_history(uint32_t max_values)
{
    begin_of(max_values, 0, WS_SLOW_DISCONNECT);
}

static void end(void)
{
    host_close(&host);
    client_free(&ann);
    ann = (struct client){0};
}

static void fill_with(const char *room, int n, const char *data, size_t length)
{
    for (int i = 0; i < n; i++) {
        ws_event *event;
        char key[16];

        snprintf(key, sizeof key, "%d", i);
        ck_assert_int_eq(ws_event_new(host.manager, "order_updated", data, length, &event),
                         WS_OK);
        ck_assert_int_eq(ws_event_set_key(event, key), WS_OK);
        ck_assert_int_eq(ws_manager_broadcast_to_room(host.manager, room, event, NULL, 0),
                         WS_OK);
        ws_event_free(event);
    }
    host_run(&host);
}

static void fill(const char *room, int n)
{
    fill_with(room, n, "1", 1);
}

/* What waits for ann. */
static size_t n_pending(void)
{
    const struct connection *connection;
    size_t n;

    manager_lock(host.manager);
    connection = connection_find(host.manager, ann.id);
    n = connection != NULL ? connection_pending_values(connection) : 0;
    manager_unlock(host.manager);
    return n;
}

static void join(void)
{
    client_say(&ann, "{\"type\":\"join_room\",\"room\":\"r\",\"state\":true}");
}

/* Ann reads again. */
static void read_all(void)
{
    ann.send_result = WS_OK;
    ck_assert_int_eq(ws_manager_transport_writable(host.manager, ann.id), WS_OK);
    host_run(&host);
}

static void expect_answer_and_values(int n)
{
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "room_joined"));
    for (int i = 0; i < n; i++)
        ck_assert_ptr_nonnull(strstr(client_next(&ann), "\"state\":true"));
}

START_TEST(a_client_that_enters_again_and_again_is_bounded)
{
    enum { N = 40, JOINS = 100 };

    begin_with(N);
    fill("r", N);
    ann.send_result = WS_ERR_BACKPRESSURE;
    for (int i = 0; i < JOINS; i++)
        join();
    host_run(&host);
    ck_assert_uint_gt(n_pending(), 0);
    ck_assert_uint_lt(n_pending(), N);
    read_all();
    for (int i = 0; i < JOINS; i++)
        expect_answer_and_values(N);
    ck_assert_uint_eq(client_count(&ann), 0);
    ck_assert_uint_eq(n_pending(), 0);
    end();
}
END_TEST

/* A loop whose clients only have to read does not ask to be run again. */
START_TEST(the_loop_sleeps_until_the_client_has_read)
{
    begin_with(10);
    fill("r", 10);
    ann.send_result = WS_ERR_BACKPRESSURE;
    join();
    client_say(&ann, "{\"type\":\"ping\"}");
    host_run(&host);
    ck_assert_uint_gt(ws_loop_run(host.loop, host.now_ms), host.now_ms);
    client_say(&ann, "{\"type\":\"ping\"}");
    ck_assert_uint_gt(ws_loop_run(host.loop, host.now_ms), host.now_ms);
    /* Its transport accepts all values before the loop runs: that it has to run is said. */
    host.n_wakes = 0;
    ann.send_result = WS_OK;
    ck_assert_int_eq(ws_manager_transport_writable(host.manager, ann.id), WS_OK);
    ck_assert_uint_eq(n_pending(), 0);
    ck_assert_uint_gt(host.n_wakes, 0);
    host_run(&host);
    expect_answer_and_values(10);
    ck_assert_uint_eq(client_count(&ann), 2);
    end();
}
END_TEST

START_TEST(a_client_that_ends_while_its_messages_wait)
{
    begin_with(10);
    fill("r", 10);
    ann.send_result = WS_ERR_BACKPRESSURE;
    join();
    client_say(&ann, "{\"type\":\"ping\"}");
    host_run(&host);
    ck_assert_uint_gt(n_pending(), 0);
    client_lose(&ann);
    host_run(&host);
    end();
}
END_TEST

START_TEST(a_client_that_is_too_slow_while_its_messages_wait)
{
    begin_with(10);
    fill("r", 10);
    ann.send_result = WS_ERR_BACKPRESSURE;
    join();
    client_say(&ann, "{\"type\":\"ping\"}");
    host_run(&host);
    ann.send_result = WS_ERR_DROPPED;
    ck_assert_int_eq(ws_manager_send_text(host.manager, ann.id, "x", 1), WS_OK);
    host_run(&host);
    ck_assert_int_eq(ann.n_closes, 1);
    end();
}
END_TEST

/* --- rooms that are named when the client connects ---------------------------------------- */

enum { ROOMS = 12, VALUES = 500 };

/* Each room has so many values of this data. */
static void come_to(int n, const char *data, size_t length)
{
    static char names[ROOMS][16];
    static const char *rooms[ROOMS];
    ws_connect_options options;

    for (int i = 0; i < ROOMS; i++) {
        snprintf(names[i], sizeof names[i], "r%d", i);
        rooms[i] = names[i];
        fill_with(names[i], n, data, length);
    }
    client_lose(&ann);
    client_free(&ann);
    ann = (struct client){.host = &host, .name = "ann", .send_result = WS_ERR_BACKPRESSURE};
    client_options(&ann, &options);
    options.rooms = rooms;
    options.n_rooms = ROOMS;
    options.with_state = 1;
    ck_assert_int_eq(ws_manager_connect(host.manager, host.loop, &options, &ann.id), WS_OK);
    client_say(&ann, "{\"type\":\"ping\"}");
    host_run(&host);
}

static void come(void)
{
    come_to(VALUES, "1", 1);
}

START_TEST(further_rooms_wait_until_the_client_has_read)
{
    begin_with(VALUES);
    come();
    ck_assert_uint_ge(n_pending(), PENDING_VALUES_MANY - VALUES);
    ck_assert_uint_lt(n_pending(), PENDING_VALUES_MANY + VALUES);
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, "r11"), 0);
    ck_assert_uint_gt(ws_loop_run(host.loop, host.now_ms), host.now_ms);
    read_all();
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, "r11"), 1);
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "\"welcome\""));
    for (int i = 0; i < ROOMS * VALUES; i++)
        ck_assert_ptr_nonnull(strstr(client_next(&ann), "\"state\":true"));
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "\"pong\""));
    ck_assert_uint_eq(client_count(&ann), 0);
    end();
}
END_TEST

/* The values are few, but large. */
START_TEST(further_rooms_wait_for_bytes_too)
{
    enum { N = 3, BYTES = PENDING_VALUES_MANY_BYTES / 8 };
    static char data[BYTES];

    memset(data, '1', sizeof data);
    begin_with(N);
    come_to(N, data, sizeof data);
    ck_assert_uint_ge(n_pending(), 8 - N);
    ck_assert_uint_lt(n_pending(), 8 + N);
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, "r11"), 0);
    ck_assert_uint_gt(ws_loop_run(host.loop, host.now_ms), host.now_ms);
    read_all();
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, "r11"), 1);
    ck_assert_uint_eq(n_pending(), 0);
    ck_assert_uint_eq(client_count(&ann), 1 + ROOMS * N + 1);
    end();
}
END_TEST

START_TEST(a_client_that_ends_while_further_rooms_wait)
{
    begin_with(VALUES);
    come();
    client_lose(&ann);
    host_run(&host);
    end();
}
END_TEST

/* A turn lets so many clients enter as the values that it collects for them allow. */
START_TEST(values_of_named_rooms_cost_their_clients)
{
    enum { CLIENTS = 60, N = 1000 };
    static struct client clients[CLIENTS];
    const char *const rooms[] = {"r"};
    ws_connect_options options;
    int n_members = 0;

    begin_with(N);
    fill("r", N);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){.host = &host, .name = "guest"};
        client_options(&clients[i], &options);
        options.rooms = rooms;
        options.n_rooms = 1;
        options.with_state = 1;
        ck_assert_int_eq(ws_manager_connect(host.manager, host.loop, &options, &clients[i].id),
                         WS_OK);
    }
    ws_loop_run(host.loop, host.now_ms);
    for (int i = 0; i < CLIENTS; i++)
        n_members += ws_manager_is_member(host.manager, clients[i].id, "r");
    ck_assert_int_gt(n_members, 0);
    ck_assert_int_lt(n_members, CLIENTS / 2);
    host_run(&host);
    for (int i = 0; i < CLIENTS; i++) {
        ck_assert_int_eq(ws_manager_is_member(host.manager, clients[i].id, "r"), 1);
        ck_assert_uint_eq(client_count(&clients[i]), 1 + N);
    }
    end();
    for (int i = 0; i < CLIENTS; i++)
        client_free(&clients[i]);
}
END_TEST

/* --- without a history -------------------------------------------------------------------- */

static void expect_numbers(int first, int n, const char *room)
{
    for (int i = first; i < first + n; i++)
        ck_assert_str_eq(client_next(&ann), number_message(i, room, i));
}

static void emit_numbers(int first, int n, const char *room)
{
    for (int i = first; i < first + n; i++)
        emit_number(&host, room, i);
    host_run(&host);
}

/* Ann enters a room of N values, of which her transport takes one. */
static void enter_slowly(int n)
{
    fill("r", n);
    ann.send_result = WS_ERR_BACKPRESSURE;
    join();
    host_run(&host);
    ck_assert_uint_gt(n_pending(), 0);
}

/* They would be in the history, from which a client reads them when it has read the values. */
START_TEST(events_wait_behind_the_values)
{
    enum { N = 10, EVENTS = 3000 };

    begin_without_history(N);
    enter_slowly(N);
    emit_numbers(N + 1, EVENTS / 2, "r");
    emit_numbers(N + 1 + EVENTS / 2, EVENTS / 2, NULL);
    client_say(&ann, "{\"type\":\"ping\"}");
    read_all();
    expect_answer_and_values(N);
    expect_numbers(N + 1, EVENTS / 2, "r");
    expect_numbers(N + 1 + EVENTS / 2, EVENTS / 2, NULL);
    ck_assert_str_eq(client_next(&ann), "{\"type\":\"pong\",\"data\":{\"id\":\"E.3010\"}}");
    ck_assert_uint_eq(client_count(&ann), 0);
    emit_numbers(N + EVENTS + 1, 1, "r");
    expect_numbers(N + EVENTS + 1, 1, "r");
    end();
}
END_TEST

/* More bytes than may wait: as for any client whose queue is full, the policy decides. */
static void wait_for_too_many(int slow_policy)
{
    enum { N = 10, EVENTS = PENDING_EVENTS_MAX_BYTES / 100 };
    size_t waiting;

    begin_of(N, 0, slow_policy);
    enter_slowly(N);
    emit_numbers(N + 1, EVENTS, "r");
    ck_assert_int_eq(ann.n_closes, slow_policy == WS_SLOW_DISCONNECT);
    if (slow_policy == WS_SLOW_DROP) {
        waiting = n_pending();
        ck_assert_uint_lt(waiting, EVENTS);
        emit_numbers(N + EVENTS + 1, 1, "r");
        ck_assert_uint_eq(n_pending(), waiting);
        read_all();
        ck_assert_uint_eq(n_pending(), 0);
        expect_answer_and_values(N);
        ck_assert_uint_lt(client_count(&ann), EVENTS);
        emit_numbers(N + EVENTS + 2, 1, "r");
        expect_numbers(N + EVENTS + 2, 1, "r");
    } else {
        ck_assert_uint_eq(ann.close_code, WS_CLOSE_TRY_AGAIN_LATER);
    }
    end();
}

START_TEST(events_that_wait_are_bounded)
{
    wait_for_too_many(WS_SLOW_DISCONNECT);
    wait_for_too_many(WS_SLOW_DROP);
}
END_TEST

/* The values are more than any queue takes: they come as the client reads. If no event is sent
 * meanwhile, it misses none. */
START_TEST(all_named_rooms_are_entered_without_a_history)
{
    enum { N = 30, BYTES = PENDING_VALUES_MANY_BYTES / 60 };
    static char data[BYTES];

    memset(data, '1', sizeof data);
    begin_without_history(N);
    come_to(N, data, sizeof data);
    ck_assert_uint_lt(n_pending(), 3 * N);
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, "r11"), 0);
    ck_assert_uint_gt(ws_loop_run(host.loop, host.now_ms), host.now_ms);
    read_all();
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, "r11"), 1);
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "\"welcome\""));
    for (int i = 0; i < ROOMS * N; i++)
        ck_assert_ptr_nonnull(strstr(client_next(&ann), "\"state\":true"));
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "\"pong\""));
    ck_assert_uint_eq(client_count(&ann), 0);
    ck_assert_int_eq(ann.n_closes, 0);
    end();
}
END_TEST

/* It has missed nothing, of which it is notified before its first event. */
START_TEST(events_wait_while_a_client_comes_back)
{
    enum { N = 10 };
    const char *const rooms[] = {"r"};
    char after[EVENT_ID_SIZE];
    ws_connect_options options;

    begin_without_history(N);
    fill("r", N);
    client_lose(&ann);
    client_free(&ann);
    ann = (struct client){.host = &host, .name = "ann", .send_result = WS_ERR_BACKPRESSURE};
    event_id_write(host.manager->epoch, N, after);
    client_options(&ann, &options);
    options.after = after;
    options.rooms = rooms;
    options.n_rooms = options.with_state = 1;
    ck_assert_int_eq(ws_manager_connect(host.manager, host.loop, &options, &ann.id), WS_OK);
    host_run(&host);
    ck_assert_uint_gt(n_pending(), 0);
    emit_numbers(N + 1, 2, "r");
    read_all();
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "\"welcome\""));
    for (int i = 0; i < N; i++)
        ck_assert_ptr_nonnull(strstr(client_next(&ann), "\"state\":true"));
    ck_assert_ptr_nonnull(
        strstr(client_next(&ann), "\"complete\":true,\"count\":0,\"id\":\"E.10\""));
    expect_numbers(N + 1, 2, "r");
    ck_assert_uint_eq(client_count(&ann), 0);
    end();
}
END_TEST

/* Many, but small: the client enters all rooms before any later event, which waits. */
START_TEST(events_wait_behind_the_values_of_named_rooms)
{
    enum { N = 100 };

    begin_without_history(N);
    come_to(N, "1", 1);
    ck_assert_uint_gt(n_pending(), PENDING_VALUES_MANY);
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, "r11"), 1);
    emit_numbers(ROOMS * N + 1, 2, "r11");
    read_all();
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "\"welcome\""));
    for (int i = 0; i < ROOMS * N; i++)
        ck_assert_ptr_nonnull(strstr(client_next(&ann), "\"state\":true"));
    expect_numbers(ROOMS * N + 1, 2, "r11");
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "\"pong\""));
    ck_assert_uint_eq(client_count(&ann), 0);
    end();
}
END_TEST

/* --- the end ------------------------------------------------------------------------------ */

/* Of a room of 20,000 values, which take more than two turns' budget. */
START_TEST(values_are_given_back_in_several_turns)
{
    enum { N = 20000 };

    begin_with(N);
    fill("r", N);
    ann.send_result = WS_ERR_BACKPRESSURE;
    join();
    host_run(&host);
    ck_assert_uint_gt(n_pending(), N - 1000);
    client_lose(&ann);
    ck_assert_ptr_nonnull(host.loop->recoveries->ended);
    for (int turn = 0; turn < 2; turn++) {
        ck_assert_uint_eq(ws_loop_run(host.loop, host.now_ms), host.now_ms);
        ck_assert_ptr_nonnull(host.loop->recoveries->ended);
    }
    host_run(&host);
    ck_assert_ptr_null(host.loop->recoveries->ended);
    end();
}
END_TEST

START_TEST(a_loop_ends_before_values_are_given_back)
{
    enum { N = 3000 };

    begin_with(N);
    fill("r", N);
    ann.send_result = WS_ERR_BACKPRESSURE;
    join();
    host_run(&host);
    client_lose(&ann);
    ck_assert_ptr_nonnull(host.loop->recoveries->ended);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_client_that_enters_again_and_again_is_bounded,
        the_loop_sleeps_until_the_client_has_read,
        a_client_that_ends_while_its_messages_wait,
        a_client_that_is_too_slow_while_its_messages_wait,
        further_rooms_wait_until_the_client_has_read,
        further_rooms_wait_for_bytes_too,
        a_client_that_ends_while_further_rooms_wait,
        values_of_named_rooms_cost_their_clients,
        events_wait_behind_the_values,
        events_that_wait_are_bounded,
        all_named_rooms_are_entered_without_a_history,
        events_wait_while_a_client_comes_back,
        events_wait_behind_the_values_of_named_rooms,
        values_are_given_back_in_several_turns,
        a_loop_ends_before_values_are_given_back,
        NULL,
    };

    return suite_run("pending values", tests);
}
