/* client.h: what clients.c asks of a single connection.
 * What the modes ask of it is in clients.h. */
#ifndef LOAD_CLIENT_H
#define LOAD_CLIENT_H

#include "clients.h"

/* Its socket has something: a connection, bytes or an end. */
void client_event(struct clients *clients, struct client *client);

#endif
