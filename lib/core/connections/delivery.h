/* delivery.h: an event's way to its recipients on one loop, in slices.
 * Not here: who they are (registry.h, slots.h) and how they get it (connection.h). */
#ifndef WS_CORE_CONNECTIONS_DELIVERY_H
#define WS_CORE_CONNECTIONS_DELIVERY_H

#include "core/loop_state.h"

/* Delivers a message to the members of a share (NULL: to everyone), or goes on with it: reaches at
 * most *budget connections, which is reduced by as many. True when all have been reached. */
bool delivery_run(ws_loop *loop, struct share *share, ws_message *message, uint32_t *budget);

/* Walks everyone, from the highest slot to the lowest: fills in up to `max` connections whose slots
 * are below *below, which moves down; returns how many, 0 at the end. They stay valid until the
 * loop is idle. */
size_t everyone_below(ws_loop *loop, uint32_t *below, struct connection **found, size_t max);

#endif
