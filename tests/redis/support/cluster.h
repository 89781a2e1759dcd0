/* cluster.h: a Redis Cluster of a test's own: three masters, and a replica of the first one, which
 * is in charge of the carriers' keys. Not here: the servers themselves (server.h). For one
 * thread. */
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

/* When it returns every node says that all is well. */
void cluster_start(struct cluster *cluster);
void cluster_end(struct cluster *cluster);

/* All nodes that live say so. */
void cluster_await(const struct cluster *cluster);

/* Moves the slot from one node to another, step by step: from the first on, keys that are not at
 * `from` are asked for at `to`; `key` is moved, or, if it is NULL, all that are still there; in the
 * end `to` is in charge. */
void cluster_begin_move(const struct cluster *cluster, int from, int to);
void cluster_move(const struct cluster *cluster, int from, int to, const char *key);
void cluster_end_move(const struct cluster *cluster, int to);

#endif
