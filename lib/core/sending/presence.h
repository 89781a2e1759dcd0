/* presence.h: telling the others that a connection came or went. */
#ifndef WS_CORE_SENDING_PRESENCE_H
#define WS_CORE_SENDING_PRESENCE_H

#include <stdbool.h>
#include <stdint.h>

#include <ws_manager/types.h>

enum presence { PRESENCE_CAME, PRESENCE_WENT };

/* Tells whom the options name, but not the connection itself. Presence events have no position; one
 * that can't be sent, or goes beyond max_presence_deliveries, is counted as dropped. On the loop's
 * thread. */
void presence_send(ws_loop *loop, enum presence presence, ws_conn_id id, const char *user_id);

/* A loop was told a time that lies a step before the one that it was told last. */
void presence_clock_set_back(ws_manager *manager, uint64_t step_ms, uint64_t now_ms);

#endif
