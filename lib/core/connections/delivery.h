/* delivery.h: hands messages to the transport of one connection, and to those of an event's
 * recipients on one loop, in slices. Not here: the lists of recipients (registry.h, slots.h).
 */
#ifndef WS_CORE_CONNECTIONS_DELIVERY_H
#define WS_CORE_CONNECTIONS_DELIVERY_H

#include "core/loop_state.h"

/* Begins or continues the delivery of a message to the members of a share (NULL: to everyone).
 * Reaches at most *budget connections and reduces *budget by their number. True when all have
 * been reached. */
bool delivery_run(ws_loop *loop, struct share *share, ws_message *message, uint32_t *budget);

/* Walks the loop's connections from the highest slot to the lowest: fills in up to `max`
 * connections whose slots are below *below, which moves down. Returns their number, 0 at the
 * end. The pointers stay valid until loop_idle(). */
size_t everyone_below(ws_loop *loop, uint32_t *below, struct connection **found, size_t max);

/* Hands a message to the connection's transport, if the connection is live. The caller keeps
 * its reference. */
void connection_deliver(struct connection *connection, ws_message *message);

/* Hands a message to the connection's transport and uses up the caller's reference, also on an
 * error. WS_OK; WS_ERR_BACKPRESSURE: taken, but the queue is above its limit; WS_ERR_DROPPED,
 * WS_ERR_NO_MEMORY, WS_ERR_CLOSED: not taken. */
int connection_give(struct connection *connection, ws_message *message);

/* Delivers a text that the library made, and frees its buffer. If memory for the message runs
 * out, the connection is ended. */
void connection_deliver_text(struct connection *connection, struct buffer *buffer);

/* Like connection_deliver_text(), for a text that has the id of a position. */
void connection_deliver_id(struct connection *connection, struct buffer *buffer,
                           uint64_t position);

/* Hands a message to the transport with a reference that was taken in advance, for many
 * recipients at once. True if the transport keeps the reference; else it is still the
 * caller's. */
bool connection_hand_over(struct connection *connection, ws_message *message);

#endif
