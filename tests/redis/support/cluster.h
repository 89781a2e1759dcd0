/* cluster.h: a Redis Cluster for a test: three masters, and a replica of the first one, which
 * serves the carriers' keys. Not here: the servers themselves (server.h). For one thread. */
#ifndef REDIS_TESTS_CLUSTER_H
#define REDIS_TESTS_CLUSTER_H

#include "redis/support/server.h"

enum { CLUSTER_MASTERS = 3, CLUSTER_REPLICA = CLUSTER_MASTERS, CLUSTER_NODES };

struct cluster {
    struct server nodes[CLUSTER_NODES];
    char ports[CLUSTER_NODES][8]; /* of the bus */
    char ids[CLUSTER_NODES][41];
    int slot; /* of the keys */
};

/* Starts the cluster; returns when every node reports that it is up. */
void cluster_start(struct cluster *cluster);
void cluster_end(struct cluster *cluster);

/* Waits until all running nodes report that the cluster is up. */
void cluster_await(const struct cluster *cluster);

/* Moves the slot from one node to another, step by step: after the first step, keys that are not at
 * `from` are asked for at `to`; then `key` is moved, or, if it is NULL, all keys that are left; in
 * the end `to` owns the slot. */
void cluster_begin_move(const struct cluster *cluster, int from, int to);
void cluster_move(const struct cluster *cluster, int from, int to, const char *key);
void cluster_end_move(const struct cluster *cluster, int to);

#endif
