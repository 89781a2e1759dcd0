/* stream.h: a cluster's stream in memory, and processes that use it as their carrier: events that
 * they send are stored, and delivered when a test says so; their requests wait for the test's
 * answer. Not here: a real Redis. For one thread. */
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
    ws_cluster_keep keep; /* size 0: nothing is kept; its texts are gone */
    char *key;            /* of `keep` */
};

struct process {
    struct host host;
    size_t n_read; /* how many events of the stream it has read */
};

/* A request of a process. */
struct asked {
    struct process *process;
    void *request;
    uint64_t after;
    uint32_t max_events;
};

struct stream {
    char epoch[WS_EPOCH_SIZE];
    struct stored events[STREAM_MAX]; /* the event of position 1 first */
    size_t count;
    int publish_result;
    int fetch_result;
    size_t n_fetches;                        /* calls that had this result */
    struct asked asked[STREAM_MAX_REQUESTS]; /* unanswered, oldest first */
    size_t n_asked;
};

extern struct stream stream;
extern const ws_cluster stream_carrier;

/* Removes all events and requests. */
void stream_reset(void);

/* The event of a position, as a carrier passes it to the manager. */
ws_cluster_event stream_event(uint64_t position);

/* The id of a position; static text, overwritten after a few calls. */
const char *stream_id(uint64_t position);

/* Answers the oldest request with the `n` events after a position (without running a turn), or with
 * what was requested. */
int stream_answer_with(uint64_t after, size_t n);
void stream_answer(void);

/* Answers all requests, and those that follow, until there are none. */
void stream_answer_all(void);

/* Opens a process that has not reached the stream yet. */
void process_open(struct process *process, uint32_t history_events);

/* The process reaches the stream, and gets the newest n events at once. */
void process_start(struct process *process, size_t n);

/* Delivers the events of the stream that the process has not read. */
void process_read_all(struct process *process);

/* Runs the process's loop every 200 ms for this time. */
void process_pass(struct process *process, uint64_t ms);

void process_close(struct process *process);

/* A client comes back to a process as user "ann", after this id. The caller runs the loop. */
void process_come_back(struct process *process, struct client *client, const char *after,
                       const char *former);

/* The message {"type":"recovered"}; static text, overwritten by the next call. */
const char *recovered_message(bool is_complete, size_t count, uint64_t position);

#endif
