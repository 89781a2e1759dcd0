/* left_behind_test.c: a failover to a replica that lags, after which some processes stay with the
 * former master for a while: clients that missed the events stored there are notified, and all
 * receive the events stored in the new master. Not here: a Redis that comes back with older data
 * (older_data_test.c), each case of the script that decides (attach_test.c). */
#include <stdio.h>
#include <string.h>

#include "redis/support/node.h"
#include "redis/support/peer.h"
#include "redis/support/server.h"
#include "support/suite.h"

/* A process, and the peer that directs it to one Redis or the other. */
struct process {
    struct peer peer;
    struct node node;
};

static struct server master;
static struct server replica;
static struct process ann;
static struct process bob;
static struct process eve;

static void start(struct process *process, const char *name)
{
    peer_start(&process->peer, master.port);
    node_start(&process->node, name, process->peer.uri);
    UNTIL(process->node.connected);
    ck_assert_uint_eq(process->node.n_missed, 1);
}

static void finish(struct process *process)
{
    node_close(&process->node);
    peer_end(&process->peer);
}

static void move(struct process *process)
{
    peer_order(&process->peer, PEER_MOVES, (size_t)replica.port, "");
}

static void expect_all(int first, int last)
{
    node_expect(&ann.node, first, last);
    node_expect(&bob.node, first, last);
    node_expect(&eve.node, first, last);
}

static void expect_missed(size_t by_ann, size_t by_bob, size_t by_eve)
{
    ck_assert_uint_eq(ann.node.n_missed, by_ann);
    ck_assert_uint_eq(bob.node.n_missed, by_bob);
    ck_assert_uint_eq(eve.node.n_missed, by_eve);
}

/* The replica has ten of twenty events when it becomes a master. */
static void promote_replica(void)
{
    static const char *const at_once[] = {"--repl-diskless-sync-delay", "0", NULL};
    char of[32];
    const char *const options[] = {"--replicaof", of, NULL};

    server_start(&master, at_once);
    snprintf(of, sizeof of, "127.0.0.1 %d", master.port);
    server_start(&replica, options);
    start(&ann, "ann");
    start(&bob, "bob");
    start(&eve, "eve");
    node_emit_numbers(&ann.node, 1, 10);
    expect_all(1, 10);
    UNTIL(strcmp(server_do(&replica, "HGET {wsmanager}:state position"), "10") == 0);
    server_do(&replica, "REPLICAOF NO ONE");
    node_emit_numbers(&ann.node, 11, 20);
    expect_all(11, 20);
    UNTIL(ann.node.n_stored == 20);
}

/* Ann moves to the new master and stores five more events. */
static void begin(void)
{
    promote_replica();
    move(&ann);
    UNTIL(ann.node.n_missed == 2);
    node_emit_numbers(&ann.node, 21, 25);
    node_expect_stored(&ann.node, 21, 25);
    expect_missed(2, 1, 1);
}

/* All processes are on the new master. */
static void end(void)
{
    size_t n_missed[] = {ann.node.n_missed, bob.node.n_missed, eve.node.n_missed};

    node_emit_numbers(&ann.node, 101, 110);
    expect_all(101, 110);
    expect_missed(n_missed[0], n_missed[1], n_missed[2]);
    finish(&ann);
    finish(&bob);
    finish(&eve);
    server_end(&replica);
    server_end(&master);
}

/* They know nothing that Ann did not. */
START_TEST(nothing_was_stored_on_the_former_master)
{
    begin();
    move(&bob);
    node_expect(&bob.node, 21, 25);
    move(&eve);
    node_expect(&eve.node, 21, 25);
    expect_missed(2, 2, 2);
    end();
}
END_TEST

static void store_on_former_master(int first, int last)
{
    size_t n_stored = bob.node.n_stored;

    node_emit_numbers(&bob.node, first, last);
    UNTIL(bob.node.n_stored == n_stored + (size_t)(last - first + 1));
    node_expect(&bob.node, first, last);
    node_expect(&eve.node, first, last);
}

/* Bob has stored events there, which Eve has received; the first of them to attach makes that
 * known. */
START_TEST(events_were_stored_on_the_former_master)
{
    begin();
    store_on_former_master(31, 35);
    move(&eve);
    UNTIL(ann.node.n_missed == 3);
    node_expect(&eve.node, 21, 25);
    move(&bob);
    node_expect(&bob.node, 21, 25);
    expect_missed(3, 2, 2);
    end();
}
END_TEST

/* Bob stores more after Eve has moved. */
START_TEST(events_were_stored_there_after_eve_moved)
{
    begin();
    store_on_former_master(31, 35);
    move(&eve);
    UNTIL(ann.node.n_missed == 3);
    node_expect(&eve.node, 21, 25);
    node_emit_numbers(&bob.node, 36, 37);
    node_expect(&bob.node, 36, 37);
    UNTIL(bob.node.n_stored == 7);
    move(&bob);
    UNTIL(ann.node.n_missed == 4 && eve.node.n_missed == 3);
    node_expect(&bob.node, 21, 25);
    expect_missed(4, 2, 3);
    end();
}
END_TEST

/* Events that wait meanwhile are stored once, in the epoch of that time, and reach all. */
START_TEST(events_wait_during_the_move)
{
    begin();
    store_on_former_master(31, 35);
    peer_order(&bob.peer, PEER_SAYS, 0, "");
    node_emit_numbers(&bob.node, 36, 40);
    move(&bob);
    UNTIL(ann.node.n_missed == 3 && bob.node.n_stored == 10);
    node_expect(&ann.node, 36, 40);
    UNTIL(bob.node.n_got == 10);
    bob.node.n_got = 5;
    node_expect(&bob.node, 21, 25);
    move(&eve);
    UNTIL(eve.node.n_got == 10);
    expect_missed(3, 2, 2);
    ann.node.n_got = bob.node.n_got = eve.node.n_got = 0;
    end();
}
END_TEST

/* A process that knows nothing of the lost events stores others at their positions, in the same
 * epoch. Those that move later receive them all. */
static void store_in_their_place(int n)
{
    struct node dan;

    promote_replica();
    node_start(&dan, "dan", replica.uri);
    UNTIL(dan.connected);
    node_emit_numbers(&dan, 31, 30 + n);
    node_expect(&dan, 31, 30 + n);
    UNTIL(dan.n_stored == (size_t)n);
    move(&ann);
    node_expect(&ann.node, 31, 30 + n);
    expect_missed(2, 1, 1);
    move(&bob);
    node_expect(&bob.node, 31, 30 + n);
    move(&eve);
    node_expect(&eve.node, 31, 30 + n);
    expect_missed(2, 2, 2);
    node_close(&dan);
    end();
}

START_TEST(a_new_process_has_stored_fewer_events_than_were_lost)
{
    store_in_their_place(5);
}
END_TEST

START_TEST(a_new_process_has_stored_more_events_than_were_lost)
{
    store_in_their_place(1000);
}
END_TEST

/* The new master is wiped too: Ann begins an epoch that no other process knows, in a stream without
 * any of their epochs. */
START_TEST(the_new_master_is_wiped)
{
    begin();
    store_on_former_master(31, 35);
    server_do(&replica, "FLUSHALL");
    UNTIL(ann.node.n_missed == 3);
    node_emit_numbers(&ann.node, 26, 30);
    node_expect(&ann.node, 26, 30);
    move(&eve);
    UNTIL(ann.node.n_missed == 4);
    node_expect(&eve.node, 26, 30);
    move(&bob);
    node_expect(&bob.node, 26, 30);
    expect_missed(4, 2, 2);
    end();
}
END_TEST

int main(void)
{
    return suite_run("redis-left-behind",
                     (const TTest *const[]){
                         nothing_was_stored_on_the_former_master,
                         events_were_stored_on_the_former_master,
                         events_were_stored_there_after_eve_moved, events_wait_during_the_move,
                         a_new_process_has_stored_fewer_events_than_were_lost,
                         a_new_process_has_stored_more_events_than_were_lost,
                         the_new_master_is_wiped, NULL});
}
