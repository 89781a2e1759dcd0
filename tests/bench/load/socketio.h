/* socketio.h: the client's side of Socket.IO 5 over Engine.IO 4, in the default namespace.
 * Not here: what carries the packets (websocket.c, polling.c). */
#ifndef LOAD_SOCKETIO_H
#define LOAD_SOCKETIO_H

#include "clients.h"

/* Asks for a socket. When the server admits it, --hello is sent and the client is open. */
void socketio_begin(struct clients *clients, struct client *client);

/* Handles a packet: answers pings, and hands over events. */
void socketio_packet(struct clients *clients, struct client *client,
                     const unsigned char *packet, size_t length);

#endif
