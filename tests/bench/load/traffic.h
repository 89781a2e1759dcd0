/* traffic.h: messages that go to the server and come back: counted, timed, and measured after a
 * warm-up. When they are sent is the modes': fanout, paced, echo. */
#ifndef LOAD_TRAFFIC_H
#define LOAD_TRAFFIC_H

#include "clients.h"
#include "histogram.h"
#include "message.h"

struct traffic;

struct traffic_kind {
    /* Sends what is due; returns how long may be waited for what comes. May be NULL. */
    uint64_t (*feed)(struct traffic *traffic);
    /* A message came back to this client; may be NULL. */
    void (*delivered)(struct traffic *traffic, struct client *client);
    bool to_everyone; /* or to the sender only */
};

struct traffic {
    const struct traffic_kind *kind;
    struct clients clients;
    struct message message;
    struct bytes batch; /* messages that are sent together */
    struct histogram latency;
    uint64_t sent;
    uint64_t delivered;
    uint64_t compressed; /* of the delivered */
    uint64_t bad;        /* samples of compressed ones that are not what was sent */
    bool ending;
};

/* Adds a message to the batch; `sent_ns` is when it is, or should have been, sent. */
void traffic_add(struct traffic *traffic, uint64_t sent_ns);

void traffic_send_batch(struct traffic *traffic, struct client *client);

/* The whole mode, from the first connection to the last figure; returns the exit status. */
int traffic_run(const struct options *options, const struct traffic_kind *kind);

#endif
