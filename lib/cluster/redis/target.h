/* target.h: a server with a host name, and which of its addresses to connect to. Each round of
 * attempts begins with one lookup and tries every address, first the one that worked last. If the
 * name cannot be resolved, the addresses of the last successful lookup are tried.
 *
 * The caller calls target_find() in each turn until it has an address, connects, and reports the
 * outcome with target_failed() or target_worked(). At the end of each turn it calls
 * target_look_up(): the hook may block, and afterwards the turn's time is out of date. Only the
 * owner's thread may use a target.
 * Not here: the lookup itself (lookup.h) and which server to use (servers.c). */
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
    TARGET_WAITING, /* for a lookup; call again at deadline_ms at the latest */
    TARGET_FOUND,   /* target_address() is the address to try */
    TARGET_UNKNOWN  /* no address is known, see `error`; the next call starts a new lookup */
};

struct target {
    char host[PLACE_HOST_SIZE]; /* a name or an address; "": none yet */
    struct addresses addresses; /* of the last successful lookup */
    size_t next;                /* index of the address to try; `count`: the round is over */
    char worked[ADDRESS_SIZE];  /* the address that worked last; "": none */
    ws_redis_lookup *lookup;    /* unfinished, or answered and not taken yet; NULL: none */
    bool wants_lookup;          /* target_look_up() must begin one */
    bool is_new;                /* the lookup has begun since target_find() was called */
    bool is_refused;            /* the lookup could not begin, see `error` */
    bool is_outdated;     /* an address worked since the lookup began: do not use its answer */
    uint64_t deadline_ms; /* WS_NO_DEADLINE if nothing is awaited */
    char error[TARGET_ERROR_SIZE];
};

void target_init(struct target *target);

/* Sets the host. If it differs from the former one, forgets everything about that. */
void target_aim(struct target *target, const char *host);

/* Does not wait for a lookup that is unfinished. */
void target_free(struct target *target);

/* Finds the address to try. A lookup that takes longer than `timeout_ms` continues, but the
 * addresses of an earlier lookup are used instead of waiting for it. The time counts from the
 * first call after the lookup began. */
enum target_state target_find(struct target *target, uint64_t now_ms, uint64_t timeout_ms);

/* Begins a lookup, if target_find() needs one. The hook may block. */
void target_look_up(struct target *target, const struct resolver *resolver);

/* The address to try, valid until the next call with this target. Only after TARGET_FOUND and
 * before the round is over. */
const char *target_address(const struct target *target);

/* Report whether connecting to target_address() worked. target_failed() returns true if there
 * is another address to try immediately; if not, the round is over and the caller should wait
 * before the next one. target_worked() ends the round. Both do nothing if the round is over. */
bool target_failed(struct target *target);
void target_worked(struct target *target);

#endif
