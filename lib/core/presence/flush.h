/* flush.h: sends changes of presence to those who observe a room: clients, and the application. */
#ifndef WS_CORE_PRESENCE_FLUSH_H
#define WS_CORE_PRESENCE_FLUSH_H

#include "core/presence/state.h"

enum flushed {
    FLUSHED_ALL,    /* as far as max_presence_deliveries allows */
    FLUSHED_A_BEAT, /* there is so much that the next beat is due at once */
    FLUSHED_A_TURN  /* loop->for_presence is spent: more may follow in the next turn */
};

/* Sends the changes of all rooms, as far as the budgets allow. What could not be sent stays for
 * later. Calls on_presence. */
enum flushed presence_flush(ws_loop *loop);

#endif
