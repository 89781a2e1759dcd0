/* rooms.h: joining and leaving rooms, with the application's on_join and on_leave callbacks. */
#ifndef WS_CORE_ROOMS_ROOMS_H
#define WS_CORE_ROOMS_ROOMS_H

#include "core/connections/connection.h"

/* Pins the share that the connection's loop has of a room, and creates it if needed; NULL if
 * memory ran out. */
struct share *room_pin(const struct connection *connection, const char *room);

/* Pins that share if it exists; else NULL. */
struct share *room_pin_existing(const struct connection *connection, const char *room);

/* Pins the share of a room that the connection is in. */
void room_pin_share(const struct connection *connection, struct share *share);

/* Gives back a pin. NULL does nothing. */
void room_unpin(const struct connection *connection, struct share *share);

/* Call on_join and on_leave. */
void room_joined(struct connection *connection, const char *room, int result);
void room_left(struct connection *connection, const char *room, int result);

/* Execute COMMAND_JOIN and COMMAND_LEAVE. */
void room_join(struct connection *connection, struct share *share);
void room_leave(struct connection *connection, struct share *share);

#endif
