/* paces.h: the rate limit of client messages, for a loop's connections. Not here: the token
 * bucket that each has (pace.h).
 *
 * A bucket's time wraps around. Buckets that have filled up are therefore reset to "full"
 * before an old time could be mistaken for a future one. */
#ifndef WS_CORE_CLIENTS_PACES_H
#define WS_CORE_CLIENTS_PACES_H

#include <stdbool.h>

#include "core/loop_state.h"

void paces_init(ws_loop *loop);

/* Takes a token for one message of the connection's client; false if there is none. */
bool paces_take(struct connection *connection);

#endif
