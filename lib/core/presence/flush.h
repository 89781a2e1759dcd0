/* flush.h: sends changes of presence to those who observe a room: clients, and the application. */
#ifndef WS_CORE_PRESENCE_FLUSH_H
#define WS_CORE_PRESENCE_FLUSH_H

#include "core/presence/state.h"

/* Sends the changes of all rooms, as far as the budgets allow. What could not be sent stays for
 * the next beat. Calls on_presence. Returns false if there is so much that more is to be sent
 * at once. */
bool presence_flush(ws_loop *loop);

#endif
