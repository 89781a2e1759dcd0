/* receiver.h: connections of a built-in transport, which splits the messages that it receives into
 * frames again. Not here: connections of an application's transport (host.h: clients). For one
 * thread. */
#ifndef SUPPORT_RECEIVER_H
#define SUPPORT_RECEIVER_H

#include "core/connections/connection.h"
#include "support/host.h"

enum { RECEIVER_HEADER = 5 /* bytes of a frame before its text */ };

struct receiver {
    struct connection connection; /* first */
    struct host *host;
    size_t n_messages; /* received from the core */
    char **texts;      /* of the frames in them, like those of a client */
    size_t n_texts;
    size_t largest;  /* bytes of the largest message */
    int send_result; /* what it returns for a message; WS_OK accepts it */
};

/* Registers a receiver; must be called before anything else registers a connection with this host.
 * The receiver must live longer than the host. */
void receiver_connect(struct host *host, struct receiver *receiver);

void receiver_join(struct receiver *receiver, const char *room);

/* Frees what the receiver has received. */
void receiver_forget(struct receiver *receiver);

#endif
