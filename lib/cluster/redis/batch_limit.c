/* batch_limit.c: adapts how many events are requested or sent at once. */
#include "cluster/redis/batch_limit.h"

enum {
    /* After so many successes the ceiling is raised by one eighth. It rises slowly because
     * reaching a limit on the way costs a connection. */
    PASSES_PER_STEP = 16,
    STEP_DIVISOR = 8
};

void batch_limit_init(struct batch_limit *limit, uint32_t first, uint32_t most)
{
    *limit = (struct batch_limit){.most = most, .events = first, .ceiling = most};
}

static void clamp(uint32_t *events, size_t max)
{
    if (*events > max)
        *events = (uint32_t)max;
    if (*events == 0)
        *events = 1;
}

/* Follows a larger mean immediately and a smaller one slowly. */
static void take_mean(struct batch_limit *limit, size_t mean_bytes)
{
    if (mean_bytes >= limit->mean_bytes)
        limit->mean_bytes = mean_bytes;
    else
        limit->mean_bytes -= (limit->mean_bytes - mean_bytes) / 4;
}

void batch_limit_passed(struct batch_limit *limit, size_t n_events, size_t bytes)
{
    if (n_events == 0)
        return;
    if (++limit->n_passed % PASSES_PER_STEP == 0) {
        limit->ceiling += 1 + limit->ceiling / STEP_DIVISOR;
        clamp(&limit->ceiling, limit->most);
    }
    take_mean(limit, bytes / n_events);
    if (n_events >= limit->events)
        limit->events *= 2;
    clamp(&limit->events, limit->ceiling);
    if (limit->mean_bytes > 0)
        clamp(&limit->events, BATCH_LIMIT_BYTES / limit->mean_bytes);
}

void batch_limit_failed(struct batch_limit *limit, uint32_t n_events, uint64_t place,
                        bool was_cut)
{
    if (n_events > limit->events)
        n_events = limit->events;
    limit->ceiling = n_events;
    clamp(&limit->ceiling, limit->ceiling / 2);
    limit->events = limit->ceiling;
    limit->n_passed = 0;
    if (n_events > 1 || !was_cut)
        return;
    if (limit->cut_at != place)
        limit->n_cut_single = 0;
    limit->cut_at = place;
    limit->n_cut_single++;
}

void batch_limit_forget(struct batch_limit *limit, uint64_t place)
{
    if (limit->cut_at == place)
        limit->n_cut_single = 0;
}

bool batch_limit_is_hopeless(const struct batch_limit *limit, uint64_t place)
{
    return limit->n_cut_single >= BATCH_LIMIT_ATTEMPTS && limit->cut_at == place;
}
