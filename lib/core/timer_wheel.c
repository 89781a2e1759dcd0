/* timer_wheel.c: a loop's timers; starting and stopping one costs O(1). */
#include "core/timer_wheel.h"

#include <stdbool.h>
#include <string.h>

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ms)
{
    memset(wheel, 0, sizeof *wheel);
    wheel->now_ms = now_ms;
    wheel->tick = now_ms / TIMER_TICK_MS;
}

static void push(struct timer **head, struct timer *timer)
{
    timer->next = *head;
    timer->link = head;
    if (timer->next != NULL)
        timer->next->link = &timer->next;
    *head = timer;
}

void timer_stop(struct timer *timer)
{
    if (timer->link == NULL)
        return;
    *timer->link = timer->next;
    if (timer->next != NULL)
        timer->next->link = timer->link;
    timer->link = NULL;
}

void timer_start(struct timer_wheel *wheel, struct timer *timer, uint32_t after_ms)
{
    timer_stop(timer);
    timer->tick = after_ms;
    push(&wheel->fresh, timer);
}

static void place(struct timer_wheel *wheel, struct timer *timer, uint64_t deadline_ms)
{
    uint64_t tick = deadline_ms / TIMER_TICK_MS + 1;
    size_t slot;

    if (tick <= wheel->tick)
        tick = wheel->tick + 1;
    slot = tick % TIMER_SLOTS;
    timer->tick = (uint32_t)tick;
    push(&wheel->slots[slot], timer);
    wheel->used[slot / 64] |= UINT64_C(1) << (slot % 64);
}

static void place_fresh(struct timer_wheel *wheel)
{
    while (wheel->fresh != NULL) {
        struct timer *timer = wheel->fresh;

        timer_stop(timer);
        place(wheel, timer, wheel->now_ms + timer->tick);
    }
}

/* Moves the slot's timers that are due to `to`, which is the end of the list of due timers. */
static void collect_slot(struct timer_wheel *wheel, size_t slot, uint64_t until, bool all,
                         struct timer **to)
{
    struct timer *next;

    for (struct timer *timer = wheel->slots[slot]; timer != NULL; timer = next) {
        next = timer->next;
        if (all || (int32_t)(timer->tick - (uint32_t)until) <= 0) {
            timer_stop(timer);
            push(to, timer);
        }
    }
    if (wheel->slots[slot] == NULL)
        wheel->used[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
}

/* Due timers are moved to a list of their own first, because `expired` may change any slot. */
static void collect_due(struct timer_wheel *wheel, uint64_t now)
{
    struct timer **end = &wheel->due;
    uint64_t from = wheel->tick + 1;
    /* Farther than any timer: a host's clock may begin at 0 and then jump to the time of
     * day. */
    bool all = now - wheel->tick > UINT32_MAX / TIMER_TICK_MS + 2;

    if (now - from >= TIMER_SLOTS)
        from = now - TIMER_SLOTS + 1;
    wheel->tick = now;
    for (uint64_t tick = from; tick <= now; tick++) {
        size_t slot = tick % TIMER_SLOTS;

        if (wheel->used[slot / 64] >> (slot % 64) & 1)
            collect_slot(wheel, slot, now, all, end);
        while (*end != NULL)
            end = &(*end)->next;
    }
}

static void fire_due(struct timer_wheel *wheel)
{
    wheel->left = TIMER_COSTS_AT_ONCE;
    while (wheel->left > 0 && wheel->due != NULL) {
        struct timer *timer = wheel->due;

        timer_wheel_spend(wheel, TIMER_COST);
        timer_stop(timer);
        wheel->expired[timer->kind](timer);
    }
}

void timer_wheel_advance(struct timer_wheel *wheel, uint64_t now_ms)
{
    wheel->now_ms = now_ms;
    if (wheel->due == NULL && now_ms / TIMER_TICK_MS > wheel->tick)
        collect_due(wheel, now_ms / TIMER_TICK_MS);
    fire_due(wheel);
    place_fresh(wheel);
}

uint64_t timer_wheel_deadline(struct timer_wheel *wheel)
{
    place_fresh(wheel);
    if (wheel->due != NULL)
        return wheel->now_ms;
    for (uint64_t ahead = 1; ahead <= TIMER_SLOTS;) {
        size_t slot = (wheel->tick + ahead) % TIMER_SLOTS;
        uint64_t rest = wheel->used[slot / 64] >> (slot % 64);

        if (rest & 1) {
            if (wheel->slots[slot] != NULL)
                return (wheel->tick + ahead) * TIMER_TICK_MS;
            wheel->used[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
        }
        /* Advances to the next slot that may be used, or to the next word of the bit map. */
        ahead += rest >> 1 != 0 ? (uint64_t)__builtin_ctzll(rest >> 1) + 1 : 64 - slot % 64;
    }
    return UINT64_MAX;
}
