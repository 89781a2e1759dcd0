/* rooms.h: the service itself: who may connect, who may enter which room, who may publish what.
 *
 * Not here: sockets and threads (loop.h, main.c). */
#ifndef ROOMS_ROOMS_H
#define ROOMS_ROOMS_H

#include <ws_manager/ws_manager.h>

/* Creates the manager and the endpoint for its clients. Returns WS_OK, or an error, after which
 * neither exists. */
int rooms_new(ws_manager **manager, ws_endpoint **endpoint);

/* Sends the number of connections to the members of the room "status". Any thread. */
void rooms_publish_status(ws_manager *manager);

/* Refuses new clients and closes the others, after what is queued for them. Any thread. */
void rooms_drain(ws_manager *manager);

#endif
