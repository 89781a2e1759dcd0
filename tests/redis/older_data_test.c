/* older_data_test.c: a Redis that comes back with its data from some events before: a process that
 * knows of later events detects this, whatever it knows them by, and clients are notified. Not
 * here: other losses (loss_test.c). */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "core/account.h"
#include "redis/support/node.h"
#include "redis/support/server.h"
#include "support/suite.h"

static struct server server;
static struct node ann;
static struct node bob;

static void begin(void)
{
    server_start(&server, NULL);
    node_init(&ann, "ann", server.uri);
    ann.host.options.max_pending = 64;
    node_open(&ann);
    node_start(&bob, "bob", server.uri);
    UNTIL(ann.connected && bob.connected);
    ck_assert_uint_eq(ann.n_missed, 1);
    ck_assert_uint_eq(bob.n_missed, 1);
}

static void end(void)
{
    node_close(&ann);
    node_close(&bob);
    server_end(&server);
}

static void expect_both(int first, int last)
{
    UNTIL(ann.n_stored == (size_t)last);
    node_expect(&ann, first, last);
    node_expect(&bob, first, last);
}

/* Other processes, which know nothing of the lost events, have stored these meanwhile. */
static void others_go_on(int first, int last)
{
    for (int i = first; i <= last; i++)
        server_do(&server, "XADD {wsmanager}:events %d-7 event {\"x\":1}", i);
    server_do(&server, "HSET {wsmanager}:state position %d", last);
}

/* Redis comes back with the data of its snapshot. */
static void restore_snapshot(void)
{
    server_signal(&server, SIGKILL);
    UNTIL(!ann.connected && !bob.connected);
    server_restart(&server);
}

/* Redis loses the events 11 to 20. `epoch` becomes that of the events. */
static void lose_half(char epoch[32])
{
    begin();
    node_emit_numbers(&ann, 1, 10);
    expect_both(1, 10);
    server_do(&server, "SAVE");
    snprintf(epoch, 32, "%s", server_do(&server, "HGET {wsmanager}:state epoch"));
    node_emit_numbers(&ann, 11, 20);
    expect_both(11, 20);
    restore_snapshot();
    UNTIL(ann.n_missed == 2 && bob.n_missed == 2);
}

START_TEST(the_snapshot_is_older)
{
    char epoch[32];

    lose_half(epoch);
    ck_assert_str_ne(server_do(&server, "HGET {wsmanager}:state epoch"), epoch);
    snprintf(epoch, sizeof epoch, "%s", server_do(&server, "HGET {wsmanager}:state epoch"));
    node_emit_numbers(&ann, 21, 30);
    expect_both(21, 30);
    ck_assert_uint_eq(node_stat(&ann, "position"), 20);
    ck_assert_str_eq(server_do(&server, "HGET {wsmanager}:state epoch"), epoch);
    ck_assert_uint_eq(ann.n_missed, 2);
    ck_assert_uint_eq(bob.n_missed, 2);
    end();
}
END_TEST

/* The second time the epoch that was begun at the first time is lost too, and the events in the
 * older data were delivered before. */
START_TEST(the_snapshot_is_older_twice)
{
    char epoch[32];

    lose_half(epoch);
    node_emit_numbers(&ann, 21, 25);
    expect_both(21, 25);
    restore_snapshot();
    UNTIL(ann.n_missed == 3 && bob.n_missed == 3);
    node_emit_numbers(&ann, 26, 30);
    expect_both(26, 30);
    end();
}
END_TEST

/* Nothing was stored in the epoch that was begun the first time: the second time, everything that
 * is known of it is there, but in the epoch before it. The ids of that epoch are those of lost
 * events. */
START_TEST(the_snapshot_is_older_twice_at_once)
{
    char epoch[32];

    lose_half(epoch);
    restore_snapshot();
    UNTIL(ann.n_missed >= 3 && bob.n_missed >= 3 && ann.connected && bob.connected);
    ck_assert_str_ne(server_do(&server, "HGET {wsmanager}:state epoch"), epoch);
    node_emit_numbers(&ann, 21, 30);
    expect_both(21, 30);
    end();
}
END_TEST

/* Before our processes come back, others have continued from the older state, up to our position
 * and beyond. */
START_TEST(the_snapshot_is_older_and_others_continued)
{
    struct node eve;

    begin();
    node_emit_numbers(&ann, 1, 10);
    expect_both(1, 10);
    server_do(&server, "SAVE");
    node_emit_numbers(&ann, 11, 20);
    expect_both(11, 20);
    restore_snapshot();
    others_go_on(11, 30);
    UNTIL(ann.n_missed == 2 && bob.n_missed == 2);
    node_start(&eve, "eve", server.uri);
    UNTIL(eve.connected);
    node_emit_numbers(&ann, 21, 30);
    expect_both(21, 30);
    node_expect(&eve, 21, 30);
    ck_assert_uint_eq(node_stat(&ann, "position"), 40);
    node_close(&eve);
    end();
}
END_TEST

/* Ten events are on disk and read; then Ann's loop accepts no more, so that she stops reading. */
static void begin_with_ten_saved(void)
{
    struct account before;

    begin();
    node_emit_numbers(&ann, 1, 10);
    expect_both(1, 10);
    server_do(&server, "SAVE");
    ann.is_stuck = true;
    /* Events of the stream have their own limit, which this uses up. */
    before = account_set((struct account){.kind = ACCOUNT_CLUSTER});
    while (ws_manager_join_room(ann.host.manager, ann.client.id, "room") == WS_OK)
        ;
    account_set(before);
}

/* Redis comes back without the events from 11 to 20, which no other process knows. */
static void lose_ten_events(bool others_go_on_meanwhile)
{
    ck_assert_uint_eq(ann.n_got, 0);
    node_close(&bob);
    server_signal(&server, SIGKILL);
    server_restart(&server);
    if (others_go_on_meanwhile)
        others_go_on(11, 20);
    ann.is_stuck = false;
    UNTIL(ann.n_missed == 2);
}

START_TEST(events_are_lost_before_they_are_read)
{
    begin_with_ten_saved();
    node_emit_numbers(&ann, 11, 20);
    UNTIL(ann.n_stored == 20);
    lose_ten_events(true);
    node_close(&ann);
    server_end(&server);
}
END_TEST

/* Lost events that were read but not delivered are not delivered among the new ones. */
START_TEST(events_are_lost_while_they_wait_for_delivery)
{
    begin_with_ten_saved();
    node_emit_numbers(&ann, 11, 20);
    UNTIL(ann.n_stored == 20 && node_stat(&ann, "lag") == 10);
    lose_ten_events(false);
    node_emit_numbers(&ann, 21, 30);
    node_expect_stored(&ann, 21, 30);
    node_close(&ann);
    server_end(&server);
}
END_TEST

/* The events were another process's. Ann knows of them from the start of her session. */
START_TEST(events_are_lost_after_they_are_seen)
{
    begin_with_ten_saved();
    node_emit_numbers(&bob, 11, 20);
    UNTIL(bob.n_stored == 10);
    server_do(&server, "CLIENT KILL TYPE normal SKIPME yes");
    UNTIL(node_stat(&ann, "sessions") == 2);
    lose_ten_events(true);
    node_close(&ann);
    server_end(&server);
}
END_TEST

/* Only Bob knows of ten events when others have continued without them. */
static void expect_bob_to_notice(void)
{
    server_signal(&server, SIGKILL);
    server_restart(&server);
    others_go_on(1, 10);
    UNTIL(bob.n_missed == 2);
    node_close(&bob);
    server_end(&server);
}

START_TEST(events_are_lost_after_they_are_read)
{
    begin();
    server_do(&server, "SAVE");
    node_emit_numbers(&ann, 1, 10);
    expect_both(1, 10);
    node_close(&ann);
    expect_bob_to_notice();
}
END_TEST

START_TEST(events_are_lost_after_they_are_loaded)
{
    begin();
    server_do(&server, "SAVE");
    node_emit_numbers(&ann, 1, 10);
    expect_both(1, 10);
    node_close(&ann);
    node_close(&bob);
    node_start(&bob, "bob", server.uri);
    UNTIL(bob.connected);
    expect_bob_to_notice();
}
END_TEST

int main(void)
{
    return suite_run(
        "redis-older-data",
        (const TTest *const[]){
            the_snapshot_is_older, the_snapshot_is_older_twice,
            the_snapshot_is_older_twice_at_once, the_snapshot_is_older_and_others_continued,
            events_are_lost_before_they_are_read, events_are_lost_while_they_wait_for_delivery,
            events_are_lost_after_they_are_seen, events_are_lost_after_they_are_read,
            events_are_lost_after_they_are_loaded, NULL});
}
