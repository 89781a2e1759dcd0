/* receiver.h: connections of an inner transport, which takes the frames of what it gets apart
 * again. Not here: connections of an application's transport (host.h: clients). For one thread. */
#ifndef SUPPORT_RECEIVER_H
#define SUPPORT_RECEIVER_H

#include "core/connections/connection.h"
#include "support/host.h"

enum { RECEIVER_HEADER = 5 /* bytes of a frame before its text */ };

struct receiver {
    struct connection connection; /* first */
    struct host *host;
    size_t n_messages; /* that the core handed over */
    char **texts;      /* of the frames in them, as those of a client */
    size_t n_texts;
    size_t largest;  /* bytes of a message */
    int send_result; /* what it says to a message; which it takes if that is WS_OK */
};

/* Registers it; before anything else of this host is. It must live longer than the host. */
void receiver_connect(struct host *host, struct receiver *receiver);

void receiver_join(struct receiver *receiver, const char *room);

/* Frees what it has got. */
void receiver_forget(struct receiver *receiver);

#endif
