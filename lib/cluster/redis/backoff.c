/* backoff.c: how long to wait after a failed attempt. */
#include "cluster/redis/backoff.h"

uint64_t backoff_ms(uint64_t *random, uint32_t *n_attempts)
{
    uint64_t wait_ms = BACKOFF_MIN_MS;

    for (uint32_t i = 0; i < *n_attempts && wait_ms < BACKOFF_MAX_MS; i++)
        wait_ms *= 2;
    if (wait_ms > BACKOFF_MAX_MS)
        wait_ms = BACKOFF_MAX_MS;
    ++*n_attempts;
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return wait_ms / 2 + *random % (wait_ms / 2 + 1);
}
