/* receipt.h: a client of Socket.IO joins or leaves a room when a cluster's carrier has its session
 * with that room, or without it: when the client has its answer, its session can be recovered on
 * any process, even if this one is killed.
 *
 * The carrier is given the session, and then asked for a value that nobody writes: it says that
 * there is none when it has stored all that it was given before (ws_cluster::recall). The client's
 * further packets wait meanwhile, for at most five seconds. Then it joins all the same, and until
 * the carrier answers again no client of the loop waits. */
#ifndef WS_TRANSPORT_ENGINEIO_RECEIPT_H
#define WS_TRANSPORT_ENGINEIO_RECEIPT_H

#include "transport/engineio/state.h"

/* Whether a request to join or leave a room waits: it is carried out later. */
bool engineio_receipt_await(struct engineio_socket *socket,
                            const struct client_message *message);

#endif
