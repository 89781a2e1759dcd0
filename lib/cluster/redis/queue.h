/* queue.h: events that wait until they are stored: in the order of publishing, bounded, one block
 * of memory each. Not here: the lock that guards it (carrier.h) and how they are stored
 * (writer.c). */
#ifndef WS_REDIS_QUEUE_H
#define WS_REDIS_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ws_manager/cluster.h>

#include "base/memory.h"

struct piece {
    const char *text; /* NULL: none */
    size_t length;
};

struct pending {
    struct pending *next;
    void *receipt; /* the manager's; NULL: nobody asks */
    size_t bytes;  /* of this block */
    int32_t scope;
    bool for_client;
    struct piece producer_key;
    struct piece sequence; /* in decimal */
    struct piece target;
    struct piece exclude;
    struct piece event;
    char texts[];
};

struct queue {
    const ws_allocator *memory;
    const char *producer_prefix; /* of producers' keys */
    const char *own_producer;    /* numbers the events that nobody else does */
    uint64_t own_sequence;
    uint64_t max_events;
    uint64_t max_bytes;

    struct pending *first;
    struct pending **end; /* where the next one goes */
    uint64_t count;
    uint64_t bytes;
    uint64_t client_count; /* of these, those of clients */
    uint64_t client_bytes;
};

void queue_init(struct queue *queue, const ws_allocator *memory, const char *producer_prefix,
                const char *own_producer);

/* Takes a copy of an event. WS_ERR_BACKPRESSURE, WS_ERR_NO_MEMORY, or WS_ERR_TOO_BIG for one that
 * would not fit if it were alone. Those of clients (for_client) fill half of the queue at most. */
int queue_push(struct queue *queue, const ws_cluster_event *event, void *receipt);

/* Takes the oldest one out, for the caller to free; NULL if there is none. */
struct pending *queue_pop(struct queue *queue);

#endif
