/* work.h: the unfinished work that client messages and the stream between processes have caused
 * in loops. While there is too much of it, no more input is accepted from them. */
#ifndef WS_CORE_WORK_H
#define WS_CORE_WORK_H

#include "core/loop_state.h"

/* Add to, or subtract from, a loop's unfinished work on this account, in deliveries. Any
 * thread. */
void work_add(ws_loop *loop, struct account account, uint32_t work);
void work_done(ws_loop *loop, struct account account, uint32_t work);

/* Whether the loop must not serve its clients until loops have finished the work that they
 * caused. */
bool work_holds_clients_back(const ws_loop *loop);

/* Whether a loop has more than two turns' work from the stream. Any thread. */
bool work_is_behind(const ws_loop *loop);

#endif
