/* grace.h: the grace times of users who have no connection any more. A user who returns in time was
 * never away. */
#ifndef WS_CORE_PRESENCE_GRACE_H
#define WS_CORE_PRESENCE_GRACE_H

#include "core/presence/state.h"

/* Begins a member's grace time, or ends it. The manager's lock is held. */
void presence_begin_leaving(struct presence *presence, struct presence_member *member);
void presence_end_leaving(struct presence *presence, struct presence_member *member);

/* Whether any grace time is running. */
bool presence_has_leaving(const struct presence *presence);

/* Ends the grace times that are over, some of them if there are many; near the limits also those
 * that are not over. Users who have left the service are announced, unless the cluster's stream
 * tells of them (follow.h). On the loop's thread, without the lock. */
void presence_end_grace_times(ws_loop *loop);

/* Whether a grace time is to be ended now. The manager's lock is held. */
bool presence_is_grace_over(const struct presence *presence);

#endif
