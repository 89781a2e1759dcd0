/* pace.h: a token bucket in four bytes: the generic cell rate algorithm (ITU-T I.371), which keeps
 * the time at which the bucket is full again.
 *
 * Times are in units of 1/64 ms and wrap around after 18 hours; a bucket that was full all that
 * while may then be taken for one that was just used, and is full a moment later. */
#ifndef WS_CORE_PACE_H
#define WS_CORE_PACE_H

#include <stdbool.h>
#include <stdint.h>

enum { PACE_UNITS_PER_SECOND = 64000, PACE_MAX_BURST_SECONDS = 3600 };

struct pace {
    uint32_t interval;  /* of a token; 0: no limit */
    uint32_t tolerance; /* how far ahead a bucket may be used: its tokens, but for one */
};

/* `rate` tokens a second, 0: no limit; a burst of 1 at least. */
static inline struct pace pace_of(uint32_t rate, uint32_t burst)
{
    uint32_t interval = rate == 0 ? 0 : PACE_UNITS_PER_SECOND / rate;

    if (rate > 0 && interval == 0)
        interval = 1;
    return (struct pace){interval, interval * (burst - 1)};
}

/* Takes a token; false if there is none. *full is the bucket, 0 at first. */
static inline bool pace_take(struct pace pace, uint32_t *full, uint64_t now_ms)
{
    uint32_t now = (uint32_t)(now_ms * (PACE_UNITS_PER_SECOND / 1000));
    uint32_t ahead = *full - now;

    if (pace.interval == 0)
        return true;
    if (ahead > pace.tolerance + pace.interval)
        ahead = 0;
    if (ahead > pace.tolerance)
        return false;
    *full = now + ahead + pace.interval;
    return true;
}

#endif
