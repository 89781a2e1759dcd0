/* at_once.c: how many events are asked for, or sent, at once. */
#include "cluster/redis/at_once.h"

enum {
    PASSES_PER_STEP = 16, /* until the ceiling is raised, */
    STEP_DIVISOR = 8      /* by an eighth: a limit on the way is met again seldom */
};

void at_once_init(struct at_once *at_once, uint32_t first, uint32_t most)
{
    *at_once = (struct at_once){.most = most, .events = first, .ceiling = most};
}

static void limit(uint32_t *events, size_t max)
{
    if (*events > max)
        *events = (uint32_t)max;
    if (*events == 0)
        *events = 1;
}

/* At once when they become larger, slowly when they become smaller. */
static void take_mean(struct at_once *at_once, size_t mean_bytes)
{
    if (mean_bytes >= at_once->mean_bytes)
        at_once->mean_bytes = mean_bytes;
    else
        at_once->mean_bytes -= (at_once->mean_bytes - mean_bytes) / 4;
}

void at_once_passed(struct at_once *at_once, size_t n_events, size_t bytes)
{
    if (n_events == 0)
        return;
    if (++at_once->n_passed % PASSES_PER_STEP == 0) {
        at_once->ceiling += 1 + at_once->ceiling / STEP_DIVISOR;
        limit(&at_once->ceiling, at_once->most);
    }
    take_mean(at_once, bytes / n_events);
    if (n_events >= at_once->events)
        at_once->events *= 2;
    limit(&at_once->events, at_once->ceiling);
    if (at_once->mean_bytes > 0)
        limit(&at_once->events, AT_ONCE_BYTES / at_once->mean_bytes);
}

void at_once_failed(struct at_once *at_once, uint32_t n_events, uint64_t place, bool was_cut)
{
    if (n_events > at_once->events)
        n_events = at_once->events;
    at_once->ceiling = n_events;
    limit(&at_once->ceiling, at_once->ceiling / 2);
    at_once->events = at_once->ceiling;
    at_once->n_passed = 0;
    if (n_events > 1 || !was_cut)
        return;
    if (at_once->cut_at != place)
        at_once->n_cut_single = 0;
    at_once->cut_at = place;
    at_once->n_cut_single++;
}

void at_once_forget(struct at_once *at_once, uint64_t place)
{
    if (at_once->cut_at == place)
        at_once->n_cut_single = 0;
}

bool at_once_is_hopeless(const struct at_once *at_once, uint64_t place)
{
    return at_once->n_cut_single >= AT_ONCE_ATTEMPTS && at_once->cut_at == place;
}
