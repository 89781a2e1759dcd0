/* state.c: the memory of a session of Engine.IO that HTTP requests carry. */
#include "transport/polling/state.h"

#include "transport/polling/ticket.h"
#include "transport/shared/queue_limit.h"

struct polling *polling_make(ws_loop *loop, ws_endpoint *endpoint)
{
    struct polling *made = memory_zalloc(&loop->manager->memory, sizeof *made);

    if (made == NULL)
        return NULL;
    made->loop = loop;
    made->endpoint = endpoint_ref(endpoint);
    made->heartbeat.kind = TIMER_POLLING;
    made->later.kind = TIMER_POLLING;
    made->later.owners = 1; /* tells the two apart */
    made->is_new = true;
    return made;
}

void polling_become(struct polling *polling, enum polling_state state)
{
    struct shared_part *part = shared_part_of(polling->loop);

    assert(state > polling->state);
    part->n_unfetched -= polling->state == POLLING_CLOSED;
    part->n_unfetched += state == POLLING_CLOSED;
    polling->state = (uint8_t)state & 3;
}

/* --- memory ---------------------------------------------------------------------------------- */

static void free_polling(struct polling *polling)
{
    const ws_allocator *memory = polling_memory(polling);
    size_t bytes = output_queue_bytes(&polling->queue);

    timer_stop(&polling->heartbeat);
    timer_stop(&polling->later);
    input_list_remove(&polling->loop->inputs, &polling->input);
    ticket_forget_unread(&polling->unread);
    output_queue_free(&polling->queue, memory);
    queue_sums_update(polling->loop, &polling->queue, bytes);
    engineio_session_free(polling_session(polling));
    if (polling->client != NULL)
        client_counts_leave(polling->endpoint->clients, polling->client);
    ws_endpoint_free(polling->endpoint);
    memory_free(memory, polling);
}

void polling_enter(struct polling *polling)
{
    polling->busy++;
}

void polling_leave(struct polling *polling)
{
    if (--polling->busy == 0 && polling->state == POLLING_GONE)
        free_polling(polling);
}

/* --- what comes later ------------------------------------------------------------------------ */

void polling_later(struct polling *polling)
{
    timer_start(&polling->loop->timers, &polling->later, 1);
    transport_call_left(polling->loop);
}

void polling_doom(struct polling *polling)
{
    polling->is_doomed = true;
    polling_later(polling);
}

/* A timer may expire a tick late, but a client that has heard nothing for ping_interval_ms and
 * ping_timeout_ms must find its session ended: pings come a little early. */
static uint32_t interval_of(const struct polling *polling)
{
    uint32_t interval_ms = polling_options(polling)->ping_interval_ms;
    uint32_t early_ms = interval_ms / 8;

    return interval_ms - (early_ms < 2 * TIMER_TICK_MS ? early_ms : 2 * TIMER_TICK_MS);
}

void polling_await_ping(struct polling *polling)
{
    enum { SPREAD_FROM_MS = 1000 }; /* shorter intervals leave nothing to spread */
    uint32_t interval_ms = interval_of(polling);

    polling->ping = POLLING_PING_NONE;
    if (polling->is_new && interval_ms >= SPREAD_FROM_MS)
        interval_ms = shared_part_first_interval(polling->loop, interval_ms);
    polling->is_new = false;
    interval_ms = interval_ms > 0 ? interval_ms : 1;
    polling->ping_ms = (uint32_t)polling->loop->timers.now_ms + interval_ms;
    timer_start(&polling->loop->timers, &polling->heartbeat, interval_ms);
}

bool polling_is_lost(const struct polling *polling)
{
    uint32_t now_ms = (uint32_t)polling->loop->timers.now_ms;

    return polling->state == POLLING_OPEN && polling->ping != POLLING_PING_NONE &&
           now_ms - polling->ping_ms >= polling_options(polling)->pong_timeout_ms;
}
