/* membership.h: adds connections to their groups (user, rooms) and removes them. Not here:
 * permission and notification (rooms.h, clients/builtin_messages.h). */
#ifndef WS_CORE_ROOMS_MEMBERSHIP_H
#define WS_CORE_ROOMS_MEMBERSHIP_H

#include "core/connections/connection.h"

/* Executes COMMAND_CONNECT: makes the connection live and adds it to its user's group. Returns
 * WS_ERR_NO_MEMORY or WS_ERR_LIMIT with nothing changed. *is_news: that the user came is to be
 * announced. */
int membership_begin(struct connection *connection, bool *is_news);

/* Add the connection to the room of a share that the caller has pinned, or remove it. */
int membership_enter(struct connection *connection, struct share *share);
int membership_leave(struct connection *connection, struct share *share);

/* Makes a member of a room, or of the service, one of its watchers, whose share the caller has
 * pinned. WS_ERR_NOT_MEMBER: it has left the room. */
int membership_watch(struct connection *connection, struct share *watchers);
int membership_unwatch(struct connection *connection, const char *room);

/* Removes a connection that ends from its rooms. The manager's lock is held, and given back in
 * between if they are many. Only the loop's thread lets the connection enter rooms. */
void membership_end_rooms(struct connection *connection);

/* Then, removes it from its user. The manager's lock is held. */
void membership_end_user(struct connection *connection);

#endif
