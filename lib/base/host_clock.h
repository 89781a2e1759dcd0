/* host_clock.h: converts the host's clock to library time, which never goes back. When the host's
 * clock is set back, library time stands still for that step and then advances at the host's pace:
 * a timer that was due in five seconds is still due in five seconds. */
#ifndef WS_BASE_HOST_CLOCK_H
#define WS_BASE_HOST_CLOCK_H

#include <stdint.h>

struct host_clock {
    uint64_t host_ms;   /* the host's time at the last update */
    uint64_t behind_ms; /* how far the host's clock is behind library time */
};

/* Takes the host's time and returns library time, which is never less than before. */
static inline uint64_t host_clock_update(struct host_clock *clock, uint64_t now_ms)
{
    if (now_ms < clock->host_ms)
        clock->behind_ms += clock->host_ms - now_ms;
    clock->host_ms = now_ms;
    return now_ms + clock->behind_ms;
}

/* Converts a deadline from library time to the host's clock. UINT64_MAX (no deadline) is returned
 * unchanged. */
static inline uint64_t host_clock_deadline(const struct host_clock *clock, uint64_t deadline_ms)
{
    return deadline_ms == UINT64_MAX ? UINT64_MAX : deadline_ms - clock->behind_ms;
}

#endif
