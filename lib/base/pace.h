/* pace.h: a token bucket in four bytes. It uses the generic cell rate algorithm (ITU-T I.371),
 * which stores only the time at which the bucket is full again.
 *
 * Times are in units of 1/64 ms and wrap around after 18 hours. The owner of a bucket must
 * therefore call pace_settle() at least twice in that time (paces.c does). */
#ifndef WS_BASE_PACE_H
#define WS_BASE_PACE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    PACE_UNITS_PER_SECOND = 64000,
    PACE_MAX_BURST_SECONDS = 3600,
    PACE_WRAP_MS = 67108864,
    PACE_FULL = 0 /* the value of a bucket that is full, at any time */
};

struct pace {
    uint32_t interval;  /* between two tokens, in units; 0: no limit */
    uint32_t tolerance; /* the intervals of all tokens of a burst except one, in units */
};

/* True if tokens arrive at most once in a unit and a burst refills within
 * PACE_MAX_BURST_SECONDS. */
static inline bool pace_valid(uint32_t rate, uint32_t burst)
{
    return rate == 0 || (rate <= PACE_UNITS_PER_SECOND &&
                         (uint64_t)(PACE_UNITS_PER_SECOND / rate) * burst <=
                             (uint64_t)PACE_UNITS_PER_SECOND * PACE_MAX_BURST_SECONDS);
}

/* `rate` is in tokens per second (0: no limit), `burst` is at least 1; pace_valid() must be
 * true. */
static inline struct pace pace_of(uint32_t rate, uint32_t burst)
{
    uint32_t interval = rate == 0 ? 0 : PACE_UNITS_PER_SECOND / rate;

    return (struct pace){interval, interval * (burst - 1)};
}

/* Converts a time to units; it wraps around. */
static inline uint32_t pace_time(uint64_t now_ms)
{
    return (uint32_t)(now_ms * (PACE_UNITS_PER_SECOND / 1000));
}

/* The time until a bucket is full, in units. */
static inline uint32_t pace_ahead(struct pace pace, uint32_t full, uint64_t now_ms)
{
    uint32_t ahead = full - pace_time(now_ms);

    return full == PACE_FULL || ahead > pace.tolerance + pace.interval ? 0 : ahead;
}

/* Takes a token; false if there is none. *full is the bucket, which starts as PACE_FULL. */
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

/* Sets a bucket that has filled up to PACE_FULL, because its time would seem to lie in the future
 * after the units wrap around. Call it for each bucket within half of PACE_WRAP_MS, minus the time
 * of a burst, after the bucket was last used or settled. */
static inline void pace_settle(struct pace pace, uint32_t *full, uint64_t now_ms)
{
    if (pace_ahead(pace, *full, now_ms) == 0)
        *full = PACE_FULL;
}

#endif
