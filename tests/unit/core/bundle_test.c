/* bundle_test.c: consecutive events to the same recipients reach the built-in transport as one
 * message of several frames (a bundle); what begins a new bundle, what the statistics count, and
 * that the order stays the same. Not here: a WebSocket's queue (websocket/queue_limit_test.c). */
#include <stdlib.h>
#include <string.h>

#include "core/loop_state.h"
#include "core/manager.h"
#include "support/host.h"
#include "support/receiver.h"
#include "support/suite.h"
#include "support/test_memory.h"

enum { N_RECEIVERS = 4, N_MANY = 1100 };

static struct host host;
static struct receiver receivers[N_RECEIVERS];

/* --- life ------------------------------------------------------------------------------------ */

static void forget(void)
{
    for (size_t i = 0; i < N_RECEIVERS; i++)
        receiver_forget(&receivers[i]);
}

/* All receivers are in the room "all", and receiver i is also in room "i". */
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

/* Checks how many messages a receiver got, and the texts of their frames. */
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

/* --- what is bundled ------------------------------------------------------------------------- */

START_TEST(a_single_event_is_not_bundled)
{
    begin();
    emit_number(&host, NULL, 1);
    host_run(&host);
    EXPECT(1, number_message(1, NULL, 1));
    end();
}
END_TEST

START_TEST(consecutive_events_to_everyone_are_bundled)
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

START_TEST(consecutive_events_to_a_room_are_bundled)
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

START_TEST(events_of_several_turns_are_not_bundled)
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

/* --- what ends a bundle ---------------------------------------------------------------------- */

START_TEST(another_room_ends_a_bundle)
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

START_TEST(an_exclude_list_ends_a_bundle)
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

START_TEST(a_personal_message_ends_a_bundle)
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

START_TEST(a_member_that_leaves_or_disconnects_ends_a_bundle)
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

START_TEST(an_application_transport_gets_the_events_one_by_one)
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

/* --- sizes ----------------------------------------------------------------------------------- */

/* Emits n events whose data have this size. */
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

/* Emits three events that, with their frames, have so many bytes together; returns how many
 * messages they become. */
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
    size_t around; /* bytes of an event's frame around its data */

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

START_TEST(an_event_of_more_than_64_kib_goes_alone)
{
    begin();
    emit_sized(3, 70000);
    host_run(&host);
    ck_assert_uint_eq(receivers[0].n_messages, 3);
    ck_assert_uint_eq(receivers[0].n_texts, 3);
    end();
}
END_TEST

START_TEST(many_small_events_fill_several_bundles)
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

/* --- statistics ------------------------------------------------------------------------------ */

START_TEST(deliveries_and_bytes_are_counted_for_each_event)
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

START_TEST(every_event_of_a_dropped_bundle_is_counted)
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

START_TEST(without_memory_events_are_sent_one_by_one)
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

/* The length of frames is a 32-bit number: a longer form must fail instead of being cut. */
START_TEST(frames_have_a_greatest_length)
{
    struct test_memory memory;

    test_memory_init(&memory);
    ck_assert_ptr_null(frames_new(&memory.allocator, UINT32_MAX));
    ck_assert_ptr_null(frames_new(&memory.allocator, SIZE_MAX));
    ck_assert_int_eq(memory.n_requests, 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_single_event_is_not_bundled,
        consecutive_events_to_everyone_are_bundled,
        consecutive_events_to_a_room_are_bundled,
        events_of_several_turns_are_not_bundled,
        another_room_ends_a_bundle,
        an_exclude_list_ends_a_bundle,
        a_personal_message_ends_a_bundle,
        a_member_that_leaves_or_disconnects_ends_a_bundle,
        an_application_transport_gets_the_events_one_by_one,
        a_bundle_has_less_than_64_kib,
        an_event_of_more_than_64_kib_goes_alone,
        many_small_events_fill_several_bundles,
        deliveries_and_bytes_are_counted_for_each_event,
        every_event_of_a_dropped_bundle_is_counted,
        without_memory_events_are_sent_one_by_one,
        frames_have_a_greatest_length,
        NULL,
    };

    return suite_run("bundle", tests);
}
