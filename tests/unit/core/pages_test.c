/* pages_test.c: events that are no longer in the history come from the cluster's carrier, a page at
 * a time, once for all clients that need them. Not here: failures meanwhile
 * (pages_faults_test.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/loop_state.h"
#include "core/recovery/state.h"
#include "support/stream.h"
#include "support/suite.h"

enum { N_ROOMS = 50, MOST_CLIENTS = 1000 };

static struct process here;
static struct client ann;
static struct client bob;
static struct client crowd[MOST_CLIENTS];
static uint64_t crowd_after[MOST_CLIENTS];

static const char *room_of(size_t number)
{
    static char names[2][16];
    static unsigned next;
    char *name = names[next++ % 2];

    snprintf(name, sizeof names[0], "r%zu", number % N_ROOMS);
    return name;
}

/* The event of position n has number n. */
static void emit(size_t n, bool in_rooms)
{
    for (size_t i = 0; i < n; i++)
        emit_number(&here.host, in_rooms ? room_of(stream.count + 1) : NULL,
                    (int)stream.count + 1);
    process_read_all(&here);
}

/* A process that keeps the newest ten of n events. */
static void begin(size_t n, bool in_rooms)
{
    stream_reset();
    process_open(&here, 10);
    process_start(&here, 0);
    emit(n, in_rooms);
}

static void end(void)
{
    process_close(&here);
    client_free(&ann);
    client_free(&bob);
    for (size_t i = 0; i < MOST_CLIENTS; i++)
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

static void expect_asked(size_t number, uint64_t after, uint32_t max_events)
{
    ck_assert_uint_gt(stream.n_asked, number);
    ck_assert_uint_eq(stream.asked[number].after, after);
    ck_assert_uint_eq(stream.asked[number].max_events, max_events);
}

static void answer_with(uint64_t after, size_t n)
{
    ck_assert_int_eq(stream_answer_with(after, n), WS_OK);
    host_run(&here.host);
}

/* The client has received the welcome and everyone's events from one position to another, once, in
 * order. */
static void expect_all(struct client *client, uint64_t first, uint64_t last)
{
    ck_assert_ptr_nonnull(client_next(client));
    for (uint64_t i = first; i <= last; i++)
        ck_assert_str_eq(client_next(client), number_message((int)i, NULL, (int)i));
    client_expect(client, recovered_message(true, last - first + 1, last), NULL);
}

START_TEST(pages_have_fixed_boundaries)
{
    begin(600, false);
    come_back(&ann, 300);
    expect_asked(0, 256, 256);
    emit(1, false);
    answer_with(256, 256);
    expect_asked(0, 512, 89);
    stream_answer_all();
    expect_all(&ann, 301, 601);
    ck_assert_uint_eq(stream.n_fetches, 2);
    end();
}
END_TEST

START_TEST(pages_respect_rooms_users_and_exclusions)
{
    char former[CONNECTION_NAME_SIZE];
    ws_event *event;

    begin(0, false);
    client_open(&here.host, &bob, "bob", "bob");
    connection_name_write(here.host.manager->process, bob.id, former);
    emit_number(&here.host, "r", 1);
    ck_assert_int_eq(ws_event_new(here.host.manager, "notification", "{\"n\":2}", 7, &event),
                     WS_OK);
    ck_assert_int_eq(ws_manager_broadcast(here.host.manager, event, &bob.id, 1), WS_OK);
    ws_event_free(event);
    ck_assert_int_eq(ws_manager_emit_notification(here.host.manager, "hello", "ann", "info"),
                     WS_OK);
    ck_assert_int_eq(ws_manager_emit_notification(here.host.manager, "hello", "eve", "info"),
                     WS_OK);
    emit(20, false);
    process_come_back(&here, &ann, stream_id(0), former);
    host_run(&here.host);
    stream_answer_all();
    ck_assert_ptr_nonnull(client_next(&ann));
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "\"user_id\":\"ann\""));
    for (int i = 5; i <= 24; i++)
        ck_assert_str_eq(client_next(&ann), number_message(i, NULL, i));
    client_expect(&ann, recovered_message(true, 21, 24), NULL);
    end();
}
END_TEST

/* --- sharing --------------------------------------------------------------------------------- */

/* Each client has seen its room's events up to some position, and is in no other room. */
static void crowd_comes_back(size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++) {
        const char *rooms[] = {room_of(i)};
        ws_connect_options options;

        crowd[i] = (struct client){.host = &here.host, .name = "crowd"};
        crowd_after[i] = (uint64_t)rand() % (stream.count - 300);
        client_options(&crowd[i], &options);
        options.after = stream_id(crowd_after[i]);
        options.rooms = rooms;
        options.n_rooms = 1;
        ck_assert_int_eq(
            ws_manager_connect(here.host.manager, here.host.loop, &options, &crowd[i].id),
            WS_OK);
    }
}

static void expect_crowd(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t n = 0;

        ck_assert_ptr_nonnull(client_next(&crowd[i]));
        for (uint64_t at = crowd_after[i] + 1; at <= stream.count; at++) {
            if (at % N_ROOMS != i % N_ROOMS)
                continue;
            ck_assert_str_eq(client_next(&crowd[i]),
                             number_message((int)at, room_of(at), (int)at));
            n++;
        }
        client_expect(&crowd[i], recovered_message(true, n, stream.count), NULL);
    }
}

/* They enter their rooms over several turns: those that come late for a page share it in a second
 * round. */
START_TEST(a_thousand_clients_share_the_fetched_pages)
{
    enum { PAGES = 30, ROUNDS = 2 };

    begin(PAGES * PAGE_EVENTS, true);
    here.host.manager->pages.max_pages = 2 * PAGES_AWAITED_MAX;
    crowd_comes_back(0, MOST_CLIENTS);
    host_run(&here.host);
    ck_assert_uint_eq(stream.n_asked, PAGES_AWAITED_MAX);
    stream_answer_all();
    expect_crowd(MOST_CLIENTS);
    ck_assert_uint_le(stream.n_fetches, ROUNDS * PAGES);
    end();
}
END_TEST

/* A fetched page is kept for clients that come a little later, but not for good. */
START_TEST(pages_without_readers_are_dropped)
{
    begin(300, false);
    come_back(&ann, 10);
    stream_answer_all();
    expect_all(&ann, 11, 300);
    process_pass(&here, PAGES_IDLE_MS - 1000);
    come_back(&bob, 20);
    expect_all(&bob, 21, 300);
    ck_assert_uint_eq(stream.n_fetches, 2);
    process_pass(&here, PAGES_IDLE_MS - 1000);
    ck_assert_uint_eq(here.host.manager->pages.count, 2);
    process_pass(&here, PAGES_IDLE_MS);
    ck_assert_uint_eq(here.host.manager->pages.count, 0);
    ck_assert_uint_eq(here.host.manager->pages.bytes, 0);
    end();
}
END_TEST

/* A few clients connect at a time, and each page's answer takes some time. */
static void come_one_after_the_other(size_t n_pages, uint32_t max_pages)
{
    enum { AT_ONCE = 10 };

    begin(n_pages * PAGE_EVENTS, true);
    here.host.manager->pages.max_pages = max_pages;
    for (size_t i = 0; i < MOST_CLIENTS; i += AT_ONCE) {
        crowd_comes_back(i, AT_ONCE);
        host_run(&here.host);
        if (stream.n_asked > 0)
            stream_answer();
        ck_assert_uint_le(stream.n_asked, PAGES_AWAITED_MAX);
        ck_assert_uint_le(here.host.manager->pages.count, max_pages);
    }
    stream_answer_all();
    expect_crowd(MOST_CLIENTS);
}

/* Each loop has its own clock, and may end before the others. */
START_TEST(pages_are_dropped_by_any_loop)
{
    ws_loop *first;
    ws_loop *second;

    begin(300, false);
    first = here.host.loop;
    ck_assert_int_eq(ws_loop_new(here.host.manager, NULL, 0, &second), WS_OK);
    come_back(&ann, 10);
    here.host.loop = second;
    come_back(&bob, 20);
    here.host.loop = first;
    here.host.now_ms = 1000;
    for (int i = 0; i < 2; i++) {
        stream_answer();
        ws_loop_run(second, 500);
        host_run(&here.host);
    }
    expect_all(&ann, 11, 300);
    expect_all(&bob, 21, 300);
    ws_loop_run(second, 900);
    ck_assert_uint_eq(here.host.manager->pages.count, 2);
    ws_loop_free(second);
    ck_assert_uint_eq(here.host.manager->pages.count, 0);
    end();
}
END_TEST

START_TEST(clients_one_after_the_other_share_the_pages)
{
    come_one_after_the_other(50, PAGES_MAX);
    ck_assert_uint_eq(stream.n_fetches, 50);
    end();
    /* The clients need more pages than are kept. */
    come_one_after_the_other(50, 20);
    ck_assert_uint_le(stream.n_fetches, 5 * 50);
    end();
}
END_TEST

START_TEST(two_loops_share_the_pages)
{
    ws_loop *first;
    ws_loop *second;

    begin(300, false);
    ck_assert_int_eq(ws_loop_new(here.host.manager, NULL, 0, &second), WS_OK);
    come_back(&ann, 0);
    first = here.host.loop;
    here.host.loop = second;
    come_back(&bob, 5);
    ck_assert_uint_eq(stream.n_fetches, 1);
    stream_answer();
    ws_loop_run(first, 0);
    ws_loop_run(second, 0);
    ck_assert_uint_eq(stream.n_fetches, 2);
    stream_answer();
    ws_loop_run(second, 0);
    ws_loop_run(first, 0);
    expect_all(&ann, 1, 300);
    expect_all(&bob, 6, 300);
    here.host.loop = first;
    ws_loop_free(second);
    end();
}
END_TEST

/* While the carrier answers for as many pages as a loop may await at once, twenty of the loop's
 * clients wait for another page. */
static void wait_for_a_fifth_page(void)
{
    for (size_t i = 0; i < PAGES_AWAITED_MAX; i++)
        come_back(&crowd[i], i * PAGE_EVENTS);
    for (size_t i = 0; i < 20; i++)
        come_back(&crowd[PAGES_AWAITED_MAX + i], PAGES_AWAITED_MAX * PAGE_EVENTS + i);
    ck_assert_uint_eq(stream.n_fetches, PAGES_AWAITED_MAX);
}

static void expect_those_of_the_fifth_page(void)
{
    for (size_t i = 0; i < 20; i++)
        expect_all(&crowd[PAGES_AWAITED_MAX + i], PAGES_AWAITED_MAX * PAGE_EVENTS + i + 1,
                   stream.count);
}

START_TEST(clients_that_wait_for_the_same_page_are_served_together)
{
    const struct awaited_page *awaited;

    begin((PAGES_AWAITED_MAX + 1) * PAGE_EVENTS, false);
    wait_for_a_fifth_page();
    /* The client that has read the last of the four pages joins them. */
    for (size_t i = 0; i < PAGES_AWAITED_MAX; i++)
        stream_answer();
    host_run(&here.host);
    expect_asked(0, PAGES_AWAITED_MAX * PAGE_EVENTS, PAGE_EVENTS);
    awaited = here.host.loop->recoveries->page_waits.awaited;
    while (awaited->number != PAGES_AWAITED_MAX)
        awaited++;
    ck_assert_uint_eq(awaited->n_recoveries, 20 + PAGES_AWAITED_MAX);
    stream_answer_all();
    expect_those_of_the_fifth_page();
    ck_assert_uint_eq(stream.n_fetches, PAGES_AWAITED_MAX + 1);
    end();
}
END_TEST

/* A turn is not long enough for all readers. Until each has read the page, no further page is
 * fetched that might replace it. */
START_TEST(a_page_is_read_before_more_are_fetched)
{
    enum { READERS = 100, OTHERS = PAGES_AWAITED_MAX };

    begin((OTHERS + 1) * PAGE_EVENTS, false);
    for (size_t i = 0; i < READERS; i++)
        come_back(&crowd[i], 0);
    for (size_t i = 0; i < OTHERS; i++)
        come_back(&crowd[READERS + i], (i + 1) * PAGE_EVENTS);
    ck_assert_uint_eq(stream.n_fetches, PAGES_AWAITED_MAX);
    stream_answer();
    ws_loop_run(here.host.loop, here.host.now_ms);
    ck_assert_uint_gt(crowd[0].n_messages, 1);
    ck_assert_uint_eq(crowd[READERS - 1].n_messages, 1);
    ck_assert_uint_eq(stream.n_fetches, PAGES_AWAITED_MAX);
    host_run(&here.host);
    ck_assert_uint_eq(stream.n_fetches, PAGES_AWAITED_MAX + 1);
    stream_answer_all();
    for (size_t i = 0; i < READERS; i++)
        expect_all(&crowd[i], 1, stream.count);
    ck_assert_uint_eq(stream.n_fetches, OTHERS + 1);
    end();
}
END_TEST

START_TEST(another_loop_has_fetched_the_page_meanwhile)
{
    ws_loop *first;
    ws_loop *second;

    begin((PAGES_AWAITED_MAX + 1) * PAGE_EVENTS, false);
    ck_assert_int_eq(ws_loop_new(here.host.manager, NULL, 0, &second), WS_OK);
    first = here.host.loop;
    wait_for_a_fifth_page();
    here.host.loop = second;
    come_back(&ann, PAGES_AWAITED_MAX * PAGE_EVENTS);
    ck_assert_uint_eq(stream.n_fetches, PAGES_AWAITED_MAX + 1);
    for (size_t i = 0; i <= PAGES_AWAITED_MAX; i++)
        stream_answer();
    host_run(&here.host);
    expect_all(&ann, PAGES_AWAITED_MAX * PAGE_EVENTS + 1, stream.count);
    here.host.loop = first;
    host_run(&here.host);
    expect_those_of_the_fifth_page();
    ck_assert_uint_eq(stream.n_fetches, PAGES_AWAITED_MAX + 1);
    ws_loop_free(second);
    end();
}
END_TEST

/* A client that is far behind asks for one page after the other; another client needs only one. */
START_TEST(a_client_far_behind_does_not_delay_others)
{
    begin(40 * PAGE_EVENTS, false);
    come_back(&ann, 0);
    come_back(&bob, 39 * PAGE_EVENTS);
    ck_assert_uint_eq(stream.n_asked, 2);
    for (int i = 0; i < 3; i++) {
        stream_answer();
        host_run(&here.host);
    }
    expect_all(&bob, 39 * PAGE_EVENTS + 1, 40 * PAGE_EVENTS);
    stream_answer_all();
    expect_all(&ann, 1, 40 * PAGE_EVENTS);
    end();
}
END_TEST

/* --- pages that are not whole ---------------------------------------------------------------- */

START_TEST(the_stream_was_trimmed_within_a_page)
{
    begin(600, false);
    for (size_t i = 0; i < 4; i++)
        process_come_back(&here, &crowd[i], stream_id((uint64_t[]){50, 99, 100, 200}[i]), NULL);
    host_run(&here.host);
    answer_with(100, 156);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_ptr_nonnull(client_next(&crowd[i]));
        client_expect(&crowd[i], recovered_message(false, 0, 600), NULL);
    }
    stream_answer_all();
    expect_all(&crowd[2], 101, 600);
    expect_all(&crowd[3], 201, 600);
    /* The process knows by now what was trimmed, and asks for nothing in vain. */
    process_pass(&here, 2 * PAGES_IDLE_MS);
    stream.n_fetches = 0;
    come_back(&ann, 120);
    come_back(&bob, 60);
    ck_assert_ptr_nonnull(client_next(&bob));
    client_expect(&bob, recovered_message(false, 0, 600), NULL);
    expect_asked(0, 100, 156);
    stream_answer_all();
    expect_all(&ann, 121, 600);
    ck_assert_uint_eq(stream.n_fetches, 3);
    end();
}
END_TEST

/* The answer begins after the page. Events that the stream no longer has may still be in memory. */
START_TEST(the_stream_was_trimmed_behind_a_page)
{
    begin(600, false);
    come_back(&ann, 0);
    stream_answer();
    host_run(&here.host);
    expect_asked(0, 256, 256);
    answer_with(400, 112);
    ck_assert_ptr_nonnull(strstr(ann.messages[ann.n_messages - 1], "\"complete\":false"));
    come_back(&bob, 100);
    stream_answer_all();
    ck_assert_ptr_nonnull(client_next(&bob));
    for (int i = 101; i <= 256; i++)
        ck_assert_str_eq(client_next(&bob), number_message(i, NULL, i));
    client_expect(&bob, recovered_message(false, 156, 600), NULL);
    end();
}
END_TEST

START_TEST(the_whole_page_was_trimmed)
{
    begin(1000, false);
    come_back(&ann, 10);
    come_back(&bob, 600);
    answer_with(550, 20);
    ck_assert_ptr_nonnull(client_next(&ann));
    client_expect(&ann, recovered_message(false, 0, 1000), NULL);
    stream_answer_all();
    expect_all(&bob, 601, 1000);
    end();
}
END_TEST

START_TEST(the_carrier_answers_with_part_of_the_page)
{
    begin(300, false);
    come_back(&ann, 90);
    answer_with(0, 60);
    /* The next 60 events reach that position, so that nothing is left out. */
    expect_asked(0, 60, 196);
    answer_with(60, 60);
    expect_asked(0, 120, 136);
    come_back(&bob, 0);
    answer_with(120, 136);
    stream_answer_all();
    expect_all(&ann, 91, 300);
    expect_all(&bob, 1, 300);
    ck_assert_uint_eq(stream.n_fetches, 4);
    end();
}
END_TEST

/* Events may be so large that the carrier returns only a few: it is not asked for all events before
 * them. */
START_TEST(the_carrier_answers_with_few_events)
{
    begin(300, false);
    here.host.manager->pages.max_pages = 1;
    come_back(&ann, 200);
    answer_with(0, 2);
    expect_asked(0, 200, 56);
    answer_with(200, 2);
    expect_asked(0, 202, 54);
    answer_with(202, 54);
    /* Only what is kept tells how many events come at once. */
    come_back(&bob, 60);
    expect_asked(1, 0, 256);
    stream_answer_all();
    expect_all(&ann, 201, 300);
    expect_all(&bob, 61, 300);
    end();
}
END_TEST

/* Events were stored after the page was requested. */
START_TEST(the_stream_grows_after_the_request)
{
    begin(100, false);
    come_back(&ann, 20);
    expect_asked(0, 0, 100);
    emit(50, false);
    answer_with(0, 100);
    expect_asked(0, 100, 50);
    stream_answer_all();
    expect_all(&ann, 21, 150);
    end();
}
END_TEST

/* Without a history each event is fetched, and the stream grows meanwhile. */
START_TEST(without_a_history_each_event_is_fetched)
{
    begin(0, false);
    process_close(&here);
    process_open(&here, 0);
    process_start(&here, 0);
    emit(30, false);
    come_back(&ann, 20);
    emit(5, false);
    stream_answer_all();
    expect_all(&ann, 21, 35);
    emit(1, false);
    client_expect(&ann, number_message(36, NULL, 36), NULL);
    end();
}
END_TEST

START_TEST(invalid_events_are_left_out)
{
    begin(100, false);
    free(stream.events[50].text);
    stream.events[50].text = strdup("{}");
    come_back(&ann, 49);
    stream_answer_all();
    ck_assert_ptr_nonnull(client_next(&ann));
    ck_assert_str_eq(client_next(&ann), number_message(50, NULL, 50));
    ck_assert_str_eq(client_next(&ann), number_message(52, NULL, 52));
    ck_assert_uint_eq(client_count(&ann), 100 - 52 + 1);
    end();
}
END_TEST

/* --- clients that read slowly ---------------------------------------------------------------- */

static void becomes_writable(struct client *client)
{
    ck_assert_int_eq(ws_manager_transport_writable(here.host.manager, client->id), WS_OK);
}

START_TEST(fetched_events_wait_for_room_in_the_queue)
{
    begin(100, false);
    come_back(&ann, 10);
    ann.send_result = WS_ERR_BACKPRESSURE;
    answer_with(0, 90);
    for (int i = 0; i < 20; i++)
        becomes_writable(&ann);
    ck_assert_uint_eq(ann.n_messages, 22);
    ann.send_result = WS_OK;
    becomes_writable(&ann);
    expect_all(&ann, 11, 100);
    end();
}
END_TEST

/* There are more clients at different positions than pages in memory, and each reads one event at a
 * time: pages that were dropped are fetched again. */
START_TEST(slow_clients_at_different_positions)
{
    enum { N = 60, KEPT = 40, EACH = 5 };

    begin((N + 1) * PAGE_EVENTS, false);
    here.host.manager->pages.max_pages = KEPT;
    for (size_t i = 0; i < N; i++) {
        crowd_after[i] = i * PAGE_EVENTS + 7;
        come_back(&crowd[i], crowd_after[i]);
        crowd[i].send_result = WS_ERR_BACKPRESSURE;
        stream_answer_all();
    }
    ck_assert_uint_eq(stream.n_fetches, N);
    for (size_t n = 2; n <= EACH; n++)
        for (size_t i = 0; i < N; i++) {
            becomes_writable(&crowd[i]);
            stream_answer_all();
            ck_assert_uint_eq(crowd[i].n_messages, 1 + n);
            ck_assert_uint_le(here.host.manager->pages.count, KEPT);
        }
    ck_assert_uint_gt(stream.n_fetches, N);
    for (size_t i = 0; i < N; i++) {
        ck_assert_ptr_nonnull(client_next(&crowd[i]));
        for (uint64_t at = crowd_after[i] + 1; at <= crowd_after[i] + EACH; at++)
            ck_assert_str_eq(client_next(&crowd[i]), number_message((int)at, NULL, (int)at));
    }
    end();
}
END_TEST

/* The least recently used page is dropped. */
START_TEST(pages_that_are_read_are_kept)
{
    begin(4 * PAGE_EVENTS, false);
    here.host.manager->pages.max_pages = 2;
    for (size_t i = 0; i < 3; i++) {
        come_back(&crowd[i], i * PAGE_EVENTS);
        crowd[i].send_result = WS_ERR_BACKPRESSURE;
        if (i == 2)
            becomes_writable(&crowd[0]);
        stream_answer_all();
    }
    ck_assert_uint_eq(stream.n_fetches, 3);
    becomes_writable(&crowd[0]);
    ck_assert_uint_eq(crowd[0].n_messages, 4);
    ck_assert_uint_eq(stream.n_asked, 0);
    becomes_writable(&crowd[1]);
    expect_asked(0, PAGE_EVENTS, PAGE_EVENTS);
    stream_answer_all();
    ck_assert_uint_eq(crowd[1].n_messages, 3);
    end();
}
END_TEST

/* Pages are bounded by bytes too, and a page that is too large is kept in part. */
START_TEST(pages_of_large_events_are_kept_in_part)
{
    enum { N = 2 * PAGE_EVENTS, BYTES = 100000, KEPT_BYTES = 3 * PAGE_MAX_BYTES };

    begin(N, false);
    here.host.manager->pages.max_bytes = KEPT_BYTES;
    for (size_t i = 0; i < N; i++) {
        char *text = realloc(stream.events[i].text, BYTES + 1);
        size_t length = strlen(text);

        ck_assert_ptr_nonnull(text);
        memset(text + length - 1, ' ', BYTES - length);
        strcpy(text + BYTES - 1, "}");
        stream.events[i].text = text;
    }
    come_back(&ann, 0);
    while (stream.n_asked > 0) {
        const struct pages *pages = &here.host.manager->pages;

        stream_answer();
        ck_assert_uint_le(pages->bytes, KEPT_BYTES);
        ck_assert_uint_le(pages->first->events.bytes, PAGE_MAX_BYTES + 2 * BYTES);
        host_run(&here.host);
    }
    ck_assert_uint_eq(client_count(&ann), N + 2);
    ck_assert_uint_le(stream.n_fetches, N / (PAGE_MAX_BYTES / BYTES) + 2);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        pages_have_fixed_boundaries,
        pages_respect_rooms_users_and_exclusions,
        a_thousand_clients_share_the_fetched_pages,
        pages_without_readers_are_dropped,
        pages_are_dropped_by_any_loop,
        clients_one_after_the_other_share_the_pages,
        two_loops_share_the_pages,
        clients_that_wait_for_the_same_page_are_served_together,
        a_page_is_read_before_more_are_fetched,
        another_loop_has_fetched_the_page_meanwhile,
        a_client_far_behind_does_not_delay_others,
        the_stream_was_trimmed_within_a_page,
        the_stream_was_trimmed_behind_a_page,
        the_whole_page_was_trimmed,
        the_carrier_answers_with_part_of_the_page,
        the_carrier_answers_with_few_events,
        the_stream_grows_after_the_request,
        without_a_history_each_event_is_fetched,
        invalid_events_are_left_out,
        fetched_events_wait_for_room_in_the_queue,
        slow_clients_at_different_positions,
        pages_that_are_read_are_kept,
        pages_of_large_events_are_kept_in_part,
        NULL,
    };

    return suite_run("pages", tests);
}
