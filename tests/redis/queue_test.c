/* queue_test.c: the queue of events that wait to be stored: their order, the_queue_is_bounded,
 * and contents. */
#include "cluster/redis/queue.h"

#include <string.h>

#include "support/suite.h"
#include "support/test_memory.h"

static struct test_memory memory;
static struct queue queue;

static void begin(void)
{
    test_memory_init(&memory);
    queue_init(&queue, &memory.allocator, "{k}:producer:", "me");
    queue.max_events = 10;
    queue.max_bytes = 10000;
}

static void pop(const char *sequence)
{
    struct pending *pending = queue_pop(&queue);

    ck_assert_ptr_nonnull(pending);
    ck_assert_str_eq(pending->sequence.text, sequence);
    memory_free(&memory.allocator, pending);
}

static int push(const char *producer, uint64_t sequence)
{
    ws_cluster_event event = {.size = sizeof event,
                              .text = "{\"a\":1}",
                              .length = 7,
                              .producer = producer,
                              .sequence = sequence};

    return queue_push(&queue, &event, NULL);
}

START_TEST(all_of_an_event_is_kept)
{
    ws_cluster_event event = {.size = sizeof event,
                              .scope = WS_SCOPE_ROOM,
                              .target = "room",
                              .exclude = "a-1 a-2",
                              .text = "{\"a\":1}, and more",
                              .length = 7,
                              .producer = "outbox",
                              .sequence = UINT64_MAX};
    struct pending *pending;
    int receipt;

    begin();
    ck_assert_int_eq(queue_push(&queue, &event, &receipt), WS_OK);
    pending = queue_pop(&queue);
    ck_assert_ptr_eq(pending->receipt, &receipt);
    ck_assert_int_eq(pending->scope, WS_SCOPE_ROOM);
    ck_assert_str_eq(pending->producer_key.text, "{k}:producer:outbox");
    ck_assert_uint_eq(pending->producer_key.length, strlen("{k}:producer:outbox"));
    ck_assert_str_eq(pending->sequence.text, "18446744073709551615");
    ck_assert_uint_eq(pending->sequence.length, 20);
    ck_assert_str_eq(pending->target.text, "room");
    ck_assert_str_eq(pending->exclude.text, "a-1 a-2");
    ck_assert_str_eq(pending->event.text, "{\"a\":1}");
    ck_assert_uint_eq(pending->event.length, 7);
    memory_free(&memory.allocator, pending);
    ck_assert_uint_eq(queue.bytes, 0);
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

START_TEST(events_are_in_order_and_numbered)
{
    begin();
    ck_assert_ptr_null(queue_pop(&queue));
    ck_assert_int_eq(push(NULL, 0), WS_OK);
    ck_assert_int_eq(push("outbox", 70), WS_OK);
    pop("1");
    ck_assert_int_eq(push(NULL, 0), WS_OK);
    pop("70");
    pop("2");
    ck_assert_ptr_null(queue_pop(&queue));
    ck_assert_int_eq(push(NULL, 0), WS_OK);
    pop("3");
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

START_TEST(the_queue_is_bounded)
{
    static char text[10000];
    ws_cluster_event event = {.size = sizeof event, .text = text, .length = sizeof text};

    begin();
    memset(text, 'x', sizeof text);
    ck_assert_int_eq(queue_push(&queue, &event, NULL), WS_ERR_TOO_BIG);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(push(NULL, 0), WS_OK);
    ck_assert_int_eq(push(NULL, 0), WS_ERR_BACKPRESSURE);
    for (int i = 0; i < 10; i++)
        memory_free(&memory.allocator, queue_pop(&queue));
    event.length = 6000;
    ck_assert_int_eq(queue_push(&queue, &event, NULL), WS_OK);
    ck_assert_int_eq(queue_push(&queue, &event, NULL), WS_ERR_BACKPRESSURE);
    pop("11");
    ck_assert_int_eq(queue_push(&queue, &event, NULL), WS_OK);
    pop("12");
    test_memory_fail(&memory, 0, false);
    ck_assert_int_eq(push(NULL, 0), WS_ERR_NO_MEMORY);
    ck_assert_uint_eq(queue.count, 0);
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

/* However much clients publish, the application has half of the queue, and all of it when clients
 * have nothing queued. */
START_TEST(clients_have_half_of_the_queue)
{
    ws_cluster_event event = {
        .size = sizeof event, .text = "{\"a\":1}", .length = 7, .for_client = 1};

    begin();
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 5; i++)
            ck_assert_int_eq(queue_push(&queue, &event, NULL), WS_OK);
        ck_assert_int_eq(queue_push(&queue, &event, NULL), WS_ERR_BACKPRESSURE);
        for (int i = 0; i < 5; i++)
            ck_assert_int_eq(push(NULL, 0), WS_OK);
        ck_assert_int_eq(push(NULL, 0), WS_ERR_BACKPRESSURE);
        while (queue.count > 0)
            memory_free(&memory.allocator, queue_pop(&queue));
        ck_assert_uint_eq(queue.client_bytes, 0);
    }
    /* From a program older than that field. */
    event.size = offsetof(ws_cluster_event, for_client);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(queue_push(&queue, &event, NULL), WS_OK);
    while (queue.count > 0)
        memory_free(&memory.allocator, queue_pop(&queue));
}
END_TEST

int main(void)
{
    return suite_run(
        "redis-queue",
        (const TTest *const[]){all_of_an_event_is_kept, events_are_in_order_and_numbered,
                               the_queue_is_bounded, clients_have_half_of_the_queue, NULL});
}
