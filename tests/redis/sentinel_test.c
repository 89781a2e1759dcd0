/* sentinel_test.c: a master that sentinels name: it is found, verified, and followed when another
 * server takes its place. Not here: many clients under load (e2e/test_failover.py). */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "redis/support/node.h"
#include "redis/support/peer.h"
#include "redis/support/server.h"
#include "support/suite.h"

enum { N = 10, N_SENTINELS = 2 };

static struct server master;
static struct server replica;
static struct server sentinels[N_SENTINELS];
static struct node ann;
static char uri[256];

#define UNTIL_TOLD(text) UNTIL(strstr(ann.state, text) != NULL)

static void start_servers(const char *const *options, const char *const *sentinel_options)
{
    server_start(&master, options);
    server_start(&replica, options);
    server_do(&master, "CONFIG SET repl-diskless-sync-delay 0");
    server_do(&replica, "REPLICAOF 127.0.0.1 %d", master.port);
    UNTIL(strstr(server_do(&replica, "INFO replication"), "master_link_status:up") != NULL);
    for (size_t i = 0; i < N_SENTINELS; i++)
        server_start_sentinel(&sentinels[i], master.port, sentinel_options);
    /* Two candidates at once would share the votes, and wait before they try again. */
    server_do(&sentinels[1], "SENTINEL SET mymaster quorum 3");
    snprintf(uri, sizeof uri, "redis+sentinel://127.0.0.1:%d,127.0.0.1:%d/mymaster",
             sentinels[0].port, sentinels[1].port);
}

/* Tells the sentinels of the replica and of each other, so that the test need not wait until they
 * find out. */
static void await_sentinels(void)
{
    for (size_t i = 0; i < N_SENTINELS; i++)
        server_do(&sentinels[i],
                  "SENTINEL DEBUG INFO-PERIOD 100 PING-PERIOD 100 PUBLISH-PERIOD 100");
    for (size_t i = 0; i < N_SENTINELS; i++)
        UNTIL(strstr(server_do(&sentinels[i], "INFO sentinel"), "slaves=1,sentinels=2") !=
              NULL);
    /* A sentinel waits for four of these periods before it reverts a
     * a_failover_by_the_sentinels that it has not heard of. */
    for (size_t i = 0; i < N_SENTINELS; i++)
        server_do(&sentinels[i], "SENTINEL DEBUG PUBLISH-PERIOD 2000");
}

static void start_ann(void)
{
    node_start(&ann, "ann", uri);
    UNTIL(ann.connected);
    node_emit_numbers(&ann, 1, N);
    node_expect_stored(&ann, 1, N);
}

static void end(void)
{
    node_close(&ann);
    for (size_t i = 0; i < N_SENTINELS; i++)
        server_end(&sentinels[i]);
    server_end(&replica);
    server_end(&master);
}

static bool is_at_host(const char *host, const struct server *server)
{
    char expected[64];
    bool found;
    char *text;

    snprintf(expected, sizeof expected, "\"server\":\"%s:%d\"", host, server->port);
    ck_assert_int_eq(ws_redis_get_stats(ann.redis, &text, NULL), WS_OK);
    found = strstr(text, expected) != NULL;
    ws_redis_free_text(ann.redis, text);
    return found;
}

static bool is_at(const struct server *server)
{
    return is_at_host("127.0.0.1", server);
}

/* Events that the old master had not replicated are lost, and clients are notified. */
static void expect_ledger(int first, int last)
{
    int expected = first;

    UNTIL(ann.n_stored + ann.n_not_stored == (size_t)last);
    ck_assert_uint_eq(ann.n_not_stored, 0);
    UNTIL(ann.n_missed > 1 || ann.n_got == (size_t)(last - first + 1));
    UNTIL(node_stat(&ann, "lag") == 0 && node_stat(&ann, "pending_events") == 0);
    for (size_t i = 0; i < ann.n_got; i++) {
        ck_assert_int_ge(ann.got[i], expected);
        expected = ann.got[i] + 1;
    }
    if (ann.n_missed == 1)
        ck_assert_int_eq(expected, last + 1);
    ann.n_got = 0;
}

/* --- finding the master ----------------------------------------------------------------------- */

START_TEST(the_next_sentinel_is_asked_if_one_is_down)
{
    start_servers(NULL, NULL);
    server_signal(&sentinels[0], SIGKILL);
    start_ann();
    ck_assert(is_at(&master));
    node_close(&ann);
    server_restart(&sentinels[0]);
    server_signal(&sentinels[0], SIGSTOP);
    start_ann();
    server_signal(&sentinels[0], SIGCONT);
    end();
}
END_TEST

START_TEST(no_sentinel_knows_the_master)
{
    start_servers(NULL, NULL);
    server_do(&sentinels[0], "SENTINEL REMOVE mymaster");
    server_do(&sentinels[1], "SENTINEL REMOVE mymaster");
    node_start(&ann, "ann", uri);
    UNTIL_TOLD("it knows no master with this name");
    ck_assert_int_eq(ann.connected, 0);
    server_do(&sentinels[1], "SENTINEL MONITOR mymaster 127.0.0.1 %d 1", master.port);
    UNTIL(ann.connected);
    end();
}
END_TEST

START_TEST(the_master_has_a_host_name)
{
    start_servers(NULL, NULL);
    for (size_t i = 0; i < N_SENTINELS; i++) {
        server_do(&sentinels[i], "SENTINEL REMOVE mymaster");
        server_do(&sentinels[i], "SENTINEL CONFIG SET resolve-hostnames yes");
        server_do(&sentinels[i], "SENTINEL CONFIG SET announce-hostnames yes");
        server_do(&sentinels[i], "SENTINEL MONITOR mymaster localhost %d 1", master.port);
    }
    start_ann();
    ck_assert(is_at_host("localhost", &master));
    end();
}
END_TEST

/* Answers that name no address. */
START_TEST(sentinels_give_invalid_answers)
{
    static const char *const answers[] = {
        "HTTP/1.1 400 Bad Request\r\n",
        "+OK\r\n",
        ":1\r\n",
        "$1\r\nh\r\n",
        "*-1\r\n",
        "*0\r\n",
        "*1\r\n$1\r\nh\r\n",
        "*2\r\n$-1\r\n$-1\r\n",
        "*2\r\n:1\r\n:1\r\n",
        "*2\r\n*0\r\n*0\r\n",
        "*2\r\n$1\r\n?\r\n$1\r\n1\r\n",
        "*2\r\n$3\r\na b\r\n$1\r\n1\r\n",
        "*2\r\n$0\r\n\r\n$1\r\n1\r\n",
        "*2\r\n$9\r\n127.0.0.1\r\n$5\r\n65536\r\n",
        "*2\r\n$9\r\n127.0.0.1\r\n$1\r\n0\r\n",
        "*3\r\n$9\r\n127.0.0.1\r\n$1\r\n1\r\n$1\r\n1\r\n",
    };
    struct peer peer;

    start_servers(NULL, NULL);
    for (size_t i = 0; i < N_SENTINELS; i++) /* their connections are ended too */
        server_do(&sentinels[i], "SENTINEL SET mymaster down-after-milliseconds 60000");
    peer_start(&peer, sentinels[0].port);
    snprintf(uri, sizeof uri, "redis+sentinel://127.0.0.1:%d/mymaster", peer.port);
    node_start(&ann, "ann", uri);
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        uint64_t failures = node_stat(&ann, "failures");

        peer_order(&peer, PEER_SAYS, 0, answers[i]);
        UNTIL(node_stat(&ann, "failures") > failures);
        UNTIL_TOLD("sentinel 127.0.0.1:");
        ck_assert_int_eq(ann.connected, 0);
        ann.state[0] = '\0';
        peer_order(&peer, PEER_PASSES, 0, "");
        UNTIL(ann.connected);
        node_emit_numbers(&ann, (int)i + 1, (int)i + 1); /* ends the backoff */
        node_expect(&ann, (int)i + 1, (int)i + 1);
        server_do(&master, "CLIENT KILL TYPE normal SKIPME yes");
        UNTIL(!ann.connected);
    }
    UNTIL(ann.connected);
    peer_end(&peer);
    end();
}
END_TEST

START_TEST(the_server_is_not_a_sentinel)
{
    start_servers(NULL, NULL);
    snprintf(uri, sizeof uri, "redis+sentinel://127.0.0.1:%d/mymaster", master.port);
    node_start(&ann, "ann", uri);
    UNTIL_TOLD("unknown command");
    end();
}
END_TEST

/* The sentinels have other sentinels_and_master_have_different_passwords than the master. */
START_TEST(sentinels_and_master_have_different_passwords)
{
    static const char *const of_master[] = {"--requirepass", "m/1", "--masterauth", "m/1",
                                            NULL};
    static const char *const of_sentinels[] = {"--requirepass", "s@2", NULL};
    int ports[N_SENTINELS];

    start_servers(of_master, of_sentinels);
    for (size_t i = 0; i < N_SENTINELS; i++) {
        ports[i] = sentinels[i].port;
        server_do(&sentinels[i], "SENTINEL SET mymaster auth-pass m/1");
        server_do(&sentinels[i], "ACL SETUSER ann on >a +sentinel");
    }
    snprintf(uri, sizeof uri, "redis+sentinel://:m%%2F1@127.0.0.1:%d/mymaster", ports[0]);
    node_start(&ann, "ann", uri);
    UNTIL_TOLD("NOAUTH");
    ck_assert_ptr_nonnull(strstr(ann.state, "sentinel 127.0.0.1:"));
    node_close(&ann);
    snprintf(uri, sizeof uri,
             "redis+sentinel://:m%%2F1@127.0.0.1:%d,127.0.0.1:%d/mymaster/3"
             "?sentinel_password=s%%402",
             ports[0], ports[1]);
    start_ann();
    ck_assert_str_eq(server_do(&master, "EXISTS {wsmanager}:events"), "0"); /* in database 0 */
    node_close(&ann);
    snprintf(uri, sizeof uri,
             "redis+sentinel://:m%%2F1@127.0.0.1:%d/mymaster?sentinel_password=a&"
             "sentinel_user=ann",
             ports[1]);
    start_ann();
    end();
}
END_TEST

/* --- following the master --------------------------------------------------------------------- */

START_TEST(a_failover_by_the_sentinels)
{
    start_servers(NULL, NULL);
    await_sentinels();
    start_ann();
    server_do(&sentinels[0], "SENTINEL FAILOVER mymaster");
    for (int i = N + 1; i <= 50 * N; i++) {
        ck_assert_int_eq(node_emit_asking(&ann, i, NULL, 0), WS_OK);
        nodes_turn();
    }
    UNTIL(is_at(&replica));
    expect_ledger(N + 1, 50 * N);
    end();
}
END_TEST

START_TEST(the_master_is_killed)
{
    start_servers(NULL, NULL);
    await_sentinels();
    start_ann();
    UNTIL(atoi(server_do(&replica, "XLEN {wsmanager}:events")) == N);
    server_signal(&master, SIGKILL);
    for (int i = N + 1; i <= 2 * N; i++)
        ck_assert_int_eq(node_emit_asking(&ann, i, NULL, 0), WS_OK);
    UNTIL(is_at(&replica));
    expect_ledger(N + 1, 2 * N);
    ck_assert_uint_eq(ann.n_missed, 1);
    end();
}
END_TEST

/* The sentinels do not know of it: the replica is neither written to nor read from. */
START_TEST(the_master_becomes_a_replica)
{
    start_servers(NULL, NULL);
    start_ann();
    server_do(&replica, "REPLICAOF NO ONE");
    server_do(&master, "REPLICAOF 127.0.0.1 %d", replica.port);
    UNTIL_TOLD("the server is not a master");
    ck_assert_int_eq(ann.connected, 0);
    server_do(&master, "REPLICAOF NO ONE");
    node_emit_numbers(&ann, N + 1, 2 * N);
    UNTIL(is_at(&master));
    expect_ledger(N + 1, 2 * N);
    ck_assert_uint_eq(ann.n_missed, 1);
    end();
}
END_TEST

/* A server that believes it is the master still answers, but the sentinels name another one. */
START_TEST(sentinels_name_another_one)
{
    start_servers(NULL, NULL);
    start_ann();
    for (size_t i = 0; i < N_SENTINELS; i++)
        server_do(&sentinels[i], "SENTINEL REMOVE mymaster");
    server_do(&replica, "REPLICAOF NO ONE");
    for (size_t i = 0; i < N_SENTINELS; i++)
        server_do(&sentinels[i], "SENTINEL MONITOR mymaster 127.0.0.1 %d 1", replica.port);
    UNTIL(is_at(&replica));
    node_emit_numbers(&ann, N + 1, 2 * N);
    expect_ledger(N + 1, 2 * N);
    end();
}
END_TEST

/* Nothing is stored in a replica, even if it accepts writes. */
START_TEST(sentinels_name_a_replica)
{
    start_servers(NULL, NULL);
    server_do(&replica, "CONFIG SET replica-read-only no");
    for (size_t i = 0; i < N_SENTINELS; i++) {
        server_do(&sentinels[i], "SENTINEL REMOVE mymaster");
        server_do(&sentinels[i], "SENTINEL MONITOR mymaster 127.0.0.1 %d 1", replica.port);
    }
    node_start(&ann, "ann", uri);
    node_emit_numbers(&ann, 1, N);
    UNTIL_TOLD("the server is not a master");
    ck_assert_str_eq(server_do(&replica, "EXISTS {wsmanager}:state"), "0");
    server_do(&replica, "REPLICAOF NO ONE");
    UNTIL(is_at(&replica));
    UNTIL(ann.n_stored == N);
    end();
}
END_TEST

/* Without sentinels: of several hosts, the one that is a master. */
START_TEST(of_several_hosts_the_master_is_used)
{
    start_servers(NULL, NULL);
    snprintf(uri, sizeof uri, "redis://127.0.0.1:%d,127.0.0.1:%d", replica.port, master.port);
    start_ann();
    ck_assert(is_at(&master));
    server_do(&replica, "REPLICAOF NO ONE");
    server_signal(&master, SIGKILL);
    node_emit_numbers(&ann, N + 1, 2 * N);
    UNTIL(is_at(&replica));
    expect_ledger(N + 1, 2 * N);
    server_restart(&master);
    end();
}
END_TEST

int main(void)
{
    return suite_run("redis-sentinel",
                     (const TTest *const[]){
                         the_next_sentinel_is_asked_if_one_is_down,
                         no_sentinel_knows_the_master, sentinels_give_invalid_answers,
                         the_master_has_a_host_name, the_server_is_not_a_sentinel,
                         sentinels_and_master_have_different_passwords,
                         a_failover_by_the_sentinels, the_master_is_killed,
                         the_master_becomes_a_replica, sentinels_name_another_one,
                         sentinels_name_a_replica, of_several_hosts_the_master_is_used, NULL});
}
