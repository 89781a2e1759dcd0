/* cluster.h: the backend's part in a cluster on Redis: runs the library's client on the first
 * thread of the server. What the client carries is decided by the library. */
#ifndef BACKEND_CLUSTER_H
#define BACKEND_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ws_manager/redis.h>

#include "options.h"

enum { CLUSTER_MAX_FDS = 4 };

/* A descriptor of the client. */
struct cluster_watch {
    int fd;
    int events; /* 0: unused */
};

struct cluster {
    ws_redis *redis; /* NULL: no cluster */
    int epoll;       /* that the thread which runs it waits for */
    bool connected;
    int wake; /* eventfd, edge-triggered, so never read; any thread writes, also after the loops */
    struct cluster_watch watches[CLUSTER_MAX_FDS];
};

/* Creates the client if --redis is given, before the manager has a loop. False with a line in
 * `problem`. */
bool cluster_open(struct cluster *cluster, const struct options *options, ws_manager *manager,
                  char *problem, size_t size);

/* Attaches the client to an epoll that watches nothing else yet. Call it before the server starts.
 * Then waits until Redis is reached, for a second at most, so that no client connects before and
 * misses events. */
void cluster_attach(struct cluster *cluster, int epoll);

/* Handles an event of that epoll; false if `pointer` is not one of the cluster's. */
bool cluster_event(struct cluster *cluster, const void *pointer, uint32_t events);

/* Call it once per turn. Returns when it must be called again, or UINT64_MAX. */
uint64_t cluster_run(struct cluster *cluster, uint64_t now_ms);

/* Events and orders that wait to be stored in Redis; 1 if memory is too short to tell. */
uint64_t cluster_pending(const struct cluster *cluster);

/* Call it after the last loop has ended. */
void cluster_close(struct cluster *cluster);

/* {"redis":…,"cluster":…}, the figures of the client and of every process; freed with
 * cJSON_free(). NULL when memory is short. */
char *cluster_stats(const struct cluster *cluster);

#endif
