/* token_bucket.h: a token bucket in four bytes, for rate limits. It uses the generic cell rate
 * algorithm (ITU-T I.371), which stores only the time at which the bucket is full again.
 *
 * Times are in units of 1/64 ms and wrap around after 18 hours. The owner of a bucket must
 * therefore call bucket_settle() at least twice in that time (rate_limit.c does). */
#ifndef WS_BASE_TOKEN_BUCKET_H
#define WS_BASE_TOKEN_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

enum {
    BUCKET_UNITS_PER_SECOND = 64000,
    BUCKET_MAX_BURST_SECONDS = 3600,
    BUCKET_WRAP_MS = 67108864,
    BUCKET_FULL = 0 /* the value of a bucket that is full, at any time */
};

struct token_rate {
    uint32_t interval;  /* between two tokens, in units; 0: no limit */
    uint32_t tolerance; /* the intervals of all tokens of a burst except one, in units */
};

/* True if tokens arrive at most once in a unit and a burst refills within
 * BUCKET_MAX_BURST_SECONDS. */
static inline bool token_rate_valid(uint32_t rate, uint32_t burst)
{
    return rate == 0 || (rate <= BUCKET_UNITS_PER_SECOND &&
                         (uint64_t)(BUCKET_UNITS_PER_SECOND / rate) * burst <=
                             (uint64_t)BUCKET_UNITS_PER_SECOND * BUCKET_MAX_BURST_SECONDS);
}

/* `rate` is in tokens per second (0: no limit), `burst` is at least 1; token_rate_valid() must
 * be true. */
static inline struct token_rate token_rate_of(uint32_t rate, uint32_t burst)
{
    uint32_t interval = rate == 0 ? 0 : BUCKET_UNITS_PER_SECOND / rate;

    return (struct token_rate){interval, interval * (burst - 1)};
}

/* Converts a time to units; it wraps around. */
static inline uint32_t bucket_time(uint64_t now_ms)
{
    return (uint32_t)(now_ms * (BUCKET_UNITS_PER_SECOND / 1000));
}

/* The time until a bucket is full, in units. */
static inline uint32_t bucket_ahead(struct token_rate rate, uint32_t bucket, uint64_t now_ms)
{
    uint32_t ahead = bucket - bucket_time(now_ms);

    return bucket == BUCKET_FULL || ahead > rate.tolerance + rate.interval ? 0 : ahead;
}

/* Takes a token; false if there is none. A bucket starts as BUCKET_FULL. */
static inline bool bucket_take(struct token_rate rate, uint32_t *bucket, uint64_t now_ms)
{
    uint32_t ahead = bucket_ahead(rate, *bucket, now_ms);

    if (rate.interval == 0)
        return true;
    if (ahead > rate.tolerance)
        return false;
    *bucket = bucket_time(now_ms) + ahead + rate.interval;
    if (*bucket == BUCKET_FULL)
        --*bucket;
    return true;
}

/* Sets a bucket that has filled up to BUCKET_FULL, because its time would seem to lie in the
 * future after the units wrap around. Call it for each bucket within half of BUCKET_WRAP_MS, minus
 * the time of a burst, after the bucket was last used or settled. */
static inline void bucket_settle(struct token_rate rate, uint32_t *bucket, uint64_t now_ms)
{
    if (bucket_ahead(rate, *bucket, now_ms) == 0)
        *bucket = BUCKET_FULL;
}

#endif
