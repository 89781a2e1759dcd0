/* input.h: serves the connections that have client input waiting, in fair turns.
 *
 * Client input never enters a loop's inbox, where the application's events wait. It stays with
 * its connection, in a bounded queue, and the host is asked to stop reading from that client. A
 * turn serves the connections by deficit round-robin, by cost: a client that floods delays the
 * others by its quantum only. Work that client messages cause (answers, and what callbacks
 * send) is charged to the client, and counted until it is done; while there is too much of it,
 * no more messages of that loop's clients are served. */
#ifndef WS_CORE_CLIENTS_INPUT_H
#define WS_CORE_CLIENTS_INPUT_H

#include "core/connections/connection.h"
#include "core/costs.h"
#include "core/input_list.h"

/* Within serve(): whether one more message may be processed now. */
bool input_may_go_on(const ws_loop *loop, const struct input *input);

/* Within serve(): charges a cost, and the cost of what was posted and compressed meanwhile; all are
 * added to *sum. */
void input_charge(ws_loop *loop, struct input *input, uint32_t cost, uint32_t *sum);

/* Within serve(), for a connection that connection_must_wait(), or NULL: lists the entry again,
 * or holds it until the client has read. */
void input_wait(ws_loop *loop, struct input *input, struct connection *connection);

/* Serves the connections in turn, until no input is left or *budget is spent. True if anything
 * was processed. The loop's thread, within ws_loop_run(). */
bool inputs_run(ws_loop *loop, uint32_t *budget);

#endif
