/* paces.h: the rate limit of the messages of a loop's connections. Not here: the bucket that each
 * has (pace.h).
 *
 * A bucket's time wraps around, so those that have filled up are set back to "full" before their
 * time can be mistaken for one to come. */
#ifndef WS_CORE_CLIENTS_PACES_H
#define WS_CORE_CLIENTS_PACES_H

#include <stdbool.h>

#include "core/loop_state.h"

void paces_init(ws_loop *loop);

/* Takes a token for a message of the connection's client; false if there is none. */
bool paces_take(struct connection *connection);

#endif
