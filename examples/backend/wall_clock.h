/* wall_clock.h: the time of day, by which tokens expire.
 * Timeouts use monotonic_clock.h. */
#ifndef BACKEND_WALL_CLOCK_H
#define BACKEND_WALL_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Milliseconds since 1970-01-01 UTC. */
static inline int64_t wall_clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#endif
