/* timers.h: what is done when a WebSocket's timer expires: a ping, then the end. Not here: how long it
 * takes (websocket_start_timer()). */
#ifndef WS_TRANSPORT_WEBSOCKET_TIMERS_H
#define WS_TRANSPORT_WEBSOCKET_TIMERS_H

#include "transport/websocket/websocket.h"

/* The timer wheel's callback. */
void websocket_timer_expired(struct timer *timer);

#endif
