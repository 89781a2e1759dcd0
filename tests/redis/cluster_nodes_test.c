/* cluster_nodes_test.c: a Redis Cluster of several nodes: the node that serves the keys is found
 * through any other, and followed when the slot moves or a replica takes its place. Not here: many
 * clients under load (e2e/test_failover.py). */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ws_manager/last_values.h>

#include "core/manager.h"
#include "redis/support/cluster.h"
#include "redis/support/node.h"
#include "support/suite.h"

enum { N = 10, OWNER = 0, OTHER = 1, THIRD = 2 };

static struct cluster cluster;
static struct node ann;
static char uri[256];

#define UNTIL_TOLD(text) UNTIL(strstr(ann.state, text) != NULL)

static void start_ann(void)
{
    node_start(&ann, "ann", uri);
    UNTIL(ann.connected);
    node_emit_numbers(&ann, 1, N);
    node_expect_stored(&ann, 1, N);
}

static void begin_at(int node)
{
    cluster_start(&cluster);
    snprintf(uri, sizeof uri, "redis://127.0.0.1:%d", cluster.nodes[node].port);
    start_ann();
}

static void begin_at_all(void)
{
    cluster_start(&cluster);
    snprintf(uri, sizeof uri, "redis://127.0.0.1:%d,127.0.0.1:%d,127.0.0.1:%d",
             cluster.nodes[0].port, cluster.nodes[1].port, cluster.nodes[2].port);
    start_ann();
}

static void end(void)
{
    node_close(&ann);
    cluster_end(&cluster);
}

static bool is_at_host(const char *host, int node)
{
    char expected[64];
    bool found;
    char *text;

    snprintf(expected, sizeof expected, "\"server\":\"%s:%d\"", host, cluster.nodes[node].port);
    ck_assert_int_eq(ws_redis_get_stats(ann.redis, &text, NULL), WS_OK);
    found = strstr(text, expected) != NULL;
    ws_redis_free_text(ann.redis, text);
    return found;
}

static bool is_at(int node)
{
    return is_at_host("127.0.0.1", node);
}

/* --- finding the node ------------------------------------------------------------------------- */

/* Given once or, as if there were several hosts, twice. */
static void start_at(int node, bool twice)
{
    int port = cluster.nodes[node].port;

    snprintf(uri, sizeof uri, "redis://127.0.0.1:%d", port);
    if (twice)
        snprintf(uri, sizeof uri, "redis://127.0.0.1:%d,127.0.0.1:%d", port, port);
    start_ann();
    ck_assert(is_at(OWNER));
    ck_assert_uint_eq(node_stat(&ann, "failures"), 0);
}

START_TEST(any_node_redirects_to_the_owner)
{
    begin_at(OWNER);
    ck_assert(is_at(OWNER));
    ck_assert_uint_eq(node_stat(&ann, "redirections"), 0);
    node_close(&ann);
    start_at(OTHER, false);
    ck_assert_uint_eq(node_stat(&ann, "redirections"), 1);
    node_close(&ann);
    start_at(CLUSTER_REPLICA, false);
    node_close(&ann);
    /* All given nodes are replicas, or do not serve the slot. */
    start_at(CLUSTER_REPLICA, true);
    node_close(&ann);
    for (int i = 0; i < CLUSTER_NODES; i++) /* MOVED without a host */
        server_do(&cluster.nodes[i], "CONFIG SET cluster-preferred-endpoint-type "
                                     "unknown-endpoint");
    start_at(OTHER, false);
    node_close(&ann);
    snprintf(uri, sizeof uri, "redis://127.0.0.1:%d/1", cluster.nodes[OWNER].port);
    node_start(&ann, "ann", uri);
    UNTIL_TOLD("SELECT is not allowed in cluster mode");
    end();
}
END_TEST

/* Nodes that name each other by host names, which do not exist at first. */
START_TEST(nodes_have_host_names)
{
    char expected[32];

    cluster_start(&cluster);
    for (int i = 0; i < CLUSTER_NODES; i++)
        server_do(&cluster.nodes[i], "CONFIG SET cluster-preferred-endpoint-type hostname");
    snprintf(uri, sizeof uri, "redis://127.0.0.1:%d", cluster.nodes[OTHER].port);
    snprintf(expected, sizeof expected, " ?:%d", cluster.nodes[OWNER].port);
    node_start(&ann, "ann", uri);
    UNTIL_TOLD(expected);
    for (int i = 0; i < CLUSTER_NODES; i++)
        server_do(&cluster.nodes[i], "CONFIG SET cluster-announce-hostname localhost");
    UNTIL(ann.connected);
    ck_assert(is_at_host("localhost", OWNER));
    end();
}
END_TEST

/* --- following the node ----------------------------------------------------------------------- */

/* Meanwhile some keys are on one node, and the others on the other node. */
START_TEST(the_slot_moves_under_load)
{
    enum { STEP = 100, STEPS = 12 };
    int last = N;
    int step = 0;

    begin_at(OWNER);
    for (; step < STEPS; step++, last += STEP) {
        node_emit_numbers(&ann, last + 1, last + STEP);
        nodes_turn();
        if (step == 2)
            cluster_begin_move(&cluster, OWNER, OTHER);
        if (step == 4)
            cluster_move(&cluster, OWNER, OTHER, "{wsmanager}:state");
        if (step == 6)
            cluster_move(&cluster, OWNER, OTHER, NULL);
        if (step == 8) { /* by ASK: the node does not own the slot yet */
            UNTIL(ann.n_stored == (size_t)last + STEP && is_at(OTHER));
            ck_assert_uint_gt(node_stat(&ann, "redirections"), 0);
            cluster_end_move(&cluster, OTHER);
        }
    }
    node_expect_stored(&ann, N + 1, last);
    cluster_begin_move(&cluster, OTHER, THIRD);
    cluster_move(&cluster, OTHER, THIRD, NULL);
    cluster_end_move(&cluster, THIRD);
    node_emit_numbers(&ann, last + 1, last + STEP); /* by MOVED */
    UNTIL(is_at(THIRD));
    UNTIL(ann.n_stored == (size_t)last + STEP);
    node_expect(&ann, last + 1, last + STEP);
    ck_assert_uint_eq(ann.n_missed, 1);
    ck_assert_uint_eq(node_stat(&ann, "duplicates"), 0);
    end();
}
END_TEST

/* A process that only reads notices it too. */
START_TEST(the_slot_moves_while_no_event_is_sent)
{
    unsigned n_told;

    begin_at(OWNER);
    n_told = ann.n_told;
    cluster_begin_move(&cluster, OWNER, OTHER);
    cluster_move(&cluster, OWNER, OTHER, NULL);
    UNTIL(is_at(OTHER) && ann.connected);
    ck_assert_uint_ge(ann.n_told, n_told + 2); /* it left the node, and reached the other one */
    cluster_end_move(&cluster, OTHER);
    node_emit_numbers(&ann, N + 1, 2 * N);
    node_expect_stored(&ann, N + 1, 2 * N);
    ck_assert_uint_eq(ann.n_missed, 1);
    end();
}
END_TEST

/* The key of a new producer is on neither node, and cannot be used meanwhile (TRYAGAIN). */
START_TEST(a_new_producer_waits_for_the_move)
{
    begin_at(OWNER);
    cluster_begin_move(&cluster, OWNER, OTHER);
    ck_assert_int_eq(node_emit_asking(&ann, N + 1, "other", 1), WS_OK);
    UNTIL_TOLD("TRYAGAIN");
    ck_assert_uint_eq(ann.n_stored, N);
    cluster_move(&cluster, OWNER, OTHER, NULL);
    cluster_end_move(&cluster, OTHER);
    UNTIL(ann.n_stored == N + 1);
    node_expect(&ann, N + 1, N + 1);
    ck_assert_uint_eq(ann.n_missed, 1);
    end();
}
END_TEST

static void keep_values(struct node *node)
{
    ws_last_values_options options;

    ws_last_values_options_init(&options);
    ck_assert_int_eq(ws_manager_keep_last_values(node->host.manager, &options), WS_OK);
}

static void emit_value(const char *key)
{
    ws_event *event;

    ck_assert_int_eq(ws_event_new(ann.host.manager, "notification", "1", 1, &event), WS_OK);
    ck_assert_int_eq(ws_event_set_key(event, key), WS_OK);
    ck_assert_int_eq(ws_manager_broadcast_to_room(ann.host.manager, "r", event, NULL, 0),
                     WS_OK);
    ws_event_free(event);
}

/* What rooms keep moves with the slot. A process that starts meanwhile waits for it. */
START_TEST(values_move_with_the_slot)
{
    struct node bob;

    begin_at(OWNER);
    keep_values(&ann);
    emit_value("a");
    emit_value("b");
    UNTIL(ann.host.manager->last_values.count == 2);
    cluster_begin_move(&cluster, OWNER, OTHER);
    cluster_move(&cluster, OWNER, OTHER, "{wsmanager}:values:order");
    emit_value("c");
    UNTIL_TOLD("TRYAGAIN");
    node_init(&bob, "bob", uri);
    bob.options.preload_events = 1;
    node_open(&bob);
    keep_values(&bob);
    UNTIL(strstr(bob.state, "TRYAGAIN") != NULL);
    cluster_move(&cluster, OWNER, OTHER, NULL);
    cluster_end_move(&cluster, OTHER);
    UNTIL(ann.host.manager->last_values.count == 3);
    UNTIL(bob.host.manager->last_values.count == 3);
    ck_assert_uint_eq(bob.host.manager->last_values.last->message->position,
                      ann.host.manager->last_values.last->message->position);
    node_close(&bob);
    end();
}
END_TEST

/* All keys have moved, but the node does not own the slot yet. */
START_TEST(a_process_starts_by_ask)
{
    struct node bob;

    begin_at(OWNER);
    keep_values(&ann);
    emit_value("a");
    UNTIL(ann.host.manager->last_values.count == 1);
    cluster_begin_move(&cluster, OWNER, OTHER);
    cluster_move(&cluster, OWNER, OTHER, NULL);
    node_init(&bob, "bob", uri);
    bob.options.preload_events = 1;
    node_open(&bob);
    keep_values(&bob);
    UNTIL(bob.connected);
    ck_assert_uint_eq(bob.host.manager->last_values.count, 1);
    cluster_end_move(&cluster, OTHER);
    emit_value("b");
    UNTIL(bob.host.manager->last_values.count == 2);
    node_close(&bob);
    end();
}
END_TEST

START_TEST(the_owner_is_killed)
{
    begin_at_all();
    UNTIL(atoi(server_do(&cluster.nodes[CLUSTER_REPLICA], "DBSIZE")) > 2);
    server_signal(&cluster.nodes[OWNER], SIGKILL);
    for (int i = N + 1; i <= 2 * N; i++)
        ck_assert_int_eq(node_emit_asking(&ann, i, NULL, 0), WS_OK);
    UNTIL(is_at(CLUSTER_REPLICA));
    node_expect_stored(&ann, N + 1, 2 * N);
    ck_assert_uint_eq(ann.n_missed, 1);
    server_restart(&cluster.nodes[OWNER]);
    cluster_await(&cluster);
    node_emit_numbers(&ann, 2 * N + 1, 3 * N);
    UNTIL(ann.n_stored == 3 * N);
    ck_assert(is_at(CLUSTER_REPLICA));
    end();
}
END_TEST

/* Master and replica change roles while both are up. */
START_TEST(a_manual_failover)
{
    begin_at(OTHER);
    server_do(&cluster.nodes[CLUSTER_REPLICA], "CLUSTER FAILOVER");
    node_emit_numbers(&ann, N + 1, 50 * N);
    UNTIL(is_at(CLUSTER_REPLICA));
    node_expect_stored(&ann, N + 1, 50 * N);
    ck_assert_uint_eq(ann.n_missed, 1);
    end();
}
END_TEST

/* The majority is down: no node answers for any slot. */
START_TEST(the_cluster_is_down)
{
    begin_at_all();
    server_signal(&cluster.nodes[OTHER], SIGSTOP);
    server_signal(&cluster.nodes[THIRD], SIGSTOP);
    UNTIL_TOLD("CLUSTERDOWN");
    ck_assert_int_eq(ann.connected, 0);
    node_emit_numbers(&ann, N + 1, 2 * N);
    server_signal(&cluster.nodes[OTHER], SIGCONT);
    server_signal(&cluster.nodes[THIRD], SIGCONT);
    node_expect_stored(&ann, N + 1, 2 * N);
    ck_assert_uint_eq(ann.n_missed, 1);
    end();
}
END_TEST

int main(void)
{
    return suite_run(
        "redis-cluster-nodes",
        (const TTest *const[]){any_node_redirects_to_the_owner, nodes_have_host_names,
                               the_slot_moves_under_load, the_slot_moves_while_no_event_is_sent,
                               a_new_producer_waits_for_the_move, values_move_with_the_slot,
                               a_process_starts_by_ask, the_owner_is_killed, a_manual_failover,
                               the_cluster_is_down, NULL});
}
