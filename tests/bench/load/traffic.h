/* traffic.h: messages that go to the server and come back. They are counted, timed, and measured
 * after a warm-up. Not here: when they are sent, which the modes fanout, paced and echo decide. */
#ifndef LOAD_TRAFFIC_H
#define LOAD_TRAFFIC_H

#include "clients.h"
#include "histogram.h"
#include "message.h"

struct traffic;

struct traffic_kind {
    /* Sends what is due. Returns the longest time to wait for input. May be NULL. */
    uint64_t (*feed)(struct traffic *traffic);
    /* Called when a message has come back to this client. May be NULL. */
    void (*delivered)(struct traffic *traffic, struct client *client);
    bool to_everyone; /* false: to the sender only */
};

struct traffic {
    const struct traffic_kind *kind;
    struct clients clients;
    struct message message;
    struct bytes batch; /* messages that are sent together */
    struct histogram latency;
    uint64_t sent;
    uint64_t delivered;
    uint64_t compressed; /* how many of the delivered were compressed */
    uint64_t bad;        /* inflated samples that differ from what was sent */
    bool ending;
};

/* Adds a message to the batch. `sent_ns` is the time when it is, or should have been, sent. */
void traffic_add(struct traffic *traffic, uint64_t sent_ns);

void traffic_send_batch(struct traffic *traffic, struct client *client);

/* Runs the whole mode, from the first connection to the last figure. Returns the exit status. */
int traffic_run(const struct options *options, const struct traffic_kind *kind);

#endif
