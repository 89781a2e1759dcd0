/* paces.c: the rate limit of the messages of a loop's connections. */
#include "core/paces.h"

#include <assert.h>
#include <stddef.h>

#include "core/connection.h"
#include "core/delivery.h"
#include "core/slots.h"

enum {
    ROUND_MS = 8 * 3600 * 1000, /* with a burst of an hour less than half of PACE_WRAP_MS */
    AT_ONCE = 1024              /* connections in a tick of the timers */
};

static_assert(ROUND_MS + PACE_MAX_BURST_SECONDS * 1000 < PACE_WRAP_MS / 2,
              "a bucket is looked at before its time is ambiguous");

static void begin_round(ws_loop *loop)
{
    loop->paces.below = SLOTS_MAX;
    loop->paces.has_found_any = false;
    loop->paces.is_running = true;
    timer_start(&loop->timers, &loop->paces.timer, ROUND_MS);
}

static void on_timer(struct timer *timer)
{
    struct paces *paces =
        (struct paces *)(void *)((char *)timer - offsetof(struct paces, timer));
    ws_loop *loop = (ws_loop *)(void *)((char *)paces - offsetof(ws_loop, paces));
    struct connection *connection;

    for (int i = 0; i < AT_ONCE; i++) {
        if (everyone_below(loop, &paces->below, &connection, 1) == 0) {
            paces->is_running = false;
            if (paces->has_found_any)
                begin_round(loop);
            return;
        }
        pace_settle(loop->manager->message_pace, &connection->pace, loop->timers.now_ms);
        paces->has_found_any |= connection->pace != PACE_FULL;
    }
    timer_start(&loop->timers, &paces->timer, 0);
}

void paces_init(ws_loop *loop)
{
    loop->timers.expired[TIMER_PACES] = on_timer;
    loop->paces.timer.kind = TIMER_PACES;
}

bool paces_take(struct connection *connection)
{
    ws_loop *loop = connection->loop;
    struct pace pace = loop->manager->message_pace;

    if (pace.interval == 0)
        return true;
    if (!loop->paces.is_running)
        begin_round(loop);
    loop->paces.has_found_any = true;
    return pace_take(pace, &connection->pace, loop->timers.now_ms);
}
