/* rate_limit.c: the rate limit of client messages, for a loop's connections. */
#include "core/clients/rate_limit.h"

#include <assert.h>
#include <stddef.h>

#include "base/slots.h"
#include "core/connections/connection.h"
#include "core/connections/delivery.h"

enum {
    ROUND_MS = 8 * 3600 * 1000, /* plus a burst of an hour: less than half of BUCKET_WRAP_MS */
    AT_ONCE = 1024              /* connections checked in one tick of the timers */
};

static_assert(ROUND_MS + BUCKET_MAX_BURST_SECONDS * 1000 < BUCKET_WRAP_MS / 2,
              "a bucket is checked before its time is ambiguous");

static void begin_round(ws_loop *loop)
{
    loop->bucket_round.below = SLOTS_MAX;
    loop->bucket_round.has_found_any = false;
    loop->bucket_round.is_running = true;
    timer_start(&loop->timers, &loop->bucket_round.timer, ROUND_MS);
}

static void on_timer(struct timer *timer)
{
    struct bucket_round *round =
        (struct bucket_round *)(void *)((char *)timer - offsetof(struct bucket_round, timer));
    ws_loop *loop = (ws_loop *)(void *)((char *)round - offsetof(ws_loop, bucket_round));
    struct connection *connection;

    for (int i = 0; i < AT_ONCE; i++) {
        if (everyone_below(loop, &round->below, &connection, 1) == 0) {
            round->is_running = false;
            if (round->has_found_any)
                begin_round(loop);
            return;
        }
        bucket_settle(loop->manager->message_rate, &connection->bucket, loop->timers.now_ms);
        round->has_found_any |= connection->bucket != BUCKET_FULL;
    }
    timer_start(&loop->timers, &round->timer, 0);
}

void rate_limit_init(ws_loop *loop)
{
    loop->timers.expired[TIMER_RATE_LIMIT] = on_timer;
    loop->bucket_round.timer.kind = TIMER_RATE_LIMIT;
}

bool rate_limit_take(struct connection *connection)
{
    ws_loop *loop = connection->loop;
    struct token_rate rate = loop->manager->message_rate;

    if (rate.interval == 0)
        return true;
    if (!loop->bucket_round.is_running)
        begin_round(loop);
    loop->bucket_round.has_found_any = true;
    return bucket_take(rate, &connection->bucket, loop->timers.now_ms);
}
