/* drain.c: closes all connections, spread over some time. */
#include "core/clients/drain.h"

#include <stddef.h>
#include <string.h>

#include <openssl/rand.h>

#include "base/close_code.h"
#include "base/digits.h"
#include "base/options.h"
#include "core/checks.h"
#include "core/clients/disconnect.h"
#include "core/connections/delivery.h"
#include "core/costs.h"
#include "core/inbox.h"
#include "core/presence/processes_send.h"

enum {
    COST_OF_A_TICK = 32768, /* of the timers, for connections that are closed: a thousand */
    RETRY_TEXT_MAX = 32     /* "; retry in 4294967295 ms" */
};

void ws_drain_options_init_size(ws_drain_options *options, size_t size)
{
    const ws_drain_options defaults = {
        .size = sizeof defaults,
        .code = WS_CLOSE_SERVICE_RESTART,
        .retry_spread_ms = 10000,
    };

    options_init(options, size, &defaults, sizeof defaults);
}

/* splitmix64: the delays need to differ, not to be secret. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Writes the reason with a retry delay, which differs for each client, so that they do not all
 * reconnect at once. */
static const char *write_reason(struct drain *drain, char text[DRAIN_REASON_SIZE])
{
    char digits[DECIMAL_MAX + 1];
    char *end = digits + DECIMAL_MAX;
    char *to;

    drain->retry_ms = 0;
    if (drain->plan.retry_spread_ms == 0)
        return drain->plan.reason;
    drain->retry_ms = (uint32_t)(next_random(&drain->random) % drain->plan.retry_spread_ms);
    *end = '\0';
    to = stpcpy(text, drain->plan.reason);
    to = stpcpy(to, to > text ? "; retry in " : "retry in ");
    to = stpcpy(to, decimal_before(end, drain->retry_ms));
    stpcpy(to, " ms");
    return text;
}

/* Ends the next connection; false if none is left. */
static bool end_one(ws_loop *loop, uint32_t *budget)
{
    struct drain *drain = &loop->drain;
    struct connection *connection;
    char text[DRAIN_REASON_SIZE];
    uint32_t cost;

    if (everyone_below(loop, &drain->below, &connection, 1) == 0)
        return false;
    cost = close_cost(loop->manager, connection->rooms.count);
    *budget -= cost < *budget ? cost : *budget;
    drain->closed++;
    connection_end(connection, drain->plan.code, write_reason(drain, text));
    drain->retry_ms = 0;
    return true;
}

/* The number of connections that should have been closed by now. */
static uint32_t due(const struct drain *drain, uint64_t now_ms)
{
    uint64_t passed_ms = now_ms - drain->begin_ms;

    if (passed_ms >= drain->plan.spread_ms)
        return UINT32_MAX;
    return (uint32_t)(drain->total * passed_ms / drain->plan.spread_ms);
}

/* The time is over: the loop's turns close what is left, as if it had not been spread. False if
 * memory ran out. */
static bool finish_in_turns(ws_loop *loop)
{
    struct posting posting;
    int result;

    loop->drain.plan.spread_ms = 0;
    posting_begin(&posting, loop->manager);
    result = loop_reserve(loop, false);
    if (result == WS_OK)
        posting_push(&posting, loop, &(struct command){.kind = COMMAND_DRAIN});
    posting_end(&posting);
    return result == WS_OK;
}

static void on_timer(struct timer *timer)
{
    struct drain *drain =
        (struct drain *)(void *)((char *)timer - offsetof(struct drain, timer));
    ws_loop *loop = (ws_loop *)(void *)((char *)drain - offsetof(ws_loop, drain));
    uint32_t most = due(drain, loop->timers.now_ms);
    uint32_t budget = COST_OF_A_TICK;

    if (most == UINT32_MAX && finish_in_turns(loop))
        return;
    while (budget > 0 && drain->closed < most) {
        if (end_one(loop, &budget))
            continue;
        processes_say_leaving(loop->manager); /* the others have left by themselves */
        return;
    }
    timer_start(&loop->timers, &drain->timer, 0);
}

void drain_init(ws_loop *loop)
{
    loop->timers.expired[TIMER_DRAIN] = on_timer;
    loop->drain.timer.kind = TIMER_DRAIN;
}

static void begin(ws_loop *loop, const struct drain_plan *plan)
{
    struct drain *drain = &loop->drain;

    drain->running = true;
    drain->plan = *plan;
    drain->begin_ms = loop->timers.now_ms;
    drain->total = loop->n_connections;
    drain->below = SLOTS_MAX;
    drain->random = plan->seed;
    if (plan->spread_ms > 0)
        timer_start(&loop->timers, &drain->timer, 0);
}

bool drain_run(ws_loop *loop, const struct drain_plan *plan, uint32_t *budget)
{
    if (!loop->drain.running)
        begin(loop, plan);
    while (loop->drain.plan.spread_ms == 0 && *budget > 0) {
        if (end_one(loop, budget))
            continue;
        processes_say_leaving(loop->manager);
        return true;
    }
    return loop->drain.plan.spread_ms > 0;
}

/* Posts a command to each loop, or to none. */
static int post(struct posting *posting, struct drain_plan **plans)
{
    ws_manager *manager = posting->manager;

    for (uint32_t i = 0; i < manager->n_loops; i++)
        if (manager->loops[i] != NULL && loop_reserve(manager->loops[i], false) != WS_OK)
            return WS_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < manager->n_loops; i++) {
        if (manager->loops[i] == NULL)
            continue;
        posting_push(posting, manager->loops[i],
                     &(struct command){.kind = COMMAND_DRAIN, .drain = plans[i]});
        plans[i] = NULL;
    }
    manager->draining = true;
    return WS_OK;
}

static bool options_valid(const ws_drain_options *options)
{
    size_t room = options->retry_spread_ms > 0 ? RETRY_TEXT_MAX : 0;

    return close_code_valid(options->code) && close_reason_valid(options->reason) &&
           (options->reason == NULL || strlen(options->reason) + room < DRAIN_REASON_SIZE);
}

/* Makes the plan of one loop. If the system has no randomness, the seed is the loop's number.
 * NULL if memory ran out. */
static struct drain_plan *make_plan(const ws_manager *manager, const ws_drain_options *options,
                                    uint32_t loop)
{
    struct drain_plan *plan = memory_alloc(&manager->memory, sizeof *plan);

    if (plan == NULL)
        return NULL;
    *plan = (struct drain_plan){
        .code = options->code,
        .retry_spread_ms = options->retry_spread_ms,
        .spread_ms = options->spread_ms,
    };
    if (options->reason != NULL)
        stpcpy(plan->reason, options->reason);
    if (RAND_bytes((unsigned char *)&plan->seed, sizeof plan->seed) != 1)
        plan->seed = loop;
    return plan;
}

int ws_manager_drain(ws_manager *manager, const ws_drain_options *options)
{
    struct drain_plan *plans[MANAGER_MAX_LOOPS] = {NULL};
    ws_drain_options copy;
    struct posting posting;
    int result;

    ws_drain_options_init(&copy);
    if (manager == NULL || !options_copy(&copy, sizeof copy, options) || !options_valid(&copy))
        return WS_ERR_INVALID;
    result = checks_call(manager, "a drain was begun");
    for (uint32_t i = 0; i < MANAGER_MAX_LOOPS && result == WS_OK; i++) {
        plans[i] = make_plan(manager, &copy, i);
        if (plans[i] == NULL)
            result = WS_ERR_NO_MEMORY;
    }
    if (result == WS_OK) {
        posting_begin(&posting, manager);
        result = post(&posting, plans);
        posting_end(&posting);
    }
    for (uint32_t i = 0; i < MANAGER_MAX_LOOPS; i++)
        memory_free(&manager->memory, plans[i]);
    return result;
}

int ws_manager_is_draining(ws_manager *manager)
{
    bool draining;

    if (manager == NULL)
        return 0;
    manager_lock(manager);
    draining = manager->draining;
    manager_unlock(manager);
    return draining;
}
