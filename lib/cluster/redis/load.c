/* load.c: reads the stream's newest events before the manager starts: for the first time, in
 * another epoch, or when the next events are no longer in the stream. Reads backwards, page by
 * page. Not here: the events that follow (reader.c). */
#include "cluster/redis/carrier.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cluster/redis/entry.h"

enum { LOAD_MAX_BYTES = 64 << 20 };

/* Requests a page of events up to the id `to`. */
static void ask(struct ws_redis *redis, const char *to)
{
    uint32_t left = redis->options.preload_events - (uint32_t)redis->reader.n_loaded;
    uint32_t page = redis->reader.page.events < left ? redis->reader.page.events : left;

    redis->reader.asked = page;
    ask_range(redis, &redis->reading, REQUEST_PAGE, "XREVRANGE", to, "-", page);
}

/* The place for batch_limit. It is inverted because the reader, which uses the same limit,
 * passes plain positions. */
static uint64_t place(const struct reader *reader)
{
    return ~(reader->n_loaded > 0 ? reader->oldest : 0);
}

void load_nothing(struct ws_redis *redis, uint64_t until)
{
    load_end(redis);
    redis->reader.load_until = until;
    enter_stage(redis, STAGE_STARTING);
}

void load_begin(struct ws_redis *redis, uint64_t until)
{
    char to[NUMBER_SIZE];

    load_nothing(redis, until);
    if (batch_limit_is_hopeless(&redis->reader.page, place(&redis->reader)))
        return;
    enter_stage(redis, STAGE_LOADING);
    snprintf(to, sizeof to, "%" PRIu64, until);
    ask(redis, until == LOAD_NEWEST ? "+" : to);
}

void load_failed(struct ws_redis *redis, bool was_cut)
{
    struct reader *reader = &redis->reader;

    batch_limit_failed(&reader->page, reader->asked, place(reader), was_cut);
}

void load_end(struct ws_redis *redis)
{
    struct reader *reader = &redis->reader;

    for (size_t i = 0; i < reader->n_loaded; i++)
        freeReplyObject(reader->loaded[i]);
    memory_free(&redis->memory, reader->loaded);
    reader->loaded = NULL;
    reader->n_loaded = 0;
    reader->capacity = 0;
    reader->bytes = 0;
}

static uint64_t position_of(const redisReply *entry)
{
    ws_cluster_event event;
    const char *nonce;

    entry_read(entry, &event, &nonce);
    return event.position;
}

/* Keeps an entry of the page. False if it does not directly precede the entries that were kept,
 * or if memory ran out: loading ends there. */
static bool keep(struct ws_redis *redis, redisReply *page, size_t at)
{
    struct reader *reader = &redis->reader;
    uint64_t position = position_of(page->element[at]);
    redisReply **grown;

    if (position == 0 || (reader->n_loaded > 0 && position != reader->oldest - 1))
        return false;
    grown = memory_grow(&redis->memory, reader->loaded, sizeof *reader->loaded,
                        reader->n_loaded, PAGE_MAX, &reader->capacity);
    if (grown == NULL)
        return false;
    reader->loaded = grown;
    reader->bytes += entry_bytes(page->element[at]);
    reader->oldest = position;
    reader->loaded[reader->n_loaded++] = entry_take(page, at);
    return true;
}

void load_page(struct ws_redis *redis, redisReply *page)
{
    struct reader *reader = &redis->reader;
    size_t bytes = reader->bytes;
    size_t kept = 0;
    char to[NUMBER_SIZE];

    while (kept < page->elements && keep(redis, page, kept))
        kept++;
    batch_limit_passed(&reader->page, kept, reader->bytes - bytes);
    reader->page.n_passed =
        0; /* do not try larger pages: a failure would lose all that was loaded */
    if (kept < reader->asked || reader->n_loaded >= redis->options.preload_events ||
        reader->bytes >= LOAD_MAX_BYTES ||
        batch_limit_is_hopeless(&reader->page, place(reader))) {
        enter_stage(redis, STAGE_STARTING);
        return;
    }
    snprintf(to, sizeof to, "%" PRIu64, reader->oldest - 1);
    ask(redis, to);
}

/* Records the manager's epoch as a former one if a new epoch replaces it, in which the manager
 * begins at `position`. */
static void leave_epoch(struct ws_redis *redis, uint64_t position)
{
    const struct reader *reader = &redis->reader;
    struct left_epochs *left = &redis->left_epochs;
    size_t at = 0;

    if (reader->epoch[0] == '\0' || strcmp(reader->epoch, redis->session.epoch) == 0)
        return;
    while (at < left->count && strcmp(left->epochs[at], reader->epoch) != 0)
        at++;
    if (at == left->count && left->count < LEFT_EPOCHS_MAX)
        left->count++;
    if (at == LEFT_EPOCHS_MAX)
        at--;
    memmove(left->epochs[1], left->epochs[0], at * sizeof left->epochs[0]);
    memmove(&left->positions[1], &left->positions[0], at * sizeof left->positions[0]);
    memcpy(left->epochs[0], reader->epoch, WS_EPOCH_SIZE);
    left->positions[0] = reader->position < position ? reader->position : position;
}

/* The manager has started at `position`. The event that was seen when the session began may be
 * newer. */
static void started(struct ws_redis *redis, uint64_t position, const char *nonce)
{
    const struct session *session = &redis->session;

    leave_epoch(redis, position);
    lock_acquire(&redis->lock);
    memcpy(redis->reader.epoch, redis->session.epoch, WS_EPOCH_SIZE);
    redis->reader.position = position;
    lock_release(&redis->lock);
    snprintf(redis->reader.nonce, sizeof redis->reader.nonce, "%s", nonce);
    if (strcmp(redis->known.epoch, session->epoch) != 0)
        redis->known = (struct known){0};
    memcpy(redis->known.epoch, session->epoch, WS_EPOCH_SIZE);
    note_stored(redis, position, nonce);
    note_stored(redis, session->seen, session->seen_nonce);
    redis->session.n_attempts = 0;
    load_end(redis);
    batch_limit_forget(&redis->reader.page, place(&redis->reader));
    enter_stage(redis, STAGE_READING);
    report_state(redis, true, "connected");
}

/* Returns the position at which the manager starts. Drops the loaded events if the stream had newer
 * ones that are gone, because the history must not have a gap. */
static uint64_t newest(struct ws_redis *redis)
{
    const struct reader *reader = &redis->reader;
    uint64_t loaded = reader->n_loaded > 0 ? reader->oldest + reader->n_loaded - 1 : 0;
    uint64_t wanted = reader->load_until < redis->session.position ? reader->load_until
                                                                   : redis->session.position;

    if (loaded >= wanted)
        return loaded;
    load_end(redis);
    return wanted;
}

void load_start(struct ws_redis *redis)
{
    struct reader *reader = &redis->reader;
    uint64_t position = newest(redis);
    size_t n = reader->n_loaded;
    ws_cluster_event *events = NULL;
    const char *nonce = "";
    int result = WS_ERR_NO_MEMORY;

    if (redis->now_ms < reader->retry_ms)
        return;
    if (n > 0)
        events = memory_alloc(&redis->memory, n * sizeof *events);
    if (events != NULL || n == 0) {
        for (size_t i = 0; i < n; i++)
            entry_read(reader->loaded[n - 1 - i], &events[i], &nonce);
        result =
            ws_manager_cluster_start(redis->manager, redis->session.epoch, position, events, n);
    }
    memory_free(&redis->memory, events);
    if (result == WS_OK)
        started(redis, position, nonce);
    else if (result == WS_ERR_INVALID)
        fail(redis, "the epoch, a position or an event in the stream is not valid");
    else
        reader->retry_ms = redis->now_ms + RETRY_MS;
}
