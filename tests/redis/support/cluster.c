/* cluster.c: a Redis Cluster for a test. */
#include "redis/support/cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

enum { N_SLOTS = 16384, ATTEMPTS = 3000, WAIT_US = 10000, KEYS_AT_ONCE = 100 };

static void start_node(struct cluster *cluster, int i)
{
    const char *const options[] = {"--cluster-enabled",
                                   "yes",
                                   "--cluster-node-timeout",
                                   "1000",
                                   "--cluster-port",
                                   cluster->ports[i],
                                   "--repl-diskless-sync-delay",
                                   "0",
                                   NULL};

    snprintf(cluster->ports[i], sizeof cluster->ports[i], "%d", server_free_port());
    server_start(&cluster->nodes[i], options);
    snprintf(cluster->ids[i], sizeof cluster->ids[i], "%s",
             server_do(&cluster->nodes[i], "CLUSTER MYID"));
}

/* Assigns a third of the slots to each master; the slot of the keys goes to the first one. */
static void assign_slots(const struct cluster *cluster)
{
    int third = cluster->slot / (N_SLOTS / CLUSTER_MASTERS + 1);

    for (int i = 0; i < CLUSTER_MASTERS; i++) {
        int part = (third + i) % CLUSTER_MASTERS;
        int first = part * (N_SLOTS / CLUSTER_MASTERS + 1);
        int last = first + N_SLOTS / CLUSTER_MASTERS;

        server_do(&cluster->nodes[i], "CLUSTER ADDSLOTSRANGE %d %d", first,
                  last < N_SLOTS ? last : N_SLOTS - 1);
    }
}

static bool is_well(const struct server *node)
{
    const char *info = server_do(node, "CLUSTER INFO");

    return strstr(info, "cluster_state:ok") != NULL &&
           strstr(info, "cluster_slots_assigned:16384") != NULL;
}

static void wait_a_moment(int *n)
{
    ck_assert_int_lt(++*n, ATTEMPTS);
    usleep(WAIT_US);
}

void cluster_await(const struct cluster *cluster)
{
    int n = 0;

    for (int i = 0; i < CLUSTER_NODES; i++)
        while (cluster->nodes[i].pid > 0 && !is_well(&cluster->nodes[i]))
            wait_a_moment(&n);
}

static bool knows_all(const struct server *node)
{
    return strstr(server_do(node, "CLUSTER INFO"), "cluster_known_nodes:4") != NULL;
}

static bool knows_replica(const struct server *node, const char *master)
{
    char text[64];

    snprintf(text, sizeof text, " slave %s ", master);
    return strstr(server_do(node, "CLUSTER NODES"), text) != NULL;
}

void cluster_start(struct cluster *cluster)
{
    int n = 0;

    for (int i = 0; i < CLUSTER_NODES; i++)
        start_node(cluster, i);
    cluster->slot = atoi(server_do(&cluster->nodes[0], "CLUSTER KEYSLOT {wsmanager}"));
    assign_slots(cluster);
    for (int i = 1; i < CLUSTER_NODES; i++)
        server_do(&cluster->nodes[0], "CLUSTER MEET 127.0.0.1 %d %s", cluster->nodes[i].port,
                  cluster->ports[i]);
    for (int i = 0; i < CLUSTER_NODES; i++)
        while (!knows_all(&cluster->nodes[i]))
            wait_a_moment(&n);
    cluster_await(cluster);
    server_do(&cluster->nodes[CLUSTER_REPLICA], "CLUSTER REPLICATE %s", cluster->ids[0]);
    while (strstr(server_do(&cluster->nodes[CLUSTER_REPLICA], "INFO replication"),
                  "master_link_status:up") == NULL)
        wait_a_moment(&n);
    for (int i = 0; i < CLUSTER_MASTERS; i++) /* the masters that are to elect it */
        while (!knows_replica(&cluster->nodes[i], cluster->ids[0]))
            wait_a_moment(&n);
}

void cluster_end(struct cluster *cluster)
{
    for (int i = 0; i < CLUSTER_NODES; i++)
        server_end(&cluster->nodes[i]);
}

/* --- moving the slot -------------------------------------------------------------------------- */

void cluster_begin_move(const struct cluster *cluster, int from, int to)
{
    server_do(&cluster->nodes[to], "CLUSTER SETSLOT %d IMPORTING %s", cluster->slot,
              cluster->ids[from]);
    server_do(&cluster->nodes[from], "CLUSTER SETSLOT %d MIGRATING %s", cluster->slot,
              cluster->ids[to]);
}

void cluster_move(const struct cluster *cluster, int from, int to, const char *key)
{
    redisContext *context = server_connect(&cluster->nodes[from]);
    redisReply *keys;

    if (key != NULL) {
        ck_assert_str_eq(server_do(&cluster->nodes[from], "MIGRATE 127.0.0.1 %d %s 0 5000",
                                   cluster->nodes[to].port, key),
                         "OK");
        redisFree(context);
        return;
    }
    keys = redisCommand(context, "CLUSTER GETKEYSINSLOT %d %d", cluster->slot, KEYS_AT_ONCE);
    ck_assert_ptr_nonnull(keys);
    for (size_t i = 0; i < keys->elements; i++)
        cluster_move(cluster, from, to, keys->element[i]->str);
    freeReplyObject(keys);
    redisFree(context);
}

void cluster_end_move(const struct cluster *cluster, int to)
{
    server_do(&cluster->nodes[to], "CLUSTER SETSLOT %d NODE %s", cluster->slot,
              cluster->ids[to]);
    for (int i = 0; i < CLUSTER_MASTERS; i++)
        if (i != to)
            server_do(&cluster->nodes[i], "CLUSTER SETSLOT %d NODE %s", cluster->slot,
                      cluster->ids[to]);
}
