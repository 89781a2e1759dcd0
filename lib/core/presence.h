/* presence.h: telling the others that a connection came or went. */
#ifndef WS_CORE_PRESENCE_H
#define WS_CORE_PRESENCE_H

#include <ws_manager/types.h>

/* Sends `type` about a connection to whom the options name, but not to itself. Presence events
 * have no position; one that can't be sent is counted as dropped. */
void presence_send(ws_manager *manager, const char *type, ws_conn_id id, const char *user_id);

#endif
