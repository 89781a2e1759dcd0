/* places.h: how many answers may be waited for, so that no client, and no user, takes all
 * places. Not here: what waits, and the limits of one connection (waiting.h). */
#ifndef WS_CORE_CLIENTS_PLACES_H
#define WS_CORE_CLIENTS_PLACES_H

#include "core/connections/connection.h"

/* Takes a place for a connection; false if there is none for its user, for clients without a user,
 * or for any. On the loop's thread, without the lock. */
bool place_take(struct connection *connection, enum place_kind kind);

void place_give_back(struct connection *connection, enum place_kind kind);

/* In the child of a fork(): the loop goes on there, with what waits on it. */
void places_continue(ws_loop *loop);

#endif
