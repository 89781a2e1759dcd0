/* host_clock.h: the host's monotonic clock, as far as it is one. When it is set back, the library's
 * own time stands still for that step and goes on at the host's pace: what was due in five seconds
 * is due in five seconds. */
#ifndef WS_BASE_HOST_CLOCK_H
#define WS_BASE_HOST_CLOCK_H

#include <stdint.h>

struct host_clock {
    uint64_t told_ms;   /* the last time that the host told */
    uint64_t behind_ms; /* by which the host's clock is behind the library's time */
};

/* Takes the host's time; returns the library's, which is never earlier than before. */
static inline uint64_t host_clock_tell(struct host_clock *clock, uint64_t now_ms)
{
    if (now_ms < clock->told_ms)
        clock->behind_ms += clock->told_ms - now_ms;
    clock->told_ms = now_ms;
    return now_ms + clock->behind_ms;
}

/* A deadline of the library's on the host's clock; UINT64_MAX, which is none, stays so. */
static inline uint64_t host_clock_deadline(const struct host_clock *clock, uint64_t deadline_ms)
{
    return deadline_ms == UINT64_MAX ? UINT64_MAX : deadline_ms - clock->behind_ms;
}

#endif
