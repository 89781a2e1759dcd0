/* states.h: the small states of members, such as "is typing", which clients and the application
 * set. */
#ifndef WS_CORE_PRESENCE_STATES_H
#define WS_CORE_PRESENCE_STATES_H

#include "core/connections/connection.h"
#include "core/presence/state.h"

/* Makes the text of a state from a valid JSON text. Errors: WS_ERR_TOO_BIG, WS_ERR_NO_MEMORY. */
int states_make(const ws_manager *manager, const char *json, size_t length, char **state,
                size_t *left);

/* Sets a member's state, and takes over the text; "null" is none. Errors: WS_ERR_NOT_MEMBER,
 * WS_ERR_LIMIT, WS_ERR_NO_MEMORY. The manager's lock is held. */
int states_set(ws_manager *manager, const char *room, const char *user, char *state,
               size_t length);

/* Sets the state of a client's user in a room that the client is in, or of the whole service if
 * `room` is PRESENCE_SERVICE; `json` is a JSON text, "null" for none. Errors: WS_ERR_TOO_BIG,
 * WS_ERR_BAD_JSON (too deep), WS_ERR_FORBIDDEN (the client has no user), WS_ERR_NOT_MEMBER,
 * WS_ERR_LIMIT, WS_ERR_NO_MEMORY. The loop's thread. */
int presence_set_state(struct connection *connection, const char *room, const char *json,
                       size_t length);

#endif
