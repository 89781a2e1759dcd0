/* pages_faults_test.c: clients that wait for pages of the cluster's stream while the carrier is
 * busy, silent, or has another stream, while memory is short, and while clients disconnect. Not
 * here: which events a client receives when nothing fails (pages_test.c). */
#include <string.h>

#include "core/loop_state.h"
#include "support/stream.h"
#include "support/suite.h"

enum { N_EVENTS = 600, FEW_EVENTS = 40, MANY = 100, PATIENCE_MS = 30000, TICK_MS = 200 };

static struct process here;
static struct client ann;
static struct client bob;
static struct client crowd[MANY];

/* A process that keeps the newest ten events. */
static void begin_with(int n_events)
{
    stream_reset();
    process_open(&here, 10);
    process_start(&here, 0);
    for (int i = 1; i <= n_events; i++)
        emit_number(&here.host, NULL, i);
    process_read_all(&here);
}

static void begin(void)
{
    begin_with(N_EVENTS);
}

static void end(void)
{
    process_close(&here);
    client_free(&ann);
    client_free(&bob);
    for (size_t i = 0; i < MANY; i++)
        client_free(&crowd[i]);
    memset(crowd, 0, sizeof crowd);
    ann = bob = (struct client){0};
    stream_reset();
}

static void come_back(struct client *client, uint64_t after)
{
    process_come_back(&here, client, stream_id(after), NULL);
    host_run(&here.host);
}

static void pass(uint64_t ms)
{
    process_pass(&here, ms);
}

static void expect_all(struct client *client, uint64_t first)
{
    ck_assert_ptr_nonnull(client_next(client));
    for (uint64_t i = first; i <= stream.count; i++)
        ck_assert_str_eq(client_next(client), number_message((int)i, NULL, (int)i));
    client_expect(client, recovered_message(true, stream.count - first + 1, stream.count),
                  NULL);
}

static void expect_lost(struct client *client)
{
    ck_assert_ptr_nonnull(client_next(client));
    client_expect(client, recovered_message(false, 0, N_EVENTS), NULL);
}

/* --- the carrier ----------------------------------------------------------------------------- */

START_TEST(a_busy_carrier_is_asked_again)
{
    for (int error = WS_ERR_BACKPRESSURE;; error = WS_ERR_NO_MEMORY) {
        begin();
        stream.fetch_result = error;
        come_back(&ann, 10);
        come_back(&bob, 20);
        pass(PATIENCE_MS / 2);
        ck_assert_uint_gt(stream.n_fetches, 10);
        ck_assert_uint_lt(stream.n_fetches, PATIENCE_MS / 2 / 50);
        stream.fetch_result = WS_OK;
        pass(TICK_MS);
        stream_answer_all();
        expect_all(&ann, 11);
        expect_all(&bob, 21);
        end();
        if (error == WS_ERR_NO_MEMORY)
            break;
    }
}
END_TEST

START_TEST(a_carrier_that_stays_busy_or_silent_is_given_up)
{
    for (int result = WS_OK;; result = WS_ERR_BACKPRESSURE) {
        begin();
        stream.fetch_result = result;
        come_back(&ann, 10);
        pass(PATIENCE_MS / 2);
        come_back(&bob, 300);
        pass(PATIENCE_MS / 2 - TICK_MS);
        ck_assert_uint_eq(ann.n_messages, 1);
        pass(2 * TICK_MS);
        expect_lost(&ann);
        ck_assert_uint_eq(bob.n_messages, 1);
        pass(PATIENCE_MS);
        expect_lost(&bob);
        ck_assert_uint_eq(stream.n_asked, result == WS_OK ? 2 : 0);
        while (stream.n_asked > 0) /* the answers come too late */
            stream_answer();
        ck_assert_uint_eq(here.host.manager->pages.count, 0);
        end();
        if (result == WS_ERR_BACKPRESSURE)
            break;
    }
}
END_TEST

/* All answers together take longer than the deadline of one. */
START_TEST(a_slow_carrier_is_waited_for)
{
    begin();
    come_back(&ann, 10);
    come_back(&bob, 300);
    while (stream.n_asked > 0) {
        pass(PATIENCE_MS / 2);
        stream_answer();
        host_run(&here.host);
    }
    expect_all(&ann, 11);
    expect_all(&bob, 301);
    end();
}
END_TEST

START_TEST(events_that_the_carrier_lacks_are_lost)
{
    begin();
    come_back(&ann, 10);
    come_back(&bob, 300);
    ck_assert_int_eq(stream_answer_with(0, 0), WS_OK);
    host_run(&here.host);
    expect_lost(&ann);
    stream_answer_all();
    expect_all(&bob, 301);
    end();
}
END_TEST

/* Events that were not requested, and a gap. */
START_TEST(invalid_answers_are_ignored)
{
    ws_cluster_event events[3];

    begin();
    come_back(&ann, 256);
    for (int i = 0; i < 3; i++)
        events[i] = stream_event((uint64_t[]){257, 258, 260}[i]);
    ck_assert_int_eq(
        ws_manager_cluster_fetched(here.host.manager, stream.asked[0].request, events, 3),
        WS_OK);
    stream.n_asked = 0;
    host_run(&here.host);
    ck_assert_uint_eq(stream.asked[0].after, 258);
    ck_assert_int_eq(stream_answer_with(1, 500), WS_OK);
    host_run(&here.host);
    ck_assert_ptr_nonnull(client_next(&ann));
    client_expect(&ann, number_message(257, NULL, 257), number_message(258, NULL, 258),
                  recovered_message(false, 2, N_EVENTS), NULL);
    end();
}
END_TEST

START_TEST(a_removed_carrier_ends_the_wait)
{
    begin();
    come_back(&ann, 10);
    ck_assert_int_eq(stream_answer_with(0, 0), WS_OK);
    ck_assert_int_eq(ws_manager_set_cluster(here.host.manager, NULL, NULL), WS_OK);
    host_run(&here.host);
    expect_lost(&ann);
    end();
}
END_TEST

/* Nor is it asked for the clients that wait for pages of others. */
START_TEST(a_removed_carrier_is_not_asked_again)
{
    size_t n_fetches;

    begin_with(3000);
    for (size_t i = 0; i < 8; i++)
        come_back(&crowd[i], 1 + i * PAGE_EVENTS);
    while (stream.n_asked > 0)
        ck_assert_int_eq(stream_answer_with(0, 0), WS_OK);
    n_fetches = stream.n_fetches;
    ck_assert_int_eq(ws_manager_set_cluster(here.host.manager, NULL, NULL), WS_OK);
    pass(60000);
    ck_assert_uint_eq(stream.n_fetches, n_fetches);
    for (size_t i = 0; i < 8; i++) {
        ck_assert_ptr_nonnull(client_next(&crowd[i]));
        client_expect(&crowd[i], recovered_message(false, 0, 3000), NULL);
    }
    end();
}
END_TEST

/* --- clients that disconnect ----------------------------------------------------------------- */

START_TEST(clients_disconnect_while_they_wait)
{
    begin();
    for (size_t i = 0; i < MANY; i++)
        come_back(&crowd[i], i * 5);
    for (size_t i = 0; i < MANY; i += 2)
        client_lose(&crowd[i]);
    stream_answer_all();
    for (size_t i = 1; i < MANY; i += 2)
        expect_all(&crowd[i], i * 5 + 1);
    ck_assert_uint_eq(stream.n_fetches, 3);
    end();
}
END_TEST

/* They disconnect after the answer and before their turn. */
START_TEST(clients_disconnect_when_the_page_arrives)
{
    begin();
    come_back(&ann, 10);
    come_back(&bob, 20);
    stream_answer();
    client_lose(&ann);
    client_lose(&bob);
    host_run(&here.host);
    come_back(&crowd[0], 10);
    stream_answer_all();
    expect_all(&crowd[0], 11);
    end();
}
END_TEST

/* However often clients connect and disconnect, few requests are outstanding. */
START_TEST(requests_are_bounded)
{
    begin();
    for (uint64_t i = 1; i <= 40000 - N_EVENTS; i++)
        emit_number(&here.host, NULL, (int)i);
    process_read_all(&here);
    for (uint64_t i = 0; i < 150; i++) {
        come_back(&ann, i * PAGE_EVENTS);
        client_lose(&ann);
    }
    ck_assert_uint_eq(stream.n_asked, PAGE_REQUESTS_MAX);
    come_back(&bob, 39900);
    stream_answer_all();
    pass(TICK_MS);
    stream_answer_all();
    ck_assert_uint_eq(client_count(&bob), 1 + 100 + 1);
    end();
}
END_TEST

/* --- another stream -------------------------------------------------------------------------- */

static void begin_anew(const char *epoch, uint64_t position)
{
    ck_assert_int_eq(ws_manager_cluster_start(here.host.manager, epoch, position, NULL, 0),
                     WS_OK);
}

static void expect_lost_before(struct client *client, uint64_t position)
{
    ck_assert_ptr_nonnull(client_next(client));
    client_expect(client, recovered_message(false, 0, position), NULL);
}

START_TEST(another_epoch_while_clients_wait)
{
    begin();
    for (size_t i = 0; i < 6; i++)
        come_back(&crowd[i], i * 100);
    ck_assert_uint_eq(stream.n_asked, 2);
    begin_anew("zzzzzzzzzz", 1000);
    stream_answer(); /* the answer of the former stream */
    host_run(&here.host);
    for (size_t i = 0; i < 6; i++)
        expect_lost_before(&crowd[i], 1000);
    ck_assert_uint_eq(here.host.manager->pages.count, 0);
    /* The page with this number is another page in the new stream. */
    strcpy(stream.epoch, "zzzzzzzzzz");
    come_back(&ann, 300);
    ck_assert_uint_eq(stream.n_asked, 2);
    stream_answer();
    host_run(&here.host);
    ck_assert_uint_eq(ann.n_messages, 1);
    ck_assert_uint_eq(stream.asked[0].after, 256);
    ck_assert_int_eq(stream_answer_with(256, 256), WS_OK);
    host_run(&here.host);
    ck_assert_uint_eq(ann.n_messages, 1 + 512 - 300);
    ck_assert_ptr_nonnull(strstr(ann.messages[1], "\"E.301\""));
    ck_assert_int_eq(stream_answer_with(0, 0), WS_OK);
    end();
}
END_TEST

/* A range that one stream has lost may exist in another. */
START_TEST(another_epoch_has_a_range_that_was_lost)
{
    begin();
    come_back(&ann, 10);
    ck_assert_int_eq(stream_answer_with(200, 56), WS_OK);
    host_run(&here.host);
    expect_lost(&ann);
    begin_anew("zzzzzzzzzz", N_EVENTS);
    strcpy(stream.epoch, "zzzzzzzzzz");
    come_back(&bob, 10);
    stream_answer_all();
    ck_assert_uint_eq(client_count(&bob), 1 + N_EVENTS - 10 + 1);
    end();
}
END_TEST

/* The loop has not heard of the new epoch when it is about to ask again. */
START_TEST(another_epoch_while_the_carrier_is_busy)
{
    begin();
    stream.fetch_result = WS_ERR_BACKPRESSURE;
    come_back(&ann, 10);
    begin_anew("zzzzzzzzzz", 1000);
    stream.fetch_result = WS_OK;
    pass(TICK_MS);
    ck_assert_uint_eq(stream.n_asked, 0);
    expect_lost_before(&ann, 1000);
    end();
}
END_TEST

/* The loop has not heard of the new epoch when the client's turn comes. */
START_TEST(another_epoch_while_clients_read)
{
    begin();
    come_back(&ann, 10);
    ann.send_result = WS_ERR_BACKPRESSURE;
    stream_answer();
    host_run(&here.host);
    ck_assert_uint_eq(ann.n_messages, 2);
    begin_anew("zzzzzzzzzz", 5);
    ck_assert_uint_eq(here.host.manager->pages.count, 0);
    ann.send_result = WS_OK;
    ck_assert_int_eq(ws_manager_transport_writable(here.host.manager, ann.id), WS_OK);
    ck_assert_uint_eq(ann.n_messages, 2);
    host_run(&here.host);
    ck_assert_ptr_nonnull(client_next(&ann));
    ck_assert_ptr_nonnull(strstr(client_next(&ann), ".11\""));
    client_expect(&ann, recovered_message(false, 1, 5), NULL);
    end();
}
END_TEST

/* Events were lost on the way, but the stream is the same: what it still has is requested again. */
START_TEST(a_gap_while_clients_wait)
{
    begin();
    come_back(&ann, 10);
    begin_anew(stream.epoch, N_EVENTS + 100);
    for (int i = 0; i < 100; i++)
        emit_number(&here.host, NULL, N_EVENTS + 1 + i);
    stream_answer();
    host_run(&here.host);
    ck_assert_uint_eq(ann.n_messages, 1);
    stream_answer_all();
    ck_assert_uint_eq(client_count(&ann), 1 + N_EVENTS + 100 - 10 + 1);
    end();
}
END_TEST

/* --- memory ---------------------------------------------------------------------------------- */

/* Answers as a carrier does: once more if there was no memory. */
static void answer_again(void)
{
    const struct asked asked = stream.asked[0];

    if (stream_answer_with(asked.after, asked.max_events) == WS_OK)
        return;
    ck_assert(here.host.memory.failed);
    test_memory_fail(&here.host.memory, NEVER_FAIL, false);
    stream_answer();
}

/* Each allocation while two clients come back fails, alone or with all that follow up to the next
 * turn. */
static long fail_at(long n, bool with_all_after)
{
    struct client *const clients[] = {&ann, &bob};
    ws_connect_options options;
    long n_requests;

    begin_with(FEW_EVENTS);
    test_memory_fail(&here.host.memory, n, with_all_after);
    for (size_t i = 0; i < 2; i++) {
        *clients[i] = (struct client){.host = &here.host, .name = "one"};
        client_options(clients[i], &options);
        options.after = stream_id(10 + i);
        if (ws_manager_connect(here.host.manager, here.host.loop, &options, &clients[i]->id) !=
            WS_OK)
            clients[i]->gone = true;
    }
    host_run(&here.host);
    for (int turns = 0; turns < 10; turns++) {
        while (stream.n_asked > 0) {
            answer_again();
            host_run(&here.host);
        }
        if (turns == 2)
            test_memory_fail(&here.host.memory, NEVER_FAIL, false);
        pass(TICK_MS);
    }
    n_requests = here.host.memory.n_requests;
    for (size_t i = 0; i < 2; i++)
        if (!clients[i]->gone)
            expect_all(clients[i], 11 + i);
    end();
    return n_requests;
}

START_TEST(every_allocation_fails_while_clients_wait)
{
    long n_requests;

    begin_with(FEW_EVENTS);
    come_back(&ann, 10);
    come_back(&bob, 11);
    test_memory_fail(&here.host.memory, NEVER_FAIL, false);
    stream_answer_all();
    n_requests = here.host.memory.n_requests;
    end();
    ck_assert_int_gt(n_requests, FEW_EVENTS);
    for (long n = 0; n < n_requests + 50; n++)
        fail_at(n, false);
    for (long n = 0; n < n_requests + 50; n++)
        fail_at(n, true);
}
END_TEST

/* The answer comes while the loop's inbox is full, and the n-th allocation fails. Returns whether
 * the answer was accepted although the allocation failed: then the loop is not notified and has to
 * find out by itself. */
static bool answer_while_failing(long n, bool *failed)
{
    size_t n_texts = 0;
    bool taken;

    begin_with(FEW_EVENTS);
    come_back(&ann, 10);
    for (; here.host.loop->inbox.count < here.host.loop->inbox.capacity; n_texts++)
        ck_assert_int_eq(ws_manager_send_text(here.host.manager, ann.id, "x", 1), WS_OK);
    test_memory_fail(&here.host.memory, n, false);
    taken = stream_answer_with(stream.asked[0].after, stream.asked[0].max_events) == WS_OK;
    *failed = here.host.memory.failed;
    test_memory_fail(&here.host.memory, NEVER_FAIL, false);
    if (!taken)
        stream_answer();
    pass(TICK_MS);
    ck_assert_uint_eq(client_count(&ann), 1 + n_texts + FEW_EVENTS - 10 + 1);
    end();
    return taken && *failed;
}

START_TEST(a_loop_that_cannot_be_notified_finds_the_page)
{
    int n_not_told = 0;
    bool failed;
    long n = 0;

    do
        n_not_told += answer_while_failing(n++, &failed);
    while (failed);
    ck_assert_int_eq(n_not_told, 1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_busy_carrier_is_asked_again,
        a_carrier_that_stays_busy_or_silent_is_given_up,
        a_slow_carrier_is_waited_for,
        events_that_the_carrier_lacks_are_lost,
        invalid_answers_are_ignored,
        a_removed_carrier_ends_the_wait,
        a_removed_carrier_is_not_asked_again,
        clients_disconnect_while_they_wait,
        clients_disconnect_when_the_page_arrives,
        requests_are_bounded,
        another_epoch_while_clients_wait,
        another_epoch_has_a_range_that_was_lost,
        another_epoch_while_the_carrier_is_busy,
        another_epoch_while_clients_read,
        a_gap_while_clients_wait,
        every_allocation_fails_while_clients_wait,
        a_loop_that_cannot_be_notified_finds_the_page,
        NULL,
    };

    return suite_run("pages-faults", tests);
}
