/* beat.c: the regular beat in which changes of presence are sent and grace times end. Not here:
 * what has changed (changes.c), and how it is sent (flush.c). */
#include "core/presence/beat.h"

#include "core/costs.h"
#include "core/presence/announce.h"
#include "core/presence/flush.h"
#include "core/presence/grace.h"
#include "core/presence/processes_send.h"
#include "core/presence/state.h"

enum {
    NO_LOOP = 0,
    CALLS_PER_TURN = 128 /* of on_presence: as much as the rest of a turn */
};

/* --- who keeps the beat ---------------------------------------------------------------------- */

static bool has_work(const ws_manager *manager)
{
    const struct presence *presence = manager->presence;

    return presence != NULL &&
           (presence->first_changed != NULL || presence_has_leaving(presence) ||
            processes_have_work(presence));
}

static bool is_keeper(const ws_loop *loop)
{
    return atomic_load_explicit(&loop->manager->presence_keeper, memory_order_relaxed) ==
           loop->number + 1;
}

static void begin(ws_loop *loop)
{
    loop->presence_at_ms = 0;
    timer_start(&loop->timers, &loop->presence_timer, loop->manager->options.presence_batch_ms);
}

void presence_keep(ws_loop *loop)
{
    ws_manager *manager = loop->manager;

    manager_assert_locked(manager);
    if (!has_work(manager) || atomic_load(&manager->presence_keeper) != NO_LOOP ||
        loop_is_parents(loop))
        return;
    atomic_store(&manager->presence_keeper, loop->number + 1);
    begin(loop);
}

/* Gives the beat to a loop other than `except`, whose thread learns of it in its next turn. */
static void choose(struct posting *posting, const ws_loop *except)
{
    ws_manager *manager = posting->manager;

    for (uint32_t i = 0; i < manager->n_loops; i++) {
        ws_loop *loop = manager->loops[i];

        if (loop == NULL || loop == except || loop_is_parents(loop))
            continue;
        atomic_store(&manager->presence_keeper, loop->number + 1);
        posting_wake(posting, loop);
        return;
    }
}

void presence_find_keeper(struct posting *posting)
{
    ws_manager *manager = posting->manager;

    manager_assert_locked(manager);
    if (has_work(manager) && atomic_load(&manager->presence_keeper) == NO_LOOP)
        choose(posting, NULL);
}

void presence_turn(ws_loop *loop)
{
    if (is_keeper(loop) && loop->presence_timer.link == NULL)
        begin(loop);
}

void presence_end_loop(ws_loop *loop)
{
    ws_manager *manager = loop->manager;
    struct posting posting;

    posting_begin(&posting, manager);
    if (atomic_load(&manager->presence_keeper) == loop->number + 1) {
        atomic_store(&manager->presence_keeper, NO_LOOP);
        choose(&posting, loop);
    }
    posting_end(&posting);
    timer_stop(&loop->presence_timer);
}

/* --- the beat -------------------------------------------------------------------------------- */

/* Counts the time since the last beat. For grace times at most twice as much as it should be: a
 * host that stood still gives its clients their grace time after that; but signs of life are due
 * after all of it. No beat is shorter than a tick of the timers. */
static void count_time(ws_loop *loop)
{
    struct presence *presence = loop->manager->presence;
    uint64_t beat_ms = loop->manager->options.presence_batch_ms;
    uint64_t now_ms = loop->timers.now_ms;
    uint64_t passed_ms = loop->presence_at_ms > 0 ? now_ms - loop->presence_at_ms : beat_ms;
    uint64_t most_ms = 2 * (beat_ms > TIMER_TICK_MS ? beat_ms : TIMER_TICK_MS);

    manager_lock(loop->manager);
    presence->life_ms += passed_ms;
    presence->clock_ms += passed_ms < most_ms ? passed_ms : most_ms;
    announce_refill(loop);
    manager_unlock(loop->manager);
    loop->presence_at_ms = now_ms;
}

static void on_timer(struct timer *timer)
{
    ws_loop *loop = (ws_loop *)(void *)((char *)timer - offsetof(ws_loop, presence_timer));
    ws_manager *manager = loop->manager;
    uint32_t beat_ms = manager->options.presence_batch_ms;
    enum flushed flushed;
    bool is_enough;

    if (!is_keeper(loop))
        return; /* another one keeps it: this loop's ended with a fork(), or was handed on */
    count_time(loop);
    presence_end_grace_times(loop);
    flushed = presence_flush(loop);
    loop->presence_is_behind = flushed == FLUSHED_A_TURN;
    is_enough = flushed != FLUSHED_A_BEAT;
    if (manager->has_cluster)
        is_enough &= processes_send(loop);
    manager_lock(manager);
    if (has_work(manager))
        timer_start(&loop->timers, timer,
                    is_enough && !presence_is_grace_over(manager->presence) ? beat_ms : 0);
    else
        atomic_store(&manager->presence_keeper, NO_LOOP);
    manager_unlock(manager);
}

void presence_begin_turn(ws_loop *loop)
{
    loop->for_presence = CALLS_PER_TURN * INPUT_COST_CALLBACK;
    if (loop->presence_is_behind && is_keeper(loop))
        loop->presence_is_behind = presence_flush(loop) == FLUSHED_A_TURN;
}

bool presence_is_behind(const ws_loop *loop)
{
    return loop->presence_is_behind && is_keeper(loop);
}

void presence_init_loop(ws_loop *loop)
{
    loop->timers.expired[TIMER_PRESENCE] = on_timer;
    loop->presence_timer.kind = TIMER_PRESENCE;
}
