/* beat.h: the regular beat in which changes of presence are sent and grace times end. One of the
 * manager's loops keeps it, as long as there is anything to do. */
#ifndef WS_CORE_PRESENCE_BEAT_H
#define WS_CORE_PRESENCE_BEAT_H

#include "core/inbox.h"

void presence_init_loop(ws_loop *loop);

/* If something is to be sent and no loop keeps the beat, this one does. The manager's lock is held,
 * on the loop's thread. */
void presence_keep(ws_loop *loop);

/* If something is to be sent and no loop keeps the beat, chooses a loop and wakes it. The manager's
 * lock is held, on any thread. */
void presence_find_keeper(struct posting *posting);

/* Begins a turn: goes on with the changes for which the turn before had no budget. */
void presence_begin_turn(ws_loop *loop);

/* Whether another turn is to follow at once for such changes. */
bool presence_is_behind(const ws_loop *loop);

/* Begins the beat if this loop was chosen for it, by another thread or by a callback. At the
 * end of a turn, which returns when the next one is due. */
void presence_turn(ws_loop *loop);

/* Gives the beat to another loop. The loop ends and is no longer one of the manager's, so
 * nothing gives it the beat again. */
void presence_end_loop(ws_loop *loop);

#endif
