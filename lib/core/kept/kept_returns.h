/* kept_returns.h: clients that come back, so that their new connection finds what their former
 * ones have sent (kept_answers.h). */
#ifndef WS_CORE_KEPT_RETURNS_H
#define WS_CORE_KEPT_RETURNS_H

#include "core/kept/kept_state.h"

/* A client comes back from a connection that has not ended: what that has sent may still be
 * carried out, after the client has sent it again from the new one. So the client is known
 * until that connection ends, although nothing is kept yet. The caller knows that it has not
 * ended, and that it is the user's. False if memory ran out. */
bool kept_answers_hold(struct kept_answers *kept, ws_conn_id id, const char *user_id);

/* A connection has ended. */
void kept_answers_ended(struct kept_answers *kept, ws_conn_id id);

/* A connection of a client that comes back: `prepare` before it is registered, `adopt` afterwards.
 * *member is NULL if there is nothing to adopt, as without a user. False if memory ran out. */
bool kept_answers_prepare(struct kept_answers *kept, ws_conn_id former, const char *user_id,
                          struct kept_member **member);
void kept_answers_adopt(struct kept_answers *kept, struct kept_member *member, ws_conn_id id);
void kept_answers_drop(struct kept_answers *kept, struct kept_member *member);

#endif
