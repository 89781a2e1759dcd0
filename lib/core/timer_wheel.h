/* timer_wheel.h: a loop's timers; starting and stopping one costs O(1).
 *
 * A hashed wheel: a timer is kept in the slot of its tick modulo the wheel's size, and is
 * checked once per turn of the wheel. Timers fire up to one tick late, never early, or later if
 * those that are due cost more than TIMER_COSTS_AT_ONCE. */
#ifndef WS_CORE_TIMER_WHEEL_H
#define WS_CORE_TIMER_WHEEL_H

#include <assert.h>
#include <stdint.h>

enum {
    TIMER_TICK_MS = 32,
    TIMER_SLOTS = 1024, /* one turn is 32.8 s: most timers fire within their first */

    /* What the timers that fire in one advance may cost, in the unit of a turn's budget:
     * thousands of clients may have the same deadline, and ending one takes several
     * microseconds. */
    TIMER_COST = 16,
    TIMERS_AT_ONCE = 512, /* if they cost nothing more */
    TIMER_COSTS_AT_ONCE = TIMERS_AT_ONCE * TIMER_COST
};

/* What a timer is for. */
enum timer_kind {
    TIMER_WEBSOCKET,
    TIMER_ENGINEIO,
    TIMER_RECALL,
    TIMER_RECEIPT,
    TIMER_REMEMBER,
    TIMER_REMEMBER_PAUSE,
    TIMER_ACK,
    TIMER_HTTP,
    TIMER_POLLING,
    TIMER_DRAIN,
    TIMER_RECOVERY,
    TIMER_PAGES,
    TIMER_RATE_LIMIT,
    TIMER_ANSWER,
    TIMER_FORMER,
    TIMER_RESPONSE,
    TIMER_PRESENCE,
    N_TIMER_KINDS
};

/* Every idle connection has a timer, so it is small: its purpose is a number, not a
 * callback. */
struct timer {
    struct timer *next;
    struct timer **link; /* the pointer to this timer; NULL: not running */
    uint32_t tick;       /* modulo 2^32; at most 2^27 ticks ahead */
    uint8_t kind;        /* enum timer_kind */
    uint16_t owners;     /* for the owner's use, in what would be padding */
};

static_assert(sizeof(struct timer) <= 24, "the owner's number is in what would be padding");

struct timer_wheel {
    uint64_t now_ms;   /* of the last advance */
    uint64_t tick;     /* every timer up to and including this tick has fired or is in `due` */
    struct timer *due; /* to be fired */
    uint32_t left;     /* of what this advance may cost */
    struct timer *fresh; /* started since the last advance; `tick` still holds milliseconds */
    uint64_t used[TIMER_SLOTS / 64]; /* a bit for each slot that may hold a timer */
    struct timer *slots[TIMER_SLOTS];
    void (*expired[N_TIMER_KINDS])(struct timer *timer); /* set by the owners of each kind */
};

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ms);

/* Starts or restarts the timer. It expires `after_ms` after the next advance, or after the
 * current one when called within it: only then is the time known. The owner has set `kind`. */
void timer_start(struct timer_wheel *wheel, struct timer *timer, uint32_t after_ms);

/* Stops the timer. Does nothing if it is not running. */
void timer_stop(struct timer *timer);

/* Stops the timers that are due, at most TIMERS_AT_ONCE, and calls `expired` for each. The callback
 * may start and stop any timer. */
void timer_wheel_advance(struct timer_wheel *wheel, uint64_t now_ms);

/* Counts what a callback does, so that fewer timers fire in this advance. Outside of one it has no
 * effect. */
static inline void timer_wheel_spend(struct timer_wheel *wheel, uint32_t cost)
{
    wheel->left -= cost < wheel->left ? cost : wheel->left;
}

/* The time of the next advance, in milliseconds: that of the first timer; now, if one is due; or
 * earlier, if it is more than one turn of the wheel away. UINT64_MAX if no timer is running. */
uint64_t timer_wheel_deadline(struct timer_wheel *wheel);

#endif
