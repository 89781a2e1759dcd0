/* lookup.h: the look-up of a host's name by the hook that the host's options name, beside the loop.
 * The hook may answer from any thread, at once or much later, also when nobody waits any more.
 * Not here: when one is due, and what becomes of its result (target.h). */
#ifndef WS_REDIS_LOOKUP_H
#define WS_REDIS_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>

#include <ws_manager/redis.h>

#include "cluster/redis/addresses.h"

enum { LOOKUP_ERROR_SIZE = 128 };

/* How names are looked up. */
struct resolver {
    int (*resolve)(ws_redis_lookup *lookup, const char *host, void *user_data);
    void *user_data;

    /* Has the owner's thread run soon, so that it takes the result. Called from any thread, with the
     * look-up locked, and not after lookup_take() or lookup_abandon(). */
    void (*wake)(void *wake_data);
    void *wake_data;
};

/* Begins one. NULL with why in `error`. */
ws_redis_lookup *lookup_begin(const struct resolver *resolver, const char *host,
                              char error[LOOKUP_ERROR_SIZE]);

/* Takes the result, if it is there: no address at all, with why in `error`, or some. The look-up is
 * freed then; false while it is under way. */
bool lookup_take(ws_redis_lookup *lookup, struct addresses *addresses,
                 char error[LOOKUP_ERROR_SIZE]);

/* Nobody wants the result any more. Waits for nothing: the look-up is freed when it is answered.
 * NULL does nothing. */
void lookup_abandon(ws_redis_lookup *lookup);

/* The hook of a host that names none: looks up within the call. */
int lookup_at_once(ws_redis_lookup *lookup, const char *host, void *user_data);

#endif
