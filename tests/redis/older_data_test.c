/* older_data_test.c: a Redis that comes back as it was some events before: whoever knows that
 * there were more finds that out, by whatever it knows it, and clients are told. Not here: other
 * losses (loss_test.c). */
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

/* Others have stored these meanwhile, processes that know nothing of what is lost. */
static void others_go_on(int first, int last)
{
    for (int i = first; i <= last; i++)
        server_do(&server, "XADD {wsmanager}:events %d-7 event {\"x\":1}", i);
    server_do(&server, "HSET {wsmanager}:state position %d", last);
}

/* Redis comes back as it was at the snapshot. */
static void restore_snapshot(void)
{
    server_signal(&server, SIGKILL);
    UNTIL(!ann.connected && !bob.connected);
    server_restart(&server);
}

START_TEST(snapshot_is_older)
{
    char epoch[32];

    begin();
    node_emit_numbers(&ann, 1, 10);
    expect_both(1, 10);
    server_do(&server, "SAVE");
    snprintf(epoch, sizeof epoch, "%s", server_do(&server, "HGET {wsmanager}:state epoch"));
    node_emit_numbers(&ann, 11, 20);
    expect_both(11, 20);
    restore_snapshot();
    UNTIL(ann.n_missed == 2 && bob.n_missed == 2);
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

/* The second time the epoch that was begun at the first is gone too, and what the older one has was
 * delivered before. */
START_TEST(snapshot_is_older_twice)
{
    begin();
    node_emit_numbers(&ann, 1, 10);
    expect_both(1, 10);
    server_do(&server, "SAVE");
    node_emit_numbers(&ann, 11, 20);
    expect_both(11, 20);
    restore_snapshot();
    UNTIL(ann.n_missed == 2 && bob.n_missed == 2);
    node_emit_numbers(&ann, 21, 25);
    expect_both(21, 25);
    restore_snapshot();
    UNTIL(ann.n_missed == 3 && bob.n_missed == 3);
    node_emit_numbers(&ann, 26, 30);
    expect_both(26, 30);
    end();
}
END_TEST

/* Nothing was stored in the epoch that was begun at the first time: all that is known of it is there
 * at the second, when the epoch before it is. The ids of that one are those of lost events. */
START_TEST(snapshot_is_older_twice_at_once)
{
    char epoch[32];

    begin();
    node_emit_numbers(&ann, 1, 10);
    expect_both(1, 10);
    server_do(&server, "SAVE");
    snprintf(epoch, sizeof epoch, "%s", server_do(&server, "HGET {wsmanager}:state epoch"));
    node_emit_numbers(&ann, 11, 20);
    expect_both(11, 20);
    restore_snapshot();
    UNTIL(ann.n_missed == 2 && bob.n_missed == 2);
    restore_snapshot();
    UNTIL(ann.n_missed >= 3 && bob.n_missed >= 3 && ann.connected && bob.connected);
    ck_assert_str_ne(server_do(&server, "HGET {wsmanager}:state epoch"), epoch);
    node_emit_numbers(&ann, 21, 30);
    expect_both(21, 30);
    end();
}
END_TEST

/* Others have gone on from the older state, up to where we were and beyond, before we come back. */
START_TEST(snapshot_is_older_and_others_went_on)
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

/* Ten events are on disk and read; then Ann's loop takes nothing more, so that she does not read
 * on. */
static void begin_with_ten_saved(void)
{
    struct account before;

    begin();
    node_emit_numbers(&ann, 1, 10);
    expect_both(1, 10);
    server_do(&server, "SAVE");
    ann.is_stuck = true;
    /* What comes from the stream has a budget of its own, which this uses up. */
    before = account_set((struct account){.kind = ACCOUNT_CLUSTER});
    while (ws_manager_join_room(ann.host.manager, ann.client.id, "room") == WS_OK)
        ;
    account_set(before);
}

/* Redis comes back without the events from 11 to 20, of which nobody else knows. */
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

START_TEST(lost_before_they_were_read)
{
    begin_with_ten_saved();
    node_emit_numbers(&ann, 11, 20);
    UNTIL(ann.n_stored == 20);
    lose_ten_events(true);
    node_close(&ann);
    server_end(&server);
}
END_TEST

/* What was read of them is not delivered among those that come in their place. */
START_TEST(lost_while_they_wait_for_delivery)
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

/* They were another's. That they were there she knows from the beginning of her session. */
START_TEST(lost_after_they_were_seen)
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

/* Bob is the only one left who knows of ten events when others have gone on without them. */
static void expect_bob_to_notice(void)
{
    server_signal(&server, SIGKILL);
    server_restart(&server);
    others_go_on(1, 10);
    UNTIL(bob.n_missed == 2);
    node_close(&bob);
    server_end(&server);
}

START_TEST(lost_after_they_were_read)
{
    begin();
    server_do(&server, "SAVE");
    node_emit_numbers(&ann, 1, 10);
    expect_both(1, 10);
    node_close(&ann);
    expect_bob_to_notice();
}
END_TEST

START_TEST(lost_after_they_were_loaded)
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
        (const TTest *const[]){snapshot_is_older, snapshot_is_older_twice,
                               snapshot_is_older_twice_at_once,
                               snapshot_is_older_and_others_went_on, lost_before_they_were_read,
                               lost_while_they_wait_for_delivery, lost_after_they_were_seen,
                               lost_after_they_were_read, lost_after_they_were_loaded, NULL});
}
