/* drain.h: sending all clients away, over some time. */
#ifndef WS_CORE_DRAIN_H
#define WS_CORE_DRAIN_H

#include <stdbool.h>
#include <stdint.h>

#include <ws_manager/types.h>

#include "core/timer_wheel.h"

enum { DRAIN_REASON_SIZE = 124 }; /* what fits in a close frame (RFC 6455 §5.5), and a NUL */

/* A loop's share of a drain. */
struct drain {
    struct timer timer;
    bool running;
    uint16_t code;
    uint32_t retry_spread_ms;
    uint32_t spread_ms;
    uint64_t begin_ms;
    uint32_t total;  /* connections at the beginning */
    uint32_t closed; /* of them, so far */
    uint32_t below;  /* the slots from here on have been seen */
    uint64_t random;
    char reason[DRAIN_REASON_SIZE];
};

/* Carries out COMMAND_DRAIN, or goes on with it, as command_carry_out() does. What is spread over
 * some time is done by a timer. */
bool drain_run(ws_loop *loop, const struct drain *drain, uint32_t *budget);

/* Prepares a loop's timer for it. */
void drain_init(ws_loop *loop);

#endif
