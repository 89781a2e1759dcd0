/* input.h: the connections whose clients sent something that has not been carried out yet, and the
 * fair turns in which they are served.
 *
 * What clients send never stands in a loop's inbox, where the application's events wait. It stays
 * with its connection, bounded, and the host is told to stop reading from that client. A turn
 * serves the connections round-robin, each by cost (deficit round-robin): one that floods delays
 * the others by its quantum. What is posted for clients' messages (answers, and whatever callbacks
 * send) is charged to them, and counted until it is carried out; while that is too much, no further
 * message of that loop's clients is served. */
#ifndef WS_CORE_CLIENTS_INPUT_H
#define WS_CORE_CLIENTS_INPUT_H

#include "core/costs.h"
#include "core/input_list.h"

/* Within serve(): whether one more message may be carried out now. */
bool input_may_go_on(const ws_loop *loop, const struct input *input);

/* Within serve(): charges a cost, and what was posted meanwhile; both are added to *sum. */
void input_charge(struct input *input, uint32_t cost, uint32_t *sum);

/* Serves the connections in turn, until nothing is left or *budget is spent. True if anything was
 * carried out. The loop's thread, within its turn. */
bool inputs_run(ws_loop *loop, uint32_t *budget);

#endif
