/* timers.h: handles the expiry of a WebSocket's timer: sends a ping, then ends the connection.
 * Not here: how long it runs (deadlines.c). */
#ifndef WS_TRANSPORT_WEBSOCKET_TIMERS_H
#define WS_TRANSPORT_WEBSOCKET_TIMERS_H

#include "transport/websocket/websocket.h"

/* The timer wheel's callback. */
void websocket_timer_expired(struct timer *timer);

#endif
