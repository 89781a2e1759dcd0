/* socketio_carrier.h: a cluster's carrier that is an array, and clients of Socket.IO of processes
 * that share it: another process is another host. */
#ifndef TEST_WEBSOCKET_SOCKETIO_CARRIER_H
#define TEST_WEBSOCKET_SOCKETIO_CARRIER_H

#include "websocket/socketio_lives.h"

enum { VALUES = 16, QUESTIONS = 8, EVENTS = 16, KEY = 65 };

struct value {
    char key[KEY];
    uint64_t rank;
    uint64_t ttl_ms;
    size_t length; /* 0: forgotten */
    char bytes[65536];
};

/* It outlives hosts. */
struct carrier {
    struct value values[VALUES];
    size_t n_values;
    unsigned n_remembers;
    size_t n_bytes; /* of these */
    int result;     /* of `remember` */
    bool is_silent;
    bool is_unknown; /* what it is asked */
    struct {
        void *request;
        char key[KEY];
    } questions[QUESTIONS]; /* that were not answered */
    size_t n_questions;
    ws_cluster_event events[EVENTS];
    char texts[EVENTS][512];
    char targets[EVENTS][32];
    size_t n_events;
};

extern struct carrier carrier;
extern struct host_options options;
extern ws_socketio_options socketio;

/* The hosts' judge; NULL: none. */
extern int (*carrier_judge)(struct host *of, struct peer *peer, ws_handshake *handshake);

void carrier_answer_all(void);

/* The clients are cut off, and the process has no time for anything. Another one begins. */
void carrier_kill_process(void);

/* The fixture. */
void carrier_setup(void);
void carrier_teardown(void);

/* A client connects again, and recovers its session or becomes a new client. */
struct peer *carrier_come_back(const struct life *before, bool recovers);

#endif
