/* loop.h: wakes an event-loop thread. Not here: its state (state.h), its turns (loop_run.h). */
#ifndef WS_SERVER_LOOP_H
#define WS_SERVER_LOOP_H

#include "server/connection/state.h"

/* Makes the loop look at what has changed, such as `stopping`. Any thread. */
void loop_notify(struct loop *loop);

#endif
