/* accept.h: accepts connections at the listeners of an event-loop thread. Not here: opening the
 * listeners (parts/listen.h), and watching them (loop_run.h). */
#ifndef WS_SERVER_ACCEPT_H
#define WS_SERVER_ACCEPT_H

#include "server/connection/state.h"

/* Accepts the clients that wait at a listener, some of them if there are many. If no descriptor is
 * left, it makes room, or stops watching the listeners for a while: loop->accept_again_ms. */
void accept_clients(struct loop *loop, const struct listener *listener);

/* Watches the listeners again. */
void accept_resume(struct loop *loop);

#endif
