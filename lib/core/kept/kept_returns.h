/* kept_returns.h: connects the new connection of a returning client with the answers of its former
 * connections (kept_answers.h). */
#ifndef WS_CORE_KEPT_RETURNS_H
#define WS_CORE_KEPT_RETURNS_H

#include "core/kept/kept_state.h"

/* Holds a client whose former connection has not ended yet: that connection's messages may
 * still be carried out after the client has repeated them on the new one. So the client is kept
 * until that connection ends, even if it has no answers yet. The caller has checked that the
 * connection has not ended, and that it belongs to the user. False if memory ran out. */
bool kept_answers_hold(struct kept_answers *kept, ws_conn_id id, const char *user_id);

/* Notes that a connection has ended. */
void kept_answers_ended(struct kept_answers *kept, ws_conn_id id);

/* The new connection of a returning client: `prepare` before it is registered, `adopt` afterwards.
 * *member is NULL if there is nothing to adopt, as without a user. False if memory ran out. */
bool kept_answers_prepare(struct kept_answers *kept, ws_conn_id former, const char *user_id,
                          struct kept_member **member);
void kept_answers_adopt(struct kept_answers *kept, struct kept_member *member, ws_conn_id id);
void kept_answers_drop(struct kept_answers *kept, struct kept_member *member);

#endif
