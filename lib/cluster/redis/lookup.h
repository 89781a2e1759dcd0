/* lookup.h: a name lookup by the hook in the options (`resolve`). The hook may answer from any
 * thread, within its call or much later, and even after the lookup was abandoned. Not here:
 * when to look a name up and which address to use (target.h). */
#ifndef WS_REDIS_LOOKUP_H
#define WS_REDIS_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>

#include <ws_manager/redis.h>

#include "cluster/redis/addresses.h"

enum { LOOKUP_ERROR_SIZE = 128 };

/* The hook that looks names up, and how to wake the thread that waits for its answer. */
struct resolver {
    int (*resolve)(ws_redis_lookup *lookup, const char *host, void *user_data);
    void *user_data;

    /* Makes the owner's thread run soon and take the result. Called from any thread with the lookup
     * locked, and not after lookup_take() or lookup_abandon(). */
    void (*wake)(void *wake_data);
    void *wake_data;
};

/* Starts a lookup. On failure returns NULL and writes the reason to `error`. */
ws_redis_lookup *lookup_begin(const struct resolver *resolver, const char *host,
                              char error[LOOKUP_ERROR_SIZE]);

/* Takes the result and frees the lookup; false while it is unfinished. If the lookup failed,
 * *addresses is empty and `error` has the reason. */
bool lookup_take(ws_redis_lookup *lookup, struct addresses *addresses,
                 char error[LOOKUP_ERROR_SIZE]);

/* Gives up a lookup without waiting. Its memory is freed when the hook answers. Does nothing for
 * NULL. */
void lookup_abandon(ws_redis_lookup *lookup);

/* The hook that is used if the options have none: blocks in getaddrinfo(). */
int lookup_at_once(ws_redis_lookup *lookup, const char *host, void *user_data);

#endif
