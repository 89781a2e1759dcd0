/* rooms.h: a connection enters and leaves rooms, and the application hears of it. */
#ifndef WS_CORE_ROOMS_ROOMS_H
#define WS_CORE_ROOMS_ROOMS_H

#include "core/connections/connection.h"

/* The connection's loop's share of a room, pinned so that it stays; NULL if memory ran out. */
struct share *room_pin(const struct connection *connection, const char *room);

/* Pins one that the connection is in. */
void room_pin_share(const struct connection *connection, struct share *share);

/* NULL does nothing. */
void room_unpin(const struct connection *connection, struct share *share);

/* Calls on_join and on_leave. */
void room_joined(struct connection *connection, const char *room, int result);
void room_left(struct connection *connection, const char *room, int result);

/* COMMAND_JOIN and COMMAND_LEAVE. */
void room_join(struct connection *connection, struct share *share);
void room_leave(struct connection *connection, struct share *share);

#endif
