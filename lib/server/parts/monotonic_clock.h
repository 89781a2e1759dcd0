/* monotonic_clock.h: the clock of timeouts, which cannot be set.
 * The time of day is wall_clock.h. */
#ifndef WS_SERVER_MONOTONIC_CLOCK_H
#define WS_SERVER_MONOTONIC_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

#endif
