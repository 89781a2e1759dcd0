/* acks.h: the acknowledgements that the application waits for from a session's client.
 *
 * They are in one list for all sockets, by their ids, the highest first: a search ends at the first
 * lower one. */
#ifndef WS_TRANSPORT_ENGINEIO_ACKS_H
#define WS_TRANSPORT_ENGINEIO_ACKS_H

#include "transport/engineio/state.h"

/* builtin_transport's `await_ack`. */
void acks_await(struct connection *connection, struct waiting_ack *ack);

/* Takes an acknowledgement out of the list: that of a socket's namespace with this id; NULL if it
 * is not waited for. */
struct waiting_ack *acks_take(struct engineio_session *session, uint8_t space, int64_t id);

/* Settles those of a namespace, whose socket has ended, with WS_ERR_CLOSED. The application may
 * free the carrier, which the caller holds. */
void acks_drop(struct engineio_session *session, uint8_t space);

/* Handles the timers of kind TIMER_ACK. */
void acks_timer_expired(struct timer *timer);

#endif
