/* heartbeat.c: handles the expiry of a session's timers. */
#include "transport/polling/heartbeat.h"

#include "transport/polling/life.h"
#include "transport/shared/frame.h"

static void do_later(struct polling *polling)
{
    bool was_writable = polling->is_writable;

    polling->is_writable = false;
    if (polling->is_doomed)
        polling_lose(polling);
    else if (was_writable && polling->state == POLLING_OPEN)
        engineio_session_writable(polling_session(polling));
}

/* When the ping was due: a client counts from then on, and not from when the loop came to it. It
 * keeps some time for the pong after all, if the loop comes very late. */
static uint32_t due_ms(const struct polling *polling)
{
    uint32_t now_ms = (uint32_t)polling->loop->timers.now_ms;
    uint32_t late_ms = now_ms - polling->heartbeat.tick * TIMER_TICK_MS;
    uint32_t timeout_ms = polling_options(polling)->pong_timeout_ms;
    uint32_t most_ms = timeout_ms - timeout_ms / 8;

    return now_ms - (late_ms < most_ms ? late_ms : most_ms);
}

/* A ping that still waits serves for this one as well: the queue of a client that posts but fetches
 * nothing would grow for ever. */
static void send_ping(struct polling *polling)
{
    static const uint8_t ping[] = {0x80 | WSLAY_TEXT_FRAME, 1, '2'};

    polling->ping = POLLING_PING_QUEUED;
    polling->ping_ms = due_ms(polling);
    timer_start(&polling->loop->timers, &polling->heartbeat,
                polling_options(polling)->pong_timeout_ms);
    if (!output_queue_holds(&polling->queue, ping, sizeof ping))
        polling_push(polling, "2", 1);
}

static void beat(struct polling *polling)
{
    if (polling->state == POLLING_OPEN && polling->ping == POLLING_PING_NONE) {
        send_ping(polling);
        return;
    }
    counter_add(&polling->loop->counters, COUNTER_timeouts, 1);
    polling_time_out(polling);
}

void polling_timer_expired(struct timer *timer)
{
    bool is_later = timer->owners != 0;
    size_t at =
        is_later ? offsetof(struct polling, later) : offsetof(struct polling, heartbeat);
    struct polling *polling = (struct polling *)(uintptr_t)((char *)timer - at);

    polling_enter(polling);
    if (is_later)
        do_later(polling);
    else
        beat(polling);
    polling_leave(polling);
}
