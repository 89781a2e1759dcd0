/* cluster.h: the backend's part in a cluster on Redis: the library's client on the first thread's
 * epoll. What it carries is the library's business. */
#ifndef BACKEND_CLUSTER_H
#define BACKEND_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ws_manager/redis.h>

#include "options.h"

enum { CLUSTER_MAX_FDS = 4 };

/* A descriptor of the client's. */
struct cluster_watch {
    int fd;
    int events; /* 0: this place is free */
};

struct cluster {
    ws_redis *redis; /* NULL: this process is alone */
    int epoll;       /* of the thread that runs it */
    bool connected;
    int wake; /* eventfd, edge-triggered and so never read; any thread, also after the loops */
    struct cluster_watch watches[CLUSTER_MAX_FDS];
};

/* Makes the client, before the manager has a loop; with --redis only. False with a line in
 * `problem`. */
bool cluster_open(struct cluster *cluster, const struct options *options, ws_manager *manager,
                  char *problem, size_t size);

/* Has a thread run it: its epoll, in which nothing else is yet. Then waits until Redis is reached, for a second at most: so that clients do not come before, and miss what
 * is sent meanwhile. */
void cluster_attach(struct cluster *cluster, int epoll);

/* Hands an event of that epoll over; false if `pointer` is not one of the cluster's. */
bool cluster_event(struct cluster *cluster, const void *pointer, uint32_t events);

/* Once a turn; returns when it wants to be called again, or UINT64_MAX. */
uint64_t cluster_run(struct cluster *cluster, uint64_t now_ms);

/* After the last loop. */
void cluster_close(struct cluster *cluster);

/* {"redis":…,"cluster":…}: how it is, and who else is there; to be freed with cJSON_free(); NULL
 * when memory is short. */
char *cluster_stats(const struct cluster *cluster);

#endif
