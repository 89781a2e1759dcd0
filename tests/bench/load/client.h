/* client.h: what clients.c needs of a single connection.
 * Not here: what the modes need of it (clients.h). */
#ifndef LOAD_CLIENT_H
#define LOAD_CLIENT_H

#include "clients.h"

/* Handles an event of the client's socket: it is connected, has bytes, or has ended. */
void client_event(struct clients *clients, struct client *client);

#endif
