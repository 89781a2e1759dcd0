/* recall.h: what a manager lets a cluster's carrier remember, for any process to recall.
 * Not here: what that is (transport/engineio/remember.h). */
#ifndef WS_CORE_CLUSTER_RECALL_H
#define WS_CORE_CLUSTER_RECALL_H

#include "core/calls.h"

/* A question to the carrier. */
struct recall {
    struct loop_call call; /* carries the answer to the loop */
    ws_manager *manager;
    uint32_t loop; /* its number */
    void (*done)(ws_loop *loop, struct recall *recall);
    void *owner;       /* for `done` */
    char *value;       /* the answer, with a NUL behind it; NULL: none, or it is unknown */
    bool is_unknown;   /* the carrier, or memory, has failed */
    size_t length;     /* of `value` */
    bool is_abandoned; /* the loop waits no longer; changed with the manager's lock held */
    bool is_stuck;     /* answered, but memory to notify the loop ran out; with the lock held */
};

/* Whether the manager has a carrier that remembers. */
bool cluster_remembers(const ws_manager *manager);

/* Lets the carrier remember a value; of length 0: forget it. Errors as of ws_cluster::remember. */
int cluster_remember(const ws_manager *manager, const char *key, uint64_t rank,
                     const struct buffer *value, uint64_t ttl_ms);

/* Asks for a value. `done` is called once, on the loop's thread and later, unless the question is
 * abandoned; the recall is freed behind it. NULL if the carrier cannot be asked. */
struct recall *cluster_recall(ws_loop *loop, const char *key,
                              void (*done)(ws_loop *loop, struct recall *recall), void *owner);

/* Waits no longer: `done` is not called. The loop's thread. */
void cluster_recall_abandon(struct recall *recall);

#endif
