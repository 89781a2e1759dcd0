/* target.h: a server that is known by its name, and which of its addresses to connect to. The name
 * is looked up anew before each round of attempts, one look-up at a time, and each address is tried
 * in a round; the one that worked last is the first. When the name can't be resolved, the addresses
 * that it had are tried.
 *
 * A user asks target_find() in each turn until it has an address, connects, and says what came of it.
 * For the owner's thread alone. */
#ifndef WS_REDIS_TARGET_H
#define WS_REDIS_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/redis/addresses.h"
#include "cluster/redis/lookup.h"
#include "cluster/redis/place.h"

enum { TARGET_ERROR_SIZE = 256 };

enum target_state {
    TARGET_WAITING, /* for a look-up, until deadline_ms at the latest */
    TARGET_FOUND,   /* target_address() is the one to try */
    TARGET_UNKNOWN  /* no address is known: error says why. The next call begins anew */
};

struct target {
    char host[PLACE_HOST_SIZE]; /* a name or an address; "": none yet */
    struct addresses addresses; /* of the last look-up that found any */
    size_t next;                /* the one to try; `count` when a round is over */
    char worked[ADDRESS_SIZE];  /* the one that worked last; "": none */
    ws_redis_lookup *lookup;    /* under way, or answered and not taken yet; NULL: none */
    bool is_outdated;           /* what it has answered before now: an address worked since */
    uint64_t deadline_ms;       /* WS_NO_DEADLINE while nothing is awaited */
    char error[TARGET_ERROR_SIZE];
};

void target_init(struct target *target);

/* It is this host from now on; what was known of another one is forgotten. */
void target_aim(struct target *target, const char *host);

/* Waits for nothing. */
void target_free(struct target *target);

/* Finds the address to try. A look-up that takes longer than `timeout_ms` goes on, but is not
 * waited for any longer when older addresses are known. */
enum target_state target_find(struct target *target, const struct resolver *resolver,
                              uint64_t now_ms, uint64_t timeout_ms);

/* Valid until the next call with this target. Only after TARGET_FOUND, and before the round is
 * over. */
const char *target_address(const struct target *target);

/* What came of the address that target_find() gave. target_failed(): whether there is another one
 * to try at once; otherwise the round is over, and it is better to wait before the next one.
 * target_worked(): also ends the round. Neither does anything when the round is over. */
bool target_failed(struct target *target);
void target_worked(struct target *target);

#endif
