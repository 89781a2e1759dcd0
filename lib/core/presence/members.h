/* members.h: counts the connections of users, in the whole service and in the rooms with presence.
 * The manager's lock is held, on the thread of the connection's loop. Not here: the membership of
 * connections (rooms/membership.h). */
#ifndef WS_CORE_PRESENCE_MEMBERS_H
#define WS_CORE_PRESENCE_MEMBERS_H

#include "core/connections/connection.h"

/* A connection has become live, and is among those of its user. *is_news: the user was not
 * here, or the client is anonymous. Errors: WS_ERR_LIMIT, WS_ERR_NO_MEMORY; nothing is counted
 * then. */
int presence_user_came(struct connection *connection, bool *is_news);

/* A connection ends, and is still among those of its user. Returns whether the end is to be
 * announced at once: of an anonymous client, or without a grace time. */
bool presence_user_went(struct connection *connection);

/* A connection enters a room. *is_counted: it counts for the room's presence, so presence_left()
 * must follow when it leaves. Errors: WS_ERR_LIMIT, WS_ERR_NO_MEMORY; nothing is counted then. */
int presence_entered(struct connection *connection, const char *room, bool *is_counted);

/* A connection that counted has left a room, or `is_lost` with it. */
void presence_left(struct connection *connection, const char *room, bool is_lost);

#endif
