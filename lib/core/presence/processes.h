/* processes.h: presence of several processes. Each tells the others, by orders in the cluster's stream,
 * how many connections its own users have in each room with presence, and every process adds them up.
 * Not here: the stream's orders (core/cluster/orders.h).
 *
 * The orders, of a process P:
 *
 *     presence          in a room, of some users: connections at P, 0 if there are none any more, and
 *                       the state, if it was set there, or others may not have it
 *     presence_begin    P sends all that it has, as orders `presence`, and then
 *     presence_end      what was not sent since is no longer there
 *     presence_wanted   P needs what others have: of some rooms, or all that one or each of them has
 *     presence_alive    P lives
 *
 * A process is dead when three of this process's own presence_alive have come back since its last
 * order. As long as the stream stands still, nobody dies; and of those that the carrier kept meanwhile
 * only the first counts. Each order has a number, by which its sender learns how many are on their way:
 * when there are many, it waits.
 *
 * Of a user's states the one counts whose order has the highest position in the stream, on every process. A
 * state that is sent again has that position with it. It ends where the stream has no connection of the
 * user any more. */
#ifndef WS_CORE_PRESENCE_PROCESSES_H
#define WS_CORE_PRESENCE_PROCESSES_H

#include "core/presence/state.h"

/* Carries out an order of the stream, whose text is a valid JSON object. The lock is not held.
 * WS_ERR_INVALID: it is not valid. WS_ERR_NO_MEMORY: it is to be tried again. */
int presence_order_carry_out(ws_manager *manager, const ws_cluster_event *event);

/* The process may have missed orders: it asks the others for what they have, and sends what it has
 * itself. Any thread, without the lock. */
void presence_gap(ws_manager *manager);

#endif
