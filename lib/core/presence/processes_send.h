/* processes_send.h: sends other processes what this one has of presence. Not here: what they send
 * (processes.h). */
#ifndef WS_CORE_PRESENCE_PROCESSES_SEND_H
#define WS_CORE_PRESENCE_PROCESSES_SEND_H

#include "core/presence/state.h"

/* Between two signs of life, on the beat's clock. */
enum { ALIVE_MS = 3000 };

/* Whether there is anything to be sent, now or later. The lock is held. */
bool processes_have_work(const struct presence *presence);

/* The last connection of a loop was asked to end, as the process stops: others learn at once that
 * its users leave, who may come back to them. Any thread, without the lock. */
void processes_say_leaving(ws_manager *manager);

/* Sends what is due, in each beat, without the lock. What the carrier does not take is sent later.
 * Returns false if there is so much that more is to be sent at once. */
bool processes_send(const ws_loop *loop);

#endif
