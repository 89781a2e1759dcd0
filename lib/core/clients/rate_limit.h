/* rate_limit.h: the rate limit of client messages, for a loop's connections. Not here: the token
 * bucket that each has (token_bucket.h).
 *
 * A bucket's time wraps around. Buckets that have filled up are therefore reset to "full"
 * before an old time could be mistaken for a future one. */
#ifndef WS_CORE_CLIENTS_RATE_LIMIT_H
#define WS_CORE_CLIENTS_RATE_LIMIT_H

#include <stdbool.h>

#include "core/loop_state.h"

void rate_limit_init(ws_loop *loop);

/* Takes a token for one message of the connection's client; false if there is none. */
bool rate_limit_take(struct connection *connection);

#endif
