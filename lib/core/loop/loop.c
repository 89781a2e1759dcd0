/* loop.c: a loop's life and its turns: timers, then the commands of its inbox, in order. */
#include <string.h>

#include <ws_manager/loop.h>

#include "base/forks.h"
#include "base/options.h"
#include "core/backlog.h"
#include "core/checks.h"
#include "core/clients/answers.h"
#include "core/clients/disconnect.h"
#include "core/clients/drain.h"
#include "core/clients/former.h"
#include "core/clients/input.h"
#include "core/clients/notes.h"
#include "core/clients/places.h"
#include "core/clients/rate_limit.h"
#include "core/clients/waiting.h"
#include "core/connections/delivery.h"
#include "core/inbox.h"
#include "core/loop/command.h"
#include "core/loop_state.h"
#include "core/presence/announce.h"
#include "core/presence/beat.h"
#include "core/recovery/recovery.h"
#include "core/sending/bundle.h"
#include "core/sending/waiting_ack.h"

/* After so many deliveries, or as much other work, a turn ends, so that the host can read from
 * its clients: half a millisecond, or one and a half when a million connections are in no cache
 * (a delivery then costs 30 to 200 ns, by tests/bench/library/idle). */
enum { BUDGET_PER_TURN = 8192 };

/* Client input is processed when the inbox is empty, within INPUT_PER_TURN. A loop that is
 * behind with its inbox still processes some in each turn, until too many answers wait behind
 * the inbox: so it sees closes, and requests take their place in the order. */
enum { INPUT_PER_TURN = 8192, INPUT_PER_BUSY_TURN = 1024 };

/* A client that connects enters the rooms that it named at once, ahead of what was posted later,
 * as far as this suffices for all clients of a turn. The other rooms wait with clients' input: a
 * crowd that names a thousand rooms each does not hold up the application's events. */
enum { NAMED_ROOMS_PER_TURN = 4096 };

/* Delay before the next turn when clients wait for other loops to catch up. */
enum { OVERLOADED_AGAIN_MS = 1 };

/* Commands whose pins are given back under one hold of the lock, because other threads emit
 * meanwhile. */
enum { UNPINNED_AT_ONCE = 1024 };

/* An inbox that was larger than this for a moment is freed. */
enum { INBOX_KEPT = 4096 };

void ws_loop_options_init_size(ws_loop_options *options, size_t size)
{
    const ws_loop_options defaults = {.size = sizeof defaults};

    options_init(options, size, &defaults, sizeof defaults);
}

static int add_to_manager(ws_loop *loop)
{
    ws_manager *manager = loop->manager;
    uint32_t number = 0;
    int result = WS_OK;

    manager_lock(manager);
    while (number < MANAGER_MAX_LOOPS && manager->loops[number] != NULL)
        number++;
    if (number == MANAGER_MAX_LOOPS) {
        result = WS_ERR_LIMIT;
    } else {
        loop->number = number;
        loop->has_epoch = !manager->has_cluster || manager->cluster_started;
        memcpy(loop->epoch, manager->epoch, sizeof loop->epoch);
        loop->position = loop->batch_position = loop->carried = manager->position;
        manager->loops[number] = loop;
        if (number >= manager->n_loops)
            manager->n_loops = number + 1;
        presence_keep(loop);
    }
    manager_unlock(manager);
    return result;
}

int ws_loop_new(ws_manager *manager, const ws_loop_options *options, uint64_t now_ms,
                ws_loop **loop)
{
    ws_loop_options copy;
    ws_loop *made;
    int result;

    ws_loop_options_init(&copy);
    if (manager == NULL || loop == NULL || !options_copy(&copy, sizeof copy, options))
        return WS_ERR_INVALID;
    made = memory_zalloc(&manager->memory, sizeof *made);
    if (made == NULL)
        return WS_ERR_NO_MEMORY;
    made->manager = manager;
    made->options = copy;
    made->n_forks = forks_count();
    for (size_t i = 0; i < N_OUTPUTS; i++)
        made->outputs[i].first = OUTPUT_END;
    slots_init(&made->slots);
    made->clock.host_ms = now_ms;
    timer_wheel_init(&made->timers, now_ms);
    waiting_init(made);
    answers_init(made);
    former_init(made);
    drain_init(made);
    rate_limit_init(made);
    presence_init_loop(made);
    result = recoveries_new(made) ? add_to_manager(made) : WS_ERR_NO_MEMORY;
    if (result != WS_OK) {
        recoveries_free(made);
        memory_free(&manager->memory, made);
        return result;
    }
    manager_ref(manager);
    *loop = made;
    return WS_OK;
}

/* Gives back the last batch's pins and takes the inbox as the next batch; false if it is
 * empty. */
static bool next_batch(ws_loop *loop)
{
    ws_manager *manager = loop->manager;
    struct inbox taken;
    bool kept;

    manager_lock(manager);
    for (size_t i = 0; i < loop->batch.count; i++) {
        command_unpin(manager, &loop->batch.items[i]);
        if (i % UNPINNED_AT_ONCE == UNPINNED_AT_ONCE - 1)
            manager_relock(manager);
    }
    kept = loop->batch.capacity <= INBOX_KEPT;
    if (!kept) {
        memory_free(&manager->memory, loop->batch.items);
        loop->batch = (struct inbox){0};
    }
    loop->batch.count = 0;
    memset(loop->batch.n_of, 0, sizeof loop->batch.n_of);
    loop->done = 0;
    loop->n_batches++;
    taken = loop->inbox;
    loop->position = taken.count > 0 ? loop->batch_position : manager->position;
    loop->batch_position = manager->position;
    loop->inbox = loop->batch;
    loop->batch = taken;
    loop->awake = false;
    manager_unlock(manager);
    return taken.count > 0;
}

/* Detects that this is the child of a fork(). There the manager has another epoch, which also
 * holds for what was posted before: those positions are not later than any that the child
 * assigns. */
static void notice_fork(ws_loop *loop)
{
    ws_manager *manager = loop->manager;
    char epoch[EPOCH_SIZE];

    if (!loop_is_parents(loop))
        return;
    loop->n_forks = forks_count();
    manager_lock(manager);
    memcpy(epoch, manager->epoch, sizeof epoch);
    places_continue(loop);
    manager_unlock(manager);
    recoveries_epoch(loop, epoch);
}

/* Executes the batch. True when it is done, false when the budget is spent. */
static bool carry_out_batch(ws_loop *loop, uint32_t *budget)
{
    for (; loop->done < loop->batch.count; loop->done++) {
        struct command *command = &loop->batch.items[loop->done];

        notice_fork(loop);
        if (!loop->delivery.running)
            bundle_events(loop);
        if (*budget == 0 || !command_carry_out(loop, command, budget))
            return false;
        command_release(loop, command);
    }
    return true;
}

static void advance_time(ws_loop *loop, uint64_t now_ms)
{
    uint64_t former_ms = loop->clock.host_ms;
    bool is_first = loop->clock.behind_ms == 0;
    uint64_t time_ms = host_clock_update(&loop->clock, now_ms);

    if (now_ms < former_ms)
        announce_clock_set_back(loop->manager, former_ms - now_ms, now_ms);
    if (now_ms < former_ms && is_first)
        manager_log(loop->manager, WS_LOG_WARN,
                    "the clock of ws_loop_run() is not monotonic: %llu ms came after %llu ms",
                    (unsigned long long)now_ms, (unsigned long long)former_ms);
    timer_wheel_advance(&loop->timers, time_ms);
    /* A timer may have doomed a connection. What on_disconnect sends is in the inbox before that is
     * taken, and so delivered in this turn. */
    connections_settle(loop);
}

/* Executes batches, recoveries and client input within the budgets. True if nothing is left. */
static bool carry_out_all(ws_loop *loop)
{
    uint32_t budget = BUDGET_PER_TURN;
    uint32_t for_input = INPUT_PER_TURN;
    bool more;

    loop->for_named_rooms = NAMED_ROOMS_PER_TURN;
    do {
        if (!carry_out_batch(loop, &budget)) {
            if (for_input > INPUT_PER_BUSY_TURN)
                for_input = INPUT_PER_BUSY_TURN;
            inputs_run(loop, &for_input);
            return false;
        }
        more = next_batch(loop);
        more |= recoveries_run(loop);
        connections_settle(loop);
        if (!more)
            more = inputs_run(loop, &for_input);
    } while (more);
    return !recoveries_are_ready(loop);
}

uint64_t ws_loop_run(ws_loop *loop, uint64_t now_ms)
{
    struct account account;
    uint64_t deadline_ms;
    ws_loop *previous;
    bool done;

    if (loop == NULL)
        return WS_NO_DEADLINE;
    if (!checks_loop_unused(loop, __func__))
        return WS_NO_DEADLINE;
    loop_assert_thread(loop);
    if (loop->busy > 0)
        return now_ms;
    checks_own_loop(loop);
    previous = loop_enter(loop);
    /* A callback of another loop may have called this function. */
    account = account_set((struct account){ACCOUNT_APPLICATION, 0});
    loop->running = true;
    loop_busy(loop);
    connections_settle(loop);
    notice_fork(loop);
    presence_begin_turn(loop);
    advance_time(loop, now_ms);
    loop->for_recovery = BUDGET_PER_TURN;
    done = carry_out_all(loop);
    presence_turn(loop); /* a callback may have chosen this loop, which is not woken then */
    notes_turn(loop);
    loop_idle(loop);
    loop->running = false;
    account_set(account);
    loop_leave(previous);
    if (!done || presence_is_behind(loop))
        return now_ms;
    deadline_ms = host_clock_deadline(&loop->clock, timer_wheel_deadline(&loop->timers));
    if (loop->inputs.count == 0)
        return deadline_ms;
    if (!backlog_holds_clients_back(loop))
        return now_ms;
    return deadline_ms < now_ms + OVERLOADED_AGAIN_MS ? deadline_ms
                                                      : now_ms + OVERLOADED_AGAIN_MS;
}

/* Ends all connections; repeats while there are any, because on_disconnect may register new
 * ones. */
static void end_connections(ws_loop *loop)
{
    struct connection *connection;

    do {
        uint32_t below = SLOTS_MAX;

        while (everyone_below(loop, &below, &connection, 1) > 0)
            connection_end(connection, WS_CLOSE_GOING_AWAY, "server loop ended");
        connections_settle(loop); /* removes those that were doomed from the list */
    } while (loop->n_connections > 0);
}

/* Takes the acknowledgements that are waited for out of the inbox's commands. */
static struct waiting_ack *take_acks(struct inbox *inbox, struct waiting_ack *others)
{
    for (size_t i = 0; i < inbox->count; i++) {
        struct command *command = &inbox->items[i];

        if (command->kind != COMMAND_SEND || command->ack == NULL)
            continue;
        command->ack->next = others;
        others = command->ack;
        command->ack = NULL;
    }
    return others;
}

/* Settles the acknowledgements of events that were not delivered. No connection is left, so none is
 * added, unless a callback registers one. In the child of a fork() they are the parent's copies. */
static void settle_acks(ws_loop *loop)
{
    ws_manager *manager = loop->manager;
    struct waiting_ack *acks;

    manager_lock(manager);
    acks = take_acks(&loop->inbox, take_acks(&loop->batch, NULL));
    manager_unlock(manager);
    while (acks != NULL) {
        struct waiting_ack *ack = acks;

        acks = ack->next;
        if (loop_is_parents(loop))
            memory_free(&manager->memory, ack);
        else
            waiting_ack_settle(manager, ack, (ws_socketio_ack_result){.result = WS_ERR_CLOSED});
    }
}

static void drop_commands(ws_loop *loop, struct inbox *inbox)
{
    for (size_t i = 0; i < inbox->count; i++) {
        command_release(loop, &inbox->items[i]);
        command_unpin(loop->manager, &inbox->items[i]);
    }
    memory_free(&loop->manager->memory, inbox->items);
}

/* Removes the loop from the manager: afterwards no thread can post to it. */
static void remove_from_manager(ws_loop *loop)
{
    ws_manager *manager = loop->manager;
    struct page *dropped = NULL;

    manager_lock(manager);
    drop_commands(loop, &loop->inbox);
    drop_commands(loop, &loop->batch);
    for (size_t i = 0; i < N_COUNTERS; i++)
        counter_add_shared(&manager->counters, (enum counter)i,
                           counter_read(&loop->counters, (enum counter)i));
    manager->loops[loop->number] = NULL;
    while (loop->wakers > 0)
        lock_wait(&manager->lock, &manager->woken);
    if (manager->pages.n_readers == 0) /* this loop may have been the one to drop them later */
        dropped = pages_take_all(&manager->pages);
    manager_unlock(manager);
    pages_free(&manager->memory, dropped);
}

void ws_loop_free(ws_loop *loop)
{
    ws_manager *manager;

    if (loop == NULL || !checks_loop_free(loop))
        return;
    manager = loop->manager;
    do {
        end_connections(loop);
        settle_acks(loop);
    } while (loop->n_connections > 0);
    remove_from_manager(loop);
    presence_end_loop(loop);
    for (size_t i = N_PARTS; i-- > 0;)
        if (loop->free_part[i] != NULL)
            loop->free_part[i](loop);
    slots_free(&loop->slots, &manager->memory);
    recoveries_free(loop);
    waiting_free(loop);
    memory_free(&manager->memory, loop);
    manager_unref(manager);
}
