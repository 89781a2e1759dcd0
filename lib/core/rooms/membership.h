/* membership.h: a connection enters and leaves its groups: its user, and its rooms.
 * Not here: who may, and who hears of it (rooms.h, clients/requests.h). */
#ifndef WS_CORE_ROOMS_MEMBERSHIP_H
#define WS_CORE_ROOMS_MEMBERSHIP_H

#include "core/connections/connection.h"

/* Carries out COMMAND_CONNECT: registers it with everyone and its user. Returns
 * WS_ERR_NO_MEMORY with nothing changed. */
int membership_begin(struct connection *connection);

/* Enters or leaves the room of a share that the caller has pinned. */
int membership_enter(struct connection *connection, struct share *share);
int membership_leave(struct connection *connection, struct share *share);

/* Takes it out of its groups: O(its rooms). The manager's lock is held. */
void membership_end(struct connection *connection);

#endif
