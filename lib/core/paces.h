/* paces.h: the rate limit of the messages of a loop's connections. Not here: the bucket that each
 * has (pace.h).
 *
 * A bucket's time wraps around, so those that have filled up are set back to "full" before their
 * time can be mistaken for one to come. */
#ifndef WS_CORE_PACES_H
#define WS_CORE_PACES_H

#include <stdbool.h>
#include <stdint.h>

#include <ws_manager/types.h>

#include "core/timer_wheel.h"

struct connection;

struct paces {
    struct timer timer;
    uint32_t below;     /* the slots that this round has still to look at */
    bool is_running;    /* the timer */
    bool has_found_any; /* buckets that are not full, in this round */
};

void paces_init(ws_loop *loop);

/* Takes a token for a message of the connection's client; false if there is none. */
bool paces_take(struct connection *connection);

#endif
