/* receivers.h: a transport that records what it is sent, without allocating. Not here: WebSockets
 * (websocket_life.h). */
#ifndef FAULTS_RECEIVERS_H
#define FAULTS_RECEIVERS_H

#include <stdbool.h>
#include <stddef.h>

#include <ws_manager/ws_manager.h>

struct receiver {
    ws_conn_id id; /* 0: there was no memory for it */
    bool closed;
    char got[1 << 14];
    size_t length;
    bool keeps_first; /* its queue fills up with the first message, which it keeps */
    ws_message *first;
};

extern const ws_transport receiver_transport;

/* Resets it and registers it; `options` may be NULL. */
void receiver_connect(struct receiver *receiver, ws_manager *manager, ws_loop *loop,
                      const ws_connect_options *options);

bool receiver_got(const struct receiver *receiver, const char *text);

#endif
