/* paces.c: the rate limit of client messages, for a loop's connections. */
#include "core/clients/paces.h"

#include <assert.h>
#include <stddef.h>

#include "base/slots.h"
#include "core/connections/connection.h"
#include "core/connections/delivery.h"

enum {
    ROUND_MS = 8 * 3600 * 1000, /* plus a burst of an hour: less than half of PACE_WRAP_MS */
    AT_ONCE = 1024              /* connections checked in one tick of the timers */
};

static_assert(ROUND_MS + PACE_MAX_BURST_SECONDS * 1000 < PACE_WRAP_MS / 2,
              "a bucket is checked before its time is ambiguous");

static void begin_round(ws_loop *loop)
{
    loop->pace_round.below = SLOTS_MAX;
    loop->pace_round.has_found_any = false;
    loop->pace_round.is_running = true;
    timer_start(&loop->timers, &loop->pace_round.timer, ROUND_MS);
}

static void on_timer(struct timer *timer)
{
    struct pace_round *round =
        (struct pace_round *)(void *)((char *)timer - offsetof(struct pace_round, timer));
    ws_loop *loop = (ws_loop *)(void *)((char *)round - offsetof(ws_loop, pace_round));
    struct connection *connection;

    for (int i = 0; i < AT_ONCE; i++) {
        if (everyone_below(loop, &round->below, &connection, 1) == 0) {
            round->is_running = false;
            if (round->has_found_any)
                begin_round(loop);
            return;
        }
        pace_settle(loop->manager->message_pace, &connection->pace, loop->timers.now_ms);
        round->has_found_any |= connection->pace != PACE_FULL;
    }
    timer_start(&loop->timers, &round->timer, 0);
}

void paces_init(ws_loop *loop)
{
    loop->timers.expired[TIMER_PACES] = on_timer;
    loop->pace_round.timer.kind = TIMER_PACES;
}

bool paces_take(struct connection *connection)
{
    ws_loop *loop = connection->loop;
    struct pace pace = loop->manager->message_pace;

    if (pace.interval == 0)
        return true;
    if (!loop->pace_round.is_running)
        begin_round(loop);
    loop->pace_round.has_found_any = true;
    return pace_take(pace, &connection->pace, loop->timers.now_ms);
}
