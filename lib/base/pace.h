/* pace.h: a token bucket in four bytes: the generic cell rate algorithm (ITU-T I.371), which keeps
 * the time at which the bucket is full again.
 *
 * Times are in units of 1/64 ms and wrap around after 18 hours; whoever keeps a bucket settles it
 * twice as often (paces.c). */
#ifndef WS_BASE_PACE_H
#define WS_BASE_PACE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    PACE_UNITS_PER_SECOND = 64000,
    PACE_MAX_BURST_SECONDS = 3600,
    PACE_WRAP_MS = 67108864,
    PACE_FULL = 0 /* a bucket that is full, whatever the time */
};

struct pace {
    uint32_t interval;  /* of a token; 0: no limit */
    uint32_t tolerance; /* how far ahead a bucket may be used: its tokens, but for one */
};

/* Whether tokens come no faster than one a unit, and a burst takes no longer than it may. */
static inline bool pace_valid(uint32_t rate, uint32_t burst)
{
    return rate == 0 || (rate <= PACE_UNITS_PER_SECOND &&
                         (uint64_t)(PACE_UNITS_PER_SECOND / rate) * burst <=
                             (uint64_t)PACE_UNITS_PER_SECOND * PACE_MAX_BURST_SECONDS);
}

/* `rate` tokens a second, 0: no limit; a burst of 1 at least; pace_valid(). */
static inline struct pace pace_of(uint32_t rate, uint32_t burst)
{
    uint32_t interval = rate == 0 ? 0 : PACE_UNITS_PER_SECOND / rate;

    return (struct pace){interval, interval * (burst - 1)};
}

/* A moment on the buckets' clock. */
static inline uint32_t pace_time(uint64_t now_ms)
{
    return (uint32_t)(now_ms * (PACE_UNITS_PER_SECOND / 1000));
}

/* How long it is until a bucket is full, in units. */
static inline uint32_t pace_ahead(struct pace pace, uint32_t full, uint64_t now_ms)
{
    uint32_t ahead = full - pace_time(now_ms);

    return full == PACE_FULL || ahead > pace.tolerance + pace.interval ? 0 : ahead;
}

/* Takes a token; false if there is none. *full is the bucket, PACE_FULL at first. */
static inline bool pace_take(struct pace pace, uint32_t *full, uint64_t now_ms)
{
    uint32_t ahead = pace_ahead(pace, *full, now_ms);

    if (pace.interval == 0)
        return true;
    if (ahead > pace.tolerance)
        return false;
    *full = pace_time(now_ms) + ahead + pace.interval;
    if (*full == PACE_FULL)
        --*full;
    return true;
}

/* To be called for each bucket within half of PACE_WRAP_MS, less the burst, since it was used or
 * settled: one that has filled up is PACE_FULL then. */
static inline void pace_settle(struct pace pace, uint32_t *full, uint64_t now_ms)
{
    if (pace_ahead(pace, *full, now_ms) == 0)
        *full = PACE_FULL;
}

#endif
