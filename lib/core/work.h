/* work.h: what clients' messages and the stream between processes made loops do, and is not carried
 * out yet. While that is too much, no more of it is let in. */
#ifndef WS_CORE_WORK_H
#define WS_CORE_WORK_H

#include "core/loop_state.h"

/* Adds to, or takes from, what a client's message, or the stream, made a loop do; in deliveries. Any
 * thread. */
void work_add(ws_loop *loop, struct account account, uint32_t work);
void work_done(ws_loop *loop, struct account account, uint32_t work);

/* Whether no client is served until loops have carried out what clients of this one brought about. */
bool work_holds_clients_back(const ws_loop *loop);

/* Whether a loop has more than two turns' work from the stream. Any thread. */
bool work_is_behind(const ws_loop *loop);

#endif
