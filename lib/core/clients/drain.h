/* drain.h: closes all connections, spread over some time. */
#ifndef WS_CORE_CLIENTS_DRAIN_H
#define WS_CORE_CLIENTS_DRAIN_H

#include "core/loop_state.h"

/* Executes COMMAND_DRAIN, or continues it; `budget` and the result as in command_carry_out().
 * Closes that are spread over time are done by a timer. */
bool drain_run(ws_loop *loop, const struct drain_plan *plan, uint32_t *budget);

/* Initializes a loop's drain. */
void drain_init(ws_loop *loop);

#endif
