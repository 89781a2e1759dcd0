/* counting.h: counts the connections of users in rooms with presence: one after the other when they
 * come and go, and those that are in a room when its presence begins. The manager's lock is held.
 * Not here: which rooms are counted (members.h). */
#ifndef WS_CORE_PRESENCE_COUNTING_H
#define WS_CORE_PRESENCE_COUNTING_H

#include "core/connections/connection.h"
#include "core/presence/state.h"

/* The user for whom a connection counts; NULL: none. */
const char *counting_user(const struct connection *connection);

/* Counts a connection for its user. Errors: WS_ERR_LIMIT, WS_ERR_NO_MEMORY. */
int counting_add(struct presence *presence, struct presence_room *room,
                 const struct connection *connection);

/* Takes it back. `is_lost`: the user has not left on purpose, and has a grace time. */
void counting_remove(struct presence *presence, struct presence_room *room,
                     const struct connection *connection, bool is_lost);

/* Counts some of those that are in a room. It is called until the room is_listed, and the lock is
 * given back in between: several threads may do that at the same time, each of which keeps the
 * room. After an error none are counted: WS_ERR_LIMIT, WS_ERR_NO_MEMORY. */
int counting_step(struct presence *presence, struct presence_room *room);

/* Whether connections that enter the room are counted, because its presence is about to begin. */
bool counting_goes_on(const struct presence_room *room);

/* One that has entered cannot be counted: as if it had been there before. */
void counting_fail(struct presence_room *room, int result);

#endif
