/* timer_wheel.h: a loop's timers; starting and stopping one costs O(1).
 *
 * A hashed wheel: a timer stands in the slot of its tick, whichever turn of the wheel that is,
 * and is looked at once a turn. Timers fire up to one tick late, never early. */
#ifndef WS_CORE_TIMER_WHEEL_H
#define WS_CORE_TIMER_WHEEL_H

#include <assert.h>
#include <stdint.h>

enum {
    TIMER_TICK_MS = 32,
    TIMER_SLOTS = 1024 /* a turn of 32.8 s: most timers fire within their first */
};

/* What a timer is for. */
enum timer_kind {
    TIMER_TRANSPORT,
    TIMER_DRAIN,
    TIMER_RECOVERY,
    TIMER_PAGES,
    TIMER_PACES,
    N_TIMER_KINDS
};

/* Every idle connection has one: small, with what it is for as a number. */
struct timer {
    struct timer *next;
    struct timer **link; /* what points to this timer; NULL when it is not running */
    uint32_t tick;       /* modulo 2^32; the farthest is 2^27 ticks away */
    uint8_t kind;        /* enum timer_kind */
    uint16_t owners;     /* a number of the owner's, in what would be padding */
};

static_assert(sizeof(struct timer) <= 24, "the owner's number is in what would be padding");

struct timer_wheel {
    uint64_t now_ms;     /* of the last advance */
    uint64_t tick;       /* every timer up to and with this one has fired */
    struct timer *fresh; /* started since then; their `tick` still holds milliseconds */
    uint64_t used[TIMER_SLOTS / 64]; /* a bit for each slot that may hold a timer */
    struct timer *slots[TIMER_SLOTS];
    void (*expired[N_TIMER_KINDS])(struct timer *timer); /* set by the owners of each kind */
};

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ms);

/* Starts the timer, or starts it anew: it expires `after_ms` from the next advance, or from the
 * current one when called within it, since only then the time is known. Its `kind` is set by its
 * owner. */
void timer_start(struct timer_wheel *wheel, struct timer *timer, uint32_t after_ms);

/* A timer that is not running stays so. */
void timer_stop(struct timer *timer);

/* Calls `expired` of what is due, stopped; it may start and stop any timer. */
void timer_wheel_advance(struct timer_wheel *wheel, uint64_t now_ms);

/* When to advance next, in milliseconds: at the first timer's time or, if that is more than a
 * turn of the wheel away, earlier. UINT64_MAX if no timer is running. */
uint64_t timer_wheel_deadline(struct timer_wheel *wheel);

#endif
