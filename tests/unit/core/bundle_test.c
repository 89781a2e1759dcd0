/* bundle_test.c: consecutive events to the same recipients reach an inner transport as one message
 * of several frames; what begins a new one, what is counted, and that nothing changes its order.
 * Not here: a WebSocket's queue (websocket/queue_limit_test.c). */
#include <stdlib.h>
#include <string.h>

#include "core/loop_state.h"
#include "core/manager.h"
#include "support/host.h"
#include "support/receiver.h"
#include "support/suite.h"

enum { N_RECEIVERS = 4, N_MANY = 1100 };

static struct host host;
static struct receiver receivers[N_RECEIVERS];

/* --- life ------------------------------------------------------------------------------------ */

static void forget(void)
{
    for (size_t i = 0; i < N_RECEIVERS; i++)
        receiver_forget(&receivers[i]);
}

/* All of them are in the room "all", and receiver i in room "i". */
static void begin(void)
{
    static const char *const rooms[N_RECEIVERS] = {"0", "1", "2", "3"};

    host_init(&host);
    host_without_callbacks(&host);
    host_start(&host);
    for (size_t i = 0; i < N_RECEIVERS; i++) {
        receiver_connect(&host, &receivers[i]);
        receiver_join(&receivers[i], "all");
        receiver_join(&receivers[i], rooms[i]);
    }
    host_run(&host);
    forget();
}

static void end(void)
{
    forget();
    host_close(&host);
}

/* It got so many messages, with these texts. */
static void expect_one(const struct receiver *receiver, size_t n_messages,
                       const char *const *texts, size_t n_texts)
{
    ck_assert_uint_eq(receiver->n_messages, n_messages);
    ck_assert_uint_eq(receiver->n_texts, n_texts);
    for (size_t i = 0; i < n_texts; i++)
        ck_assert_str_eq(receiver->texts[i], texts[i]);
}

static void expect_each(size_t n_messages, const char *const *texts, size_t n_texts)
{
    for (size_t i = 0; i < N_RECEIVERS; i++)
        expect_one(&receivers[i], n_messages, texts, n_texts);
}

#define EXPECT(n_messages, ...)                                                                \
    expect_each(n_messages, (const char *const[]){__VA_ARGS__},                                \
                sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static uint64_t counted(enum counter counter)
{
    return counter_read(&host.loop->counters, counter);
}

/* --- what is put together -------------------------------------------------------------------- */

START_TEST(one_event_is_itself)
{
    begin();
    emit_number(&host, NULL, 1);
    host_run(&host);
    EXPECT(1, number_message(1, NULL, 1));
    end();
}
END_TEST

START_TEST(consecutive_events_to_everyone_are_one)
{
    begin();
    for (int i = 1; i <= 3; i++)
        emit_number(&host, NULL, i);
    host_run(&host);
    EXPECT(1, number_message(1, NULL, 1), number_message(2, NULL, 2),
           number_message(3, NULL, 3));
    end();
}
END_TEST

START_TEST(consecutive_events_to_a_room_are_one)
{
    begin();
    for (int i = 1; i <= 3; i++)
        emit_number(&host, "all", i);
    host_run(&host);
    EXPECT(1, number_message(1, "all", 1), number_message(2, "all", 2),
           number_message(3, "all", 3));
    end();
}
END_TEST

START_TEST(events_of_several_turns_are_not)
{
    begin();
    emit_number(&host, NULL, 1);
    host_run(&host);
    emit_number(&host, NULL, 2);
    host_run(&host);
    EXPECT(2, number_message(1, NULL, 1), number_message(2, NULL, 2));
    end();
}
END_TEST

/* --- what comes between ---------------------------------------------------------------------- */

START_TEST(another_room)
{
    begin();
    emit_number(&host, "all", 1);
    emit_number(&host, "all", 2);
    emit_number(&host, "1", 3);
    emit_number(&host, "all", 4);
    emit_number(&host, NULL, 5);
    emit_number(&host, NULL, 6);
    host_run(&host);
    expect_one(&receivers[0], 3,
               (const char *const[]){number_message(1, "all", 1), number_message(2, "all", 2),
                                     number_message(4, "all", 4), number_message(5, NULL, 5),
                                     number_message(6, NULL, 6)},
               5);
    expect_one(&receivers[1], 4,
               (const char *const[]){number_message(1, "all", 1), number_message(2, "all", 2),
                                     number_message(3, "1", 3), number_message(4, "all", 4),
                                     number_message(5, NULL, 5), number_message(6, NULL, 6)},
               6);
    end();
}
END_TEST

static ws_event *new_event(const char *data)
{
    ws_event *event;

    ck_assert_int_eq(ws_event_new(host.manager, "notification", data, strlen(data), &event),
                     WS_OK);
    return event;
}

START_TEST(an_exclusion)
{
    ws_event *event;

    begin();
    event = new_event("{\"n\":2}");
    emit_number(&host, NULL, 1);
    ck_assert_int_eq(ws_manager_broadcast(host.manager, event, &receivers[2].connection.id, 1),
                     WS_OK);
    emit_number(&host, NULL, 3);
    emit_number(&host, NULL, 4);
    host_run(&host);
    expect_one(&receivers[2], 2,
               (const char *const[]){number_message(1, NULL, 1), number_message(3, NULL, 3),
                                     number_message(4, NULL, 4)},
               3);
    expect_one(&receivers[1], 3,
               (const char *const[]){number_message(1, NULL, 1), number_message(2, NULL, 2),
                                     number_message(3, NULL, 3), number_message(4, NULL, 4)},
               4);
    ws_event_free(event);
    end();
}
END_TEST

START_TEST(a_personal_message)
{
    begin();
    emit_number(&host, NULL, 1);
    emit_number(&host, NULL, 2);
    ck_assert_int_eq(
        ws_manager_send_text(host.manager, receivers[0].connection.id, "for you", 7), WS_OK);
    emit_number(&host, NULL, 3);
    emit_number(&host, NULL, 4);
    host_run(&host);
    expect_one(&receivers[0], 3,
               (const char *const[]){number_message(1, NULL, 1), number_message(2, NULL, 2),
                                     "for you", number_message(3, NULL, 3),
                                     number_message(4, NULL, 4)},
               5);
    expect_one(&receivers[1], 2,
               (const char *const[]){number_message(1, NULL, 1), number_message(2, NULL, 2),
                                     number_message(3, NULL, 3), number_message(4, NULL, 4)},
               4);
    end();
}
END_TEST

START_TEST(someone_who_leaves_or_ends)
{
    begin();
    emit_number(&host, "all", 1);
    emit_number(&host, "all", 2);
    ck_assert_int_eq(ws_manager_leave_room(host.manager, receivers[0].connection.id, "all"),
                     WS_OK);
    emit_number(&host, "all", 3);
    ck_assert_int_eq(
        ws_manager_disconnect(host.manager, receivers[1].connection.id, 4000, NULL), WS_OK);
    emit_number(&host, "all", 4);
    host_run(&host);
    ck_assert_uint_eq(receivers[0].n_texts, 2);
    ck_assert_uint_eq(receivers[1].n_texts, 3);
    ck_assert_uint_eq(receivers[2].n_texts, 4);
    end();
}
END_TEST

START_TEST(an_application_s_transport_on_the_loop)
{
    struct client client;

    begin();
    client_open(&host, &client, "ann", NULL);
    forget();
    emit_number(&host, NULL, 1);
    emit_number(&host, NULL, 2);
    host_run(&host);
    client_expect(&client, number_message(1, NULL, 1), number_message(2, NULL, 2), NULL);
    EXPECT(2, number_message(1, NULL, 1), number_message(2, NULL, 2));
    client_lose(&client);
    forget();
    emit_number(&host, NULL, 3);
    emit_number(&host, NULL, 4);
    host_run(&host);
    EXPECT(1, number_message(3, NULL, 3), number_message(4, NULL, 4));
    client_free(&client);
    end();
}
END_TEST

/* --- how much -------------------------------------------------------------------------------- */

/* As many events with data of such a size. */
static void emit_sized(size_t n, size_t bytes)
{
    char *data = malloc(bytes + 1);

    memset(data, 'x', bytes);
    data[0] = data[bytes - 1] = '"';
    data[bytes] = '\0';
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(ws_manager_emit_order_created(host.manager, data, bytes), WS_OK);
    free(data);
}

/* Three events that are so many bytes together, with their frames: how many messages they are. */
static size_t send_three(size_t bytes, size_t around)
{
    forget();
    emit_sized(2, bytes / 3 - around);
    emit_sized(1, bytes - bytes / 3 * 2 - around);
    host_run(&host);
    ck_assert_uint_eq(receivers[0].n_texts, 3);
    return receivers[0].n_messages;
}

START_TEST(a_bundle_has_less_than_64_kib)
{
    size_t around; /* the data of an event, in its frame */

    begin();
    emit_sized(9, 2);
    host_run(&host);
    forget();
    emit_sized(1, 100); /* the ids have two digits from here on */
    host_run(&host);
    around = receivers[0].largest - 100;
    ck_assert_uint_eq(send_three(65535, around), 1);
    ck_assert_uint_eq(receivers[0].largest, 65535);
    ck_assert_uint_eq(send_three(65536, around), 2);
    forget();
    emit_sized(20, 10000);
    host_run(&host);
    ck_assert_uint_eq(receivers[0].n_texts, 20);
    ck_assert_uint_eq(receivers[0].n_messages, 4);
    ck_assert_uint_eq(receivers[0].largest, 6 * (10000 + around));
    end();
}
END_TEST

START_TEST(an_event_larger_than_that_goes_alone)
{
    begin();
    emit_sized(3, 70000);
    host_run(&host);
    ck_assert_uint_eq(receivers[0].n_messages, 3);
    ck_assert_uint_eq(receivers[0].n_texts, 3);
    end();
}
END_TEST

START_TEST(many_small_events_are_several_bundles)
{
    begin();
    emit_sized(N_MANY, 2);
    host_run(&host);
    ck_assert_uint_eq(receivers[0].n_texts, N_MANY);
    ck_assert_uint_ge(receivers[0].n_messages, 2);
    ck_assert_uint_le(receivers[0].largest, UINT16_MAX);
    end();
}
END_TEST

/* --- what is counted ------------------------------------------------------------------------- */

START_TEST(deliveries_and_bytes_are_those_of_the_events)
{
    size_t length;
    uint64_t deliveries;
    uint64_t bytes;

    begin();
    length = strlen(number_message(1, NULL, 1)) - 1 + strlen(host.manager->epoch);
    deliveries = counted(COUNTER_deliveries);
    bytes = counted(COUNTER_bytes);
    for (int i = 1; i <= 5; i++)
        emit_number(&host, NULL, i);
    host_run(&host);
    ck_assert_uint_eq(receivers[0].n_messages, 1);
    ck_assert_uint_eq(counted(COUNTER_deliveries) - deliveries, 5 * N_RECEIVERS);
    ck_assert_uint_eq(counted(COUNTER_bytes) - bytes, 5 * N_RECEIVERS * length);
    end();
}
END_TEST

START_TEST(dropped_are_as_many_as_there_are_events)
{
    begin();
    receivers[1].send_result = WS_ERR_DROPPED;
    for (int i = 1; i <= 5; i++)
        emit_number(&host, NULL, i);
    host_run(&host);
    ck_assert_uint_eq(counted(COUNTER_drop_slow_client), 5);
    ck_assert_uint_eq(receivers[1].n_texts, 0);
    ck_assert_uint_eq(receivers[2].n_texts, 5);
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), N_RECEIVERS - 1);
    end();
}
END_TEST

/* --- without memory -------------------------------------------------------------------------- */

START_TEST(without_memory_they_go_one_by_one)
{
    begin();
    for (int i = 1; i <= 3; i++)
        emit_number(&host, NULL, i);
    test_memory_fail(&host.memory, 0, true);
    host_run(&host);
    ck_assert(host.memory.failed);
    EXPECT(3, number_message(1, NULL, 1), number_message(2, NULL, 2),
           number_message(3, NULL, 3));
    test_memory_fail(&host.memory, NEVER_FAIL, false);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        one_event_is_itself,
        consecutive_events_to_everyone_are_one,
        consecutive_events_to_a_room_are_one,
        events_of_several_turns_are_not,
        another_room,
        an_exclusion,
        a_personal_message,
        someone_who_leaves_or_ends,
        an_application_s_transport_on_the_loop,
        a_bundle_has_less_than_64_kib,
        an_event_larger_than_that_goes_alone,
        many_small_events_are_several_bundles,
        deliveries_and_bytes_are_those_of_the_events,
        dropped_are_as_many_as_there_are_events,
        without_memory_they_go_one_by_one,
        NULL,
    };

    return suite_run("bundle", tests);
}
