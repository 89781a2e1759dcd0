/* stream.h: a cluster's stream made of memory, and processes whose carrier it is: what they send is
 * stored, and delivered when a test says so; what they ask for waits for the test's answer.
 * Not here: a real engine. For one thread. */
#ifndef SUPPORT_STREAM_H
#define SUPPORT_STREAM_H

#include <ws_manager/cluster.h>

#include "support/host.h"

enum { STREAM_MAX = 40000, STREAM_MAX_REQUESTS = 256 };

/* An event as it was sent. */
struct stored {
    int32_t scope;
    char *target;
    char *exclude;
    char *text;
    char *producer;
    uint64_t sequence;
    void *receipt;
};

struct process {
    struct host host;
    size_t n_read; /* events of the stream */
};

/* What a process asked for. */
struct asked {
    struct process *process;
    void *request;
    uint64_t after;
    uint32_t max_events;
};

struct stream {
    char epoch[WS_EPOCH_SIZE];
    struct stored events[STREAM_MAX]; /* that of position 1 first */
    size_t count;
    int publish_result;
    int fetch_result;
    size_t n_fetches;                        /* calls that had this result */
    struct asked asked[STREAM_MAX_REQUESTS]; /* not yet answered, the oldest first */
    size_t n_asked;
};

extern struct stream stream;
extern const ws_cluster stream_carrier;

/* Forgets everything. */
void stream_reset(void);

/* The event of a position, as a carrier hands it on. */
ws_cluster_event stream_event(uint64_t position);

/* The id of a position. Static text, good for a few calls. */
const char *stream_id(uint64_t position);

/* The oldest request is answered with the `n` events behind a position (no turn is run), or with
 * what was asked for. */
int stream_answer_with(uint64_t after, size_t n);
void stream_answer(void);

/* All requests are answered, and those that follow, until there are no more. */
void stream_answer_all(void);

/* A process that has not reached the stream yet. */
void process_open(struct process *process, uint32_t history_events);

/* It reaches the stream, and gets the newest n events at once. */
void process_start(struct process *process, size_t n);

/* What is in the stream arrives. */
void process_read_all(struct process *process);

/* Its loop runs every 200 ms for so long. */
void process_pass(struct process *process, uint64_t ms);

void process_close(struct process *process);

/* A client comes back to a process as user "ann", behind this id. Its loop is still to be run. */
void process_come_back(struct process *process, struct client *client, const char *after,
                       const char *former);

/* {"type":"recovered"}. Static text, good for one call. */
const char *recovered_message(bool is_complete, size_t count, uint64_t position);

#endif
