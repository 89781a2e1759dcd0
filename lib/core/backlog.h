/* backlog.h: how much unfinished work client messages and the stream between processes have
 * caused in loops. While there is too much of it, no more input is accepted from them. */
#ifndef WS_CORE_BACKLOG_H
#define WS_CORE_BACKLOG_H

#include "core/loop_state.h"

/* Add to, or subtract from, a loop's unfinished work on this account, in deliveries. Any
 * thread. */
void backlog_add(ws_loop *loop, struct account account, uint32_t work);
void backlog_subtract(ws_loop *loop, struct account account, uint32_t work);

/* Whether the loop must not serve its clients until loops have finished the work that they
 * caused. */
bool backlog_holds_clients_back(const ws_loop *loop);

/* Whether a loop has more than two turns' work from the stream. Any thread. */
bool backlog_of_stream_is_long(const ws_loop *loop);

#endif
