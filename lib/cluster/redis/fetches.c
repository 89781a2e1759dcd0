/* fetches.c: reads events that the manager requests for reconnecting clients. Requests wait
 * while Redis is away. The list has no limit of its own, because the manager limits its
 * requests. */
#include "cluster/redis/carrier.h"

#include <inttypes.h>
#include <stdio.h>

#include "cluster/redis/entry.h"

enum { FETCHES_SENT_MAX = 8 };

static void append(struct ws_redis *redis, struct fetch *fetch)
{
    struct fetches *fetches = &redis->fetches;

    fetch->next = NULL;
    lock_acquire(&redis->lock);
    *fetches->end = fetch;
    fetches->end = &fetch->next;
    fetches->count++;
    lock_release(&redis->lock);
}

int fetches_push(struct ws_redis *redis, uint64_t after, uint32_t max_events, void *request)
{
    struct fetch *fetch = memory_alloc(&redis->memory, sizeof *fetch);

    if (fetch == NULL)
        return WS_ERR_NO_MEMORY;
    *fetch = (struct fetch){.request = request, .after = after, .max_events = max_events};
    append(redis, fetch);
    return WS_OK;
}

/* The request behind the n oldest ones; NULL if there is none. */
static struct fetch *behind(struct ws_redis *redis, uint32_t n)
{
    struct fetch *fetch;

    lock_acquire(&redis->lock);
    fetch = redis->fetches.first;
    for (; n > 0 && fetch != NULL; n--)
        fetch = fetch->next;
    lock_release(&redis->lock);
    return fetch;
}

/* Redis may send the replies to all requests before the first one is read. All sent requests
 * together therefore ask for at most one page. */
void fetches_run(struct ws_redis *redis)
{
    struct fetches *fetches = &redis->fetches;
    struct fetch *fetch;

    while (carrier_is_up(redis) && redis->now_ms >= fetches->retry_ms &&
           fetches->n_sent < FETCHES_SENT_MAX && fetches->n_asked < fetches->page.events &&
           (fetch = behind(redis, fetches->n_sent)) != NULL) {
        uint32_t left = fetches->page.events - fetches->n_asked;
        char from[NUMBER_SIZE];

        snprintf(from, sizeof from, "%" PRIu64, fetch->after + 1);
        fetch->n_asked = fetch->max_events < left ? fetch->max_events : left;
        if (!carrier_ask_range(redis, &redis->writing, REQUEST_FETCH, "XRANGE", from, "+",
                               fetch->n_asked))
            return;
        fetches->n_sent++;
        fetches->n_asked += fetch->n_asked;
    }
}

uint64_t fetches_deadline(struct ws_redis *redis)
{
    const struct fetches *fetches = &redis->fetches;
    bool is_held = carrier_is_up(redis) && redis->now_ms < fetches->retry_ms;

    return is_held && behind(redis, fetches->n_sent) != NULL ? fetches->retry_ms
                                                             : WS_NO_DEADLINE;
}

void fetches_end(struct ws_redis *redis)
{
    redis->fetches.n_sent = 0;
    redis->fetches.n_asked = 0;
}

static struct fetch *pop(struct ws_redis *redis)
{
    struct fetches *fetches = &redis->fetches;
    struct fetch *fetch;

    lock_acquire(&redis->lock);
    fetch = fetches->first;
    if (fetch != NULL) {
        fetches->first = fetch->next;
        if (fetches->first == NULL)
            fetches->end = &fetches->first;
        fetches->count--;
    }
    lock_release(&redis->lock);
    return fetch;
}

/* Hands the events to the manager. False if memory ran out. */
static bool answer(struct ws_redis *redis, const struct fetch *fetch, const redisReply *entries)
{
    size_t n = entries->elements;
    ws_cluster_event *events = memory_alloc(&redis->memory, (n + 1) * sizeof *events);
    const char *nonce;
    size_t bytes = 0;
    int result;

    if (events == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        entry_read(entries->element[i], &events[i], &nonce);
        bytes += entry_bytes(entries->element[i]);
    }
    batch_limit_passed(&redis->fetches.page, n, bytes);
    result = ws_manager_cluster_fetched(redis->manager, fetch->request, events, n);
    memory_free(&redis->memory, events);
    if (result == WS_OK)
        carrier_count(redis, &redis->counters.fetched, n);
    return result == WS_OK;
}

/* If memory runs out, the request is appended to the list again, and sent after a while. */
void fetches_fetched(struct ws_redis *redis, const redisReply *entries)
{
    struct fetch *fetch = pop(redis);

    redis->fetches.n_sent--;
    redis->fetches.n_asked -= fetch->n_asked;
    if (answer(redis, fetch, entries)) {
        memory_free(&redis->memory, fetch);
    } else {
        append(redis, fetch);
        redis->fetches.retry_ms = redis->now_ms + RETRY_MS;
    }
}

/* Answers the oldest request with no events. False if there is none. */
static bool give_up(struct ws_redis *redis)
{
    struct fetch *fetch = pop(redis);

    if (fetch == NULL)
        return false;
    ws_manager_cluster_fetched(redis->manager, fetch->request, NULL, 0);
    memory_free(&redis->memory, fetch);
    return true;
}

void fetches_failed(struct ws_redis *redis, bool was_cut)
{
    struct fetches *fetches = &redis->fetches;
    uint64_t place;

    if (fetches->n_sent == 0)
        return;
    place = behind(redis, 0)->after;
    batch_limit_failed(&fetches->page, fetches->n_asked, place, was_cut);
    if (!batch_limit_is_hopeless(&fetches->page, place))
        return;
    fetches_end(redis);
    give_up(redis);
}

void fetches_give_up(struct ws_redis *redis)
{
    while (give_up(redis))
        ;
}
