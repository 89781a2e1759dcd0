/* arrivals.h: connections that other threads have handed to a loop, until it takes them.
 * What a connection takes along is connection_move.c. */
#ifndef WS_SERVER_ARRIVALS_H
#define WS_SERVER_ARRIVALS_H

#include <stdbool.h>

#include "server/connection/state.h"

enum { ARRIVALS_MAX = 256 };

void arrivals_open(struct arrivals *arrivals);

/* Frees what arrivals_open() made. Nothing may be left in it. */
void arrivals_free(struct arrivals *arrivals);

enum arrivals_result {
    ARRIVALS_FIRST,  /* added: the loop has to be woken */
    ARRIVALS_ADDED,  /* it has been woken, and has not taken the others yet */
    ARRIVALS_REFUSED /* there are too many, or the loop has ended */
};

/* Adds a connection. Unless it is refused, it belongs to the other loop's thread from here on. Any
 * thread. */
enum arrivals_result arrivals_add(struct arrivals *arrivals, struct connection *connection);

/* Takes all connections out, in the order in which they came; NULL: none. */
struct connection *arrivals_take(struct arrivals *arrivals);

/* Refuses connections from now on; false, and nothing has changed, if some are to be taken. */
bool arrivals_close(struct arrivals *arrivals);

#endif
