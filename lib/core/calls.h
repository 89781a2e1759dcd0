/* calls.h: calls from one loop's thread to another's, for a request that arrives on another loop
 * than the one that has its session. */
#ifndef WS_CORE_CALLS_H
#define WS_CORE_CALLS_H

#include "core/loop_state.h"

/* Embedded in the data of the call. */
struct loop_call {
    /* Called once on the other loop's thread, and takes over the data. What it posts is on the
     * account of the calling loop's clients. */
    void (*run)(ws_loop *loop, struct loop_call *call);

    /* Frees the data: the loop ended before the call was carried out. The manager's lock is
     * held. */
    void (*drop)(struct loop_call *call);
};

/* Posts a call for a client of `from`, on whose thread this is, to the loop with a number. On
 * WS_OK the inbox takes over the call. Errors: WS_ERR_NOT_FOUND (there is no such loop),
 * WS_ERR_NO_MEMORY, and if `limited` WS_ERR_BACKPRESSURE: max_pending commands of clients wait
 * there, or too much of the work that clients of `from` have caused. An answer to a call that was
 * limited need not be. */
int loop_call_post(ws_loop *from, uint32_t number, struct loop_call *call, bool limited);

#endif
