/* heartbeat.h: handles the expiry of a session's timers: pings, clients that do not answer them,
 * and what was left for the next turn. */
#ifndef WS_TRANSPORT_POLLING_HEARTBEAT_H
#define WS_TRANSPORT_POLLING_HEARTBEAT_H

#include "core/transport/transport_side.h"

/* Handles the timers of kind TIMER_POLLING. */
void polling_timer_expired(struct timer *timer);

#endif
