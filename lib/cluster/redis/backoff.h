/* backoff.h: how long to wait after a failed attempt. */
#ifndef WS_REDIS_BACKOFF_H
#define WS_REDIS_BACKOFF_H

#include <stdint.h>

enum { BACKOFF_MIN_MS = 50, BACKOFF_MAX_MS = 2000 };

/* The milliseconds until the next attempt, and counts this one in *n_attempts, which is 0 after a
 * success. They double with each attempt, and half of them is random, so that many processes do not
 * reconnect at the same time. *random: the state of the generator (xorshift), not 0. */
uint64_t backoff_ms(uint64_t *random, uint32_t *n_attempts);

#endif
