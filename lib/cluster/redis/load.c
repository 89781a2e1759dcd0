/* load.c: reads the stream's newest events before the manager starts: for the first time, in
 * another epoch, or when the next events are no longer in the stream. Reads backwards, page by
 * page. Not here: the events that follow (reader.c). */
#include "cluster/redis/carrier.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/redis/entry.h"

enum {
    LOAD_MAX_BYTES = 64 << 20,
    LOAD_MAX_MS = 2000 /* for the history, without which the manager can start, too */
};

/* True until an event was loaded that the manager has had. */
static bool seeks(const struct reader *reader)
{
    return reader->purpose != LOAD_HISTORY && reader->n_new == reader->n_loaded;
}

/* How many events to load. */
static uint32_t wanted_events(const struct ws_redis *redis)
{
    uint32_t preload = redis->options.preload_events;

    return seeks(&redis->reader) && preload < TRAIL_MAX ? TRAIL_MAX : preload;
}

/* Requests a page of events up to the id `to`. */
static void ask(struct ws_redis *redis, const char *to)
{
    uint32_t left = wanted_events(redis) - (uint32_t)redis->reader.n_loaded;
    uint32_t page = redis->reader.page.events < left ? redis->reader.page.events : left;

    redis->reader.asked = page;
    carrier_ask_range(redis, &redis->reading, REQUEST_PAGE, "XREVRANGE", to, "-", page);
}

/* The place for batch_limit. It is inverted because the reader, which uses the same limit,
 * passes plain positions. */
static uint64_t place(const struct reader *reader)
{
    return ~(reader->n_loaded > 0 ? reader->oldest : 0);
}

/* Returns the position up to which the events are loaded. Drops them if the stream had newer
 * ones that are gone, because the history must not have a gap. */
static uint64_t newest(struct ws_redis *redis)
{
    const struct reader *reader = &redis->reader;
    uint64_t loaded = reader->n_loaded > 0 ? reader->oldest + reader->n_loaded - 1 : 0;
    uint64_t wanted =
        reader->load_until != LOAD_NEWEST ? reader->load_until : redis->session.position;

    if (loaded >= wanted)
        return loaded;
    load_end(redis);
    return wanted;
}

/* Where the manager starts: the events that are new to it are delivered later. */
static uint64_t start_position(struct ws_redis *redis)
{
    uint64_t until = newest(redis); /* which may drop all events, also the new ones */

    return until - redis->reader.n_new;
}

/* The stream's events are loaded. */
static void loaded(struct ws_redis *redis)
{
    restore_begin(redis, start_position(redis));
}

static void prepare(struct ws_redis *redis, uint64_t until)
{
    load_end(redis);
    redis->reader.load_until = until;
    redis->reader.purpose = LOAD_HISTORY;
}

void load_nothing(struct ws_redis *redis, uint64_t until)
{
    prepare(redis, until);
    loaded(redis);
}

void load_begin(struct ws_redis *redis, uint64_t until, enum load_purpose purpose)
{
    char to[NUMBER_SIZE];

    prepare(redis, until);
    if (redis->reader.epoch[0] != '\0')
        redis->reader.purpose = purpose;
    redis->reader.give_up_ms = redis->now_ms + LOAD_MAX_MS;
    if (batch_limit_is_hopeless(&redis->reader.page, place(&redis->reader))) {
        loaded(redis);
        return;
    }
    carrier_enter_stage(redis, STAGE_LOADING);
    snprintf(to, sizeof to, "%" PRIu64, until);
    ask(redis, until == LOAD_NEWEST ? "+" : to);
}

/* The history is optional. Events that the manager has not had are needed in any case. */
void load_run(struct ws_redis *redis)
{
    struct reader *reader = &redis->reader;

    if (redis->session.stage != STAGE_LOADING || redis->now_ms < reader->give_up_ms ||
        seeks(reader))
        return;
    reader->n_outdated++;
    loaded(redis);
}

uint64_t load_deadline(const struct ws_redis *redis)
{
    return seeks(&redis->reader) ? WS_NO_DEADLINE : redis->reader.give_up_ms;
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
        if (reader->loaded[i] != NULL)
            freeReplyObject(reader->loaded[i]);
    memory_free(&redis->memory, reader->loaded);
    reader->loaded = NULL;
    reader->n_loaded = 0;
    reader->n_new = 0;
    reader->capacity = 0;
    reader->bytes = 0;
}

/* True if the manager has not had this event, as far as is known. */
static bool is_new(const struct reader *reader, uint64_t position, const char *nonce)
{
    enum trail_found found = trail_find(&reader->trail, position, nonce);

    return found == TRAIL_OTHER || (found == TRAIL_BEHIND && reader->purpose == LOAD_NEW);
}

/* Keeps an entry of the page. False if it does not directly precede the entries that were kept,
 * or if memory ran out: loading ends there. */
static bool keep(struct ws_redis *redis, redisReply *page, size_t at)
{
    struct reader *reader = &redis->reader;
    ws_cluster_event event;
    const char *nonce;
    redisReply **grown;

    entry_read(page->element[at], &event, &nonce);
    if (event.position == 0 || (reader->n_loaded > 0 && event.position != reader->oldest - 1))
        return false;
    grown = memory_grow(&redis->memory, reader->loaded, sizeof *reader->loaded,
                        reader->n_loaded, PAGE_MAX, &reader->capacity);
    if (grown == NULL)
        return false;
    reader->loaded = grown;
    reader->bytes += entry_bytes(page->element[at]);
    reader->oldest = event.position;
    if (seeks(reader) && is_new(reader, event.position, nonce))
        reader->n_new++;
    reader->loaded[reader->n_loaded++] = entry_take(page, at);
    return true;
}

void load_page(struct ws_redis *redis, redisReply *page)
{
    struct reader *reader = &redis->reader;
    size_t bytes = reader->bytes;
    size_t kept = 0;
    char to[NUMBER_SIZE];

    if (reader->n_outdated > 0) { /* loading has ended without this page */
        reader->n_outdated--;
        return;
    }
    while (kept < page->elements && keep(redis, page, kept))
        kept++;
    batch_limit_passed(&reader->page, kept, reader->bytes - bytes);
    reader->page.n_passed =
        0; /* do not try larger pages: a failure would lose all that was loaded */
    if (kept < reader->asked || reader->n_loaded >= wanted_events(redis) ||
        reader->bytes >= LOAD_MAX_BYTES ||
        batch_limit_is_hopeless(&reader->page, place(reader))) {
        loaded(redis);
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

/* The trail leads to `position`, where the manager has started with the loaded events that are
 * not new. If the oldest was on the trail, the stream is the same up to there. */
static void follow_trail(struct ws_redis *redis, uint64_t position)
{
    struct reader *reader = &redis->reader;
    struct trail *trail = &reader->trail;
    ws_cluster_event event;
    const char *nonce;

    if (reader->n_loaded == reader->n_new) {
        trail_begin(trail, position);
        return;
    }
    entry_read(reader->loaded[reader->n_loaded - 1], &event, &nonce);
    if (trail_find(trail, event.position, nonce) != TRAIL_SAME)
        trail_begin(trail, event.position - 1);
    trail_cut(trail, event.position - 1);
    for (size_t n = reader->n_loaded; n > reader->n_new; n--) {
        entry_read(reader->loaded[n - 1], &event, &nonce);
        trail_add(trail, nonce);
    }
}

/* Leaves the loaded events that are new to the reader, in the order of the stream. If memory
 * runs out, it reads them again. */
static void hand_over_new(struct reader *reader)
{
    size_t n = reader->n_new;
    redisReply *entries = n > 0 ? calloc(1, sizeof *entries) : NULL;

    if (entries == NULL)
        return;
    entries->type = REDIS_REPLY_ARRAY;
    entries->element = calloc(n, sizeof(redisReply *));
    if (entries->element == NULL) {
        free(entries);
        return;
    }
    for (entries->elements = 0; entries->elements < n; entries->elements++) {
        entries->element[entries->elements] = reader->loaded[n - 1 - entries->elements];
        reader->loaded[n - 1 - entries->elements] = NULL;
    }
    reader->entries = entries;
    reader->n_delivered = 0;
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
    if (*nonce == '\0' && position == session->seen)
        nonce = session->seen_nonce;
    snprintf(redis->reader.nonce, sizeof redis->reader.nonce, "%s", nonce);
    if (strcmp(redis->known.epoch, session->epoch) != 0)
        redis->known = (struct known){0};
    memcpy(redis->known.epoch, session->epoch, WS_EPOCH_SIZE);
    carrier_note_stored(redis, position, nonce);
    carrier_note_stored(redis, session->seen, session->seen_nonce);
    redis->session.n_attempts = 0;
    follow_trail(redis, position);
    hand_over_new(&redis->reader);
    load_end(redis);
    restore_end(redis);
    batch_limit_forget(&redis->reader.page, place(&redis->reader));
    carrier_enter_stage(redis, STAGE_READING);
    carrier_report_state(redis, true, "connected");
}

static int start_manager(struct ws_redis *redis, uint64_t position, const char **nonce)
{
    struct reader *reader = &redis->reader;
    size_t n = reader->n_loaded - reader->n_new;
    ws_cluster_event *events = NULL;
    ws_cluster_event *values;
    size_t n_values;
    int result = WS_ERR_NO_MEMORY;

    if (n > 0)
        events = memory_alloc(&redis->memory, n * sizeof *events);
    for (size_t i = 0; events != NULL && i < n; i++)
        entry_read(reader->loaded[reader->n_loaded - 1 - i], &events[i], nonce);
    if ((events != NULL || n == 0) && restore_list(redis, &values, &n_values)) {
        result = ws_manager_cluster_start_with(redis->manager, redis->session.epoch, position,
                                               events, n, values, n_values);
        memory_free(&redis->memory, values);
    }
    memory_free(&redis->memory, events);
    return result;
}

void load_start(struct ws_redis *redis)
{
    struct reader *reader = &redis->reader;
    uint64_t position = start_position(redis);
    const char *nonce = "";
    int result;

    if (redis->now_ms < reader->retry_ms)
        return;
    result = start_manager(redis, position, &nonce);
    if (result == WS_OK)
        started(redis, position, nonce);
    else if (result == WS_ERR_INVALID)
        carrier_fail(redis, "the epoch, a position or an event in the stream is not valid");
    else
        reader->retry_ms = redis->now_ms + RETRY_MS;
}
