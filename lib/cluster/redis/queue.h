/* queue.h: the queue of events that wait to be stored, in the order of publishing. It is
 * bounded, and each event is one block of memory. Not here: the lock that guards the queue
 * (carrier.h) and storing events (writer.c). */
#ifndef WS_REDIS_QUEUE_H
#define WS_REDIS_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ws_manager/cluster.h>

#include "base/memory.h"

struct piece {
    const char *text; /* NULL: absent */
    size_t length;
};

struct pending {
    struct pending *next;
    void *receipt; /* for ws_manager_cluster_stored(); NULL: no callback is wanted */
    size_t bytes;  /* size of this block */
    int32_t scope;
    bool for_client;
    struct piece producer_key;
    struct piece sequence; /* in decimal */
    struct piece target;
    struct piece exclude;
    struct piece event;
    struct piece keep; /* for the script (scripts.h) */
    char texts[];
};

struct queue {
    const ws_allocator *memory;
    const char *producer_prefix; /* of the keys of producers */
    const char *own_producer;    /* for events whose sender did not number them */
    uint64_t own_sequence;
    uint64_t max_events;
    uint64_t max_bytes;

    struct pending *first;
    struct pending **end; /* where the next event is linked */
    uint64_t count;
    uint64_t bytes;
    uint64_t client_count; /* events with for_client */
    uint64_t client_bytes;
};

void queue_init(struct queue *queue, const ws_allocator *memory, const char *producer_prefix,
                const char *own_producer);

/* Appends a copy of an event. Events of clients (for_client) may fill at most half of the queue.
 * Errors: WS_ERR_BACKPRESSURE (the queue is full), WS_ERR_TOO_BIG (the event would not fit into an
 * empty queue), WS_ERR_NO_MEMORY. */
int queue_push(struct queue *queue, const ws_cluster_event *event, void *receipt);

/* Removes the oldest event, which the caller frees; NULL if the queue is empty. */
struct pending *queue_pop(struct queue *queue);

#endif
