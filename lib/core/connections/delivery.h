/* delivery.h: delivers an event to its recipients on one loop, in slices. Not here: the lists
 * of recipients (registry.h, slots.h) and handing over to a transport (connection.h). */
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

#endif
