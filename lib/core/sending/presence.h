/* presence.h: sends presence events when a connection opens or ends. */
#ifndef WS_CORE_SENDING_PRESENCE_H
#define WS_CORE_SENDING_PRESENCE_H

#include <stdbool.h>
#include <stdint.h>

#include <ws_manager/types.h>

enum presence { PRESENCE_CAME, PRESENCE_WENT };

/* Sends a presence event to the recipients that the options name, except the connection itself.
 * Presence events have no position. If the event can't be sent, or would exceed
 * max_presence_deliveries, it is counted as dropped. The loop's thread. */
void presence_send(ws_loop *loop, enum presence presence, ws_conn_id id, const char *user_id);

/* Corrects the presence budget after the host's clock went back: a loop got a time that is
 * step_ms before the previous one. */
void presence_clock_set_back(ws_manager *manager, uint64_t step_ms, uint64_t now_ms);

#endif
