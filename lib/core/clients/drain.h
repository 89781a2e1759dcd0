/* drain.h: sending all clients away, over some time. */
#ifndef WS_CORE_CLIENTS_DRAIN_H
#define WS_CORE_CLIENTS_DRAIN_H

#include "core/loop_state.h"

/* Carries out COMMAND_DRAIN, or goes on with it, as command_carry_out() does. What is spread over
 * some time is done by a timer. */
bool drain_run(ws_loop *loop, const struct drain_plan *plan, uint32_t *budget);

/* Prepares a loop's timer for it. */
void drain_init(ws_loop *loop);

#endif
