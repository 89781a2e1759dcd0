/* redis.c: creates and frees a carrier, and has the functions that the host and the manager call.
 * Not here: the session with Redis (session.c). */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/forks.h"
#include "base/options.h"
#include "base/utf8.h"
#include "cluster/redis/carrier.h"
#include "cluster/redis/tls.h"

enum { REPLY_MIN_BYTES = 16 << 20, REPLY_MORE_BYTES = 1 << 20 };

static const ws_redis_options defaults = {
    .size = sizeof defaults,
    .uri = "redis://127.0.0.1:6379",
    .key = "wsmanager",
    .max_stream_events = 100000,
    .max_pending_events = 100000,
    .max_pending_bytes = 64 << 20,
    .preload_events = 10000,
    .heartbeat_interval_ms = 5000,
};

void ws_redis_options_init_size(ws_redis_options *options, size_t size)
{
    options_init(options, size, &defaults, sizeof defaults);
}

/* Returns WS_OK, or an error and one line about it in `text`. */
static int read_uri(struct uri *uri, const ws_allocator *memory, const char *from, char *text,
                    size_t size)
{
    const char *error = uri_read(uri, memory, from);

    if (error != NULL) {
        snprintf(text, size, "%s", error);
        return error == uri_no_memory ? WS_ERR_NO_MEMORY : WS_ERR_INVALID;
    }
    return !uri->is_tls || tls_check(uri, text, size) ? WS_OK : WS_ERR_INVALID;
}

int ws_redis_check_uri(const char *uri, char *text, size_t size)
{
    ws_allocator memory;
    struct uri read;
    int result;

    if (text == NULL && size > 0)
        return WS_ERR_INVALID;
    memory_allocator_init(&memory);
    result = read_uri(&read, &memory, uri != NULL ? uri : "", text, size);
    uri_free(&read, &memory);
    return result;
}

/* --- what the manager calls ------------------------------------------------------------------- */

/* True in a child of fork(): the connections and the waiting events belong to the parent. */
static bool belongs_to_parent(const struct ws_redis *redis)
{
    return redis->n_forks != forks_count();
}

/* Calls the host's `wake`, at most once between two runs. */
static void wake(struct ws_redis *redis)
{
    bool was_woken;

    lock_acquire(&redis->lock);
    was_woken = redis->is_woken;
    redis->is_woken = true;
    lock_release(&redis->lock);
    if (!was_woken)
        redis->options.wake(redis->options.user_data);
}

static void wake_owner(void *wake_data)
{
    wake(wake_data);
}

static int publish(const ws_cluster_event *event, void *receipt, void *data)
{
    struct ws_redis *redis = data;
    int result;

    if (belongs_to_parent(redis))
        return WS_ERR_FORKED;
    lock_acquire(&redis->lock);
    result = redis->is_closing ? WS_ERR_CLOSED : queue_push(&redis->queue, event, receipt);
    if (result != WS_OK)
        redis->counters.refused++;
    lock_release(&redis->lock);
    if (result == WS_OK)
        wake(redis);
    return result;
}

static int fetch(uint64_t after, uint32_t max_events, void *request, void *data)
{
    struct ws_redis *redis = data;
    int result = belongs_to_parent(redis) ? WS_ERR_FORKED
                                          : fetches_push(redis, after, max_events, request);

    if (result == WS_OK)
        wake(redis);
    return result;
}

static int remember(const char *key, uint64_t rank, const void *value, size_t length,
                    uint64_t ttl_ms, void *data)
{
    struct ws_redis *redis = data;
    int result = belongs_to_parent(redis)
                     ? WS_ERR_FORKED
                     : memories_push(redis, key, rank, value, length, ttl_ms);

    if (result == WS_OK)
        wake(redis);
    return result;
}

static int recall(const char *key, void *request, void *data)
{
    struct ws_redis *redis = data;
    int result = belongs_to_parent(redis) ? WS_ERR_FORKED : memories_ask(redis, key, request);

    if (result == WS_OK)
        wake(redis);
    return result;
}

/* --- creation
 * ------------------------------------------------------------------------------------- */

static bool key_valid(const char *key)
{
    return name_text_valid(key) && strpbrk(key, " {}") == NULL;
}

static bool options_valid(const ws_redis_options *options)
{
    const ws_allocator *allocator = options->allocator;

    return options->watch != NULL && options->wake != NULL && options->uri != NULL &&
           key_valid(options->key) &&
           (options->node == NULL || name_text_valid(options->node)) &&
           (allocator == NULL || (allocator->malloc != NULL && allocator->realloc != NULL &&
                                  allocator->free != NULL)) &&
           options->max_stream_events > 0 && options->max_pending_events > 0 &&
           options->max_pending_bytes > 0 && options->preload_events > 0 &&
           options->heartbeat_interval_ms > 0;
}

/* Returns {KEY}:WHAT; NULL if memory ran out. */
static char *make_key(const struct ws_redis *redis, const char *key, const char *what)
{
    char text[WS_NAME_MAX + 32];
    int length = snprintf(text, sizeof text, "{%s}:%s", key, what);

    return memory_copy_text(&redis->memory, text, (size_t)length);
}

static bool copy_names(struct ws_redis *redis)
{
    const char *key = redis->options.key;
    const char *node = redis->options.node != NULL ? redis->options.node
                                                   : ws_manager_process_id(redis->manager);
    struct keys *keys = &redis->keys;

    keys->state = make_key(redis, key, "state");
    keys->events = make_key(redis, key, "events");
    keys->nodes = make_key(redis, key, "nodes");
    keys->expiries = make_key(redis, key, "expiries");
    keys->producer_prefix = make_key(redis, key, "producer:");
    keys->session_prefix = make_key(redis, key, "session:");
    keys->values[VALUES] = make_key(redis, key, "values");
    keys->values[VALUES_ORDER] = make_key(redis, key, "values:order");
    keys->values[VALUES_LISTS] = make_key(redis, key, "values:lists");
    keys->values[VALUES_SIZES] = make_key(redis, key, "values:sizes");
    redis->node = memory_copy_text(&redis->memory, node, strlen(node));
    return keys->state != NULL && keys->events != NULL && keys->nodes != NULL &&
           keys->expiries != NULL && keys->producer_prefix != NULL &&
           keys->session_prefix != NULL && keys->values[VALUES] != NULL &&
           keys->values[VALUES_ORDER] != NULL && keys->values[VALUES_LISTS] != NULL &&
           keys->values[VALUES_SIZES] != NULL && redis->node != NULL;
}

static void destroy(struct ws_redis *redis)
{
    ws_allocator memory = redis->memory;

    servers_free(redis);
    tls_free(&redis->tls_store);
    uri_free(&redis->uri, &memory);
    memory_free(&memory, redis->keys.state);
    memory_free(&memory, redis->keys.events);
    memory_free(&memory, redis->keys.nodes);
    memory_free(&memory, redis->keys.expiries);
    memory_free(&memory, redis->keys.producer_prefix);
    memory_free(&memory, redis->keys.session_prefix);
    for (size_t i = 0; i < N_VALUE_KEYS; i++)
        memory_free(&memory, redis->keys.values[i]);
    memory_free(&memory, redis->node);
    memory_free(&memory, redis->nodes);
    lock_destroy(&redis->lock);
    memory_free(&memory, redis);
}

/* The limit of a reply. An event that fits into the queue of another process must be readable,
 * at least in a reply of its own. */
static size_t max_reply_bytes(const ws_redis_options *options)
{
    uint64_t bytes = options->max_pending_bytes;

    if (bytes < REPLY_MIN_BYTES)
        bytes = REPLY_MIN_BYTES;
    return bytes < SIZE_MAX - REPLY_MORE_BYTES ? (size_t)bytes + REPLY_MORE_BYTES : SIZE_MAX;
}

static int set_up(struct ws_redis *redis)
{
    static const ws_cluster carrier = {.size = sizeof carrier,
                                       .publish = publish,
                                       .fetch = fetch,
                                       .remember = remember,
                                       .recall = recall};
    const ws_redis_options *options = &redis->options;
    size_t max_bytes = max_reply_bytes(options);
    char text[LINK_ERROR_SIZE];
    int result = read_uri(&redis->uri, &redis->memory, options->uri, text, sizeof text);

    if (result != WS_OK)
        return result;
    if (!copy_names(redis))
        return WS_ERR_NO_MEMORY;
    if (getrandom(&redis->random, sizeof redis->random, 0) != (ssize_t)sizeof redis->random)
        return WS_ERR_SYSTEM;
    redis->random |= 1;
    queue_init(&redis->queue, &redis->memory, redis->keys.producer_prefix,
               ws_manager_process_id(redis->manager));
    redis->queue.max_events = options->max_pending_events;
    redis->queue.max_bytes = options->max_pending_bytes;
    redis->fetches.end = &redis->fetches.first;
    memories_init(redis);
    batch_limit_init(&redis->reader.page, PAGE_FIRST, PAGE_MAX);
    batch_limit_init(&redis->reader.restored.kibibytes, LISTING_KIBIBYTES, LISTING_KIBIBYTES);
    batch_limit_init(&redis->fetches.page, PAGE_FIRST, PAGE_MAX);
    batch_limit_init(&redis->writer.batch, BATCH_MAX_EVENTS, BATCH_MAX_EVENTS);
    batch_limit_init(&redis->listing.kibibytes, LISTING_KIBIBYTES, LISTING_KIBIBYTES);
    buffer_init(&redis->listing.packed, &redis->memory);
    snprintf(redis->max_stream_events, sizeof redis->max_stream_events, "%u",
             (unsigned)options->max_stream_events);
    link_init(&redis->reading, options->watch, options->user_data, &redis->tls_store,
              max_bytes);
    link_init(&redis->writing, options->watch, options->user_data, &redis->tls_store,
              max_bytes);
    link_init(&redis->asking, options->watch, options->user_data, &redis->tls_store, max_bytes);
    redis->resolver =
        (struct resolver){options->resolve != NULL ? options->resolve : lookup_at_once,
                          options->user_data, wake_owner, redis};
    servers_init(redis);
    return ws_manager_set_cluster(redis->manager, &carrier, redis);
}

int ws_redis_new(ws_manager *manager, const ws_redis_options *options, uint64_t now_ms,
                 ws_redis **redis)
{
    ws_redis_options copy = defaults;
    ws_allocator memory;
    struct ws_redis *made;
    int result;

    memory_allocator_init(&memory);
    if (manager == NULL || redis == NULL || !options_copy(&copy, sizeof copy, options) ||
        !options_valid(&copy) || !options_copy(&memory, sizeof memory, copy.allocator))
        return WS_ERR_INVALID;
    made = forks_watch() ? memory_zalloc(&memory, sizeof *made) : NULL;
    if (made == NULL)
        return WS_ERR_NO_MEMORY;
    made->memory = memory;
    made->n_forks = forks_count();
    made->manager = manager;
    made->options = copy;
    made->now_ms = made->clock.host_ms = now_ms;
    if (!lock_init(&made->lock)) {
        memory_free(&memory, made);
        return WS_ERR_SYSTEM;
    }
    result = set_up(made);
    if (result != WS_OK)
        destroy(made);
    else
        *redis = made;
    return result;
}

static void watch_nothing(int fd, int events, void *user_data)
{
    (void)fd;
    (void)events;
    (void)user_data;
}

/* Prepares a child of fork() to free the carrier. The host may share an epoll descriptor with the
 * parent, so `watch` must not remove descriptors from it. The lock is initialized again, because a
 * thread of the parent may have held it during fork(). */
static void leave_to_parent(struct ws_redis *redis)
{
    lock_init(&redis->lock);
    servers_leave_to_parent(redis);
    redis->reading.watch = redis->writing.watch = redis->asking.watch = watch_nothing;
}

void ws_redis_free(ws_redis *redis)
{
    if (redis == NULL)
        return;
    if (belongs_to_parent(redis))
        leave_to_parent(redis);
    else
        nodes_leave(redis);
    lock_acquire(&redis->lock);
    redis->is_closing = true; /* else a stored callback that sends again would go on for ever */
    lock_release(&redis->lock);
    session_close(redis);
    link_close(&redis->asking);
    writer_give_up(redis);
    fetches_give_up(redis);
    memories_give_up(redis);
    ws_manager_set_cluster(redis->manager, NULL, NULL);
    destroy(redis);
}

/* --- what the host calls ---------------------------------------------------------------------- */

void ws_redis_ready(ws_redis *redis, int fd, int events)
{
    if (redis == NULL || belongs_to_parent(redis))
        return;
    if (fd == redis->reading.fd)
        link_ready(&redis->reading, events);
    else if (fd == redis->writing.fd)
        link_ready(&redis->writing, events);
    else if (fd == redis->asking.fd)
        link_ready(&redis->asking, events);
}

static bool takes_errors(enum request_kind kind)
{
    return kind == REQUEST_AUTH || kind == REQUEST_APPEND || kind == REQUEST_HEARTBEAT ||
           kind == REQUEST_VALUES || kind == REQUEST_REMEMBER || kind == REQUEST_RECALL ||
           kind == REQUEST_NODES || kind == REQUEST_SENTINEL || kind == REQUEST_MASTER;
}

/* Only the first word of the error: a server that does not know AUTH repeats its arguments, which
 * include the password. */
static void write_refusal(char text[LINK_ERROR_SIZE], const char *error)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    snprintf(text, LINK_ERROR_SIZE, "AUTH was refused: %.*s", (int)strspn(error, letters),
             error);
}

static void take_auth(struct ws_redis *redis, enum request_kind kind, const redisReply *reply)
{
    char text[LINK_ERROR_SIZE];

    if (reply->type != REDIS_REPLY_ERROR)
        return;
    write_refusal(text, reply->str);
    if (kind == REQUEST_SENTINEL)
        sentinel_failed(redis, text);
    else
        carrier_fail(redis, text);
}

static void take_reply(struct ws_redis *redis, enum request_kind kind, redisReply *reply)
{
    redisReply *entries;

    if (reply->type == REDIS_REPLY_ERROR && !takes_errors(kind)) {
        carrier_fail(redis, reply->str);
        return;
    }
    switch (kind) {
    case REQUEST_AUTH:
    case REQUEST_SENTINEL:
        take_auth(redis, kind, reply);
        break;
    case REQUEST_GREETING:
    case REQUEST_MULTI:
    case REQUEST_QUEUED:
        break;
    case REQUEST_ATTACH:
        session_attached(redis, reply);
        break;
    case REQUEST_PAGE:
        entries = carrier_range_of(redis, reply);
        if (entries != NULL)
            load_page(redis, entries);
        break;
    case REQUEST_VALUES:
        restore_page(redis, reply);
        break;
    case REQUEST_READ:
        reader_read(redis, reply);
        break;
    case REQUEST_STATE:
        reader_state(redis, reply);
        break;
    case REQUEST_APPEND:
        writer_appended(redis, reply);
        break;
    case REQUEST_FETCH:
        entries = carrier_range_of(redis, reply);
        if (entries != NULL)
            fetches_fetched(redis, entries);
        break;
    case REQUEST_REMEMBER:
        memories_kept(redis, reply);
        break;
    case REQUEST_RECALL:
        memories_recalled(redis, reply);
        break;
    case REQUEST_HEARTBEAT:
        nodes_beat(redis, reply);
        break;
    case REQUEST_NODES:
        nodes_seen(redis, reply);
        break;
    case REQUEST_ROLE:
        if (servers_role(redis, reply))
            session_verified(redis);
        break;
    case REQUEST_MASTER:
        if (sentinel_named(redis, reply))
            session_connect(redis);
        break;
    }
}

/* Stops when the session fails: the remaining replies are dropped with the connection. */
static void take_replies(struct ws_redis *redis, struct link *link)
{
    enum request_kind kind;
    redisReply *reply;

    while (redis->session.stage != STAGE_FAILED &&
           (reply = link_take_reply(link, &kind)) != NULL) {
        take_reply(redis, kind, reply);
        freeReplyObject(reply);
    }
}

static uint32_t total_limit(const struct ws_redis *redis)
{
    return redis->reader.page.events + redis->fetches.page.events + redis->writer.batch.events +
           redis->listing.kibibytes.events + redis->reader.restored.kibibytes.events +
           redis->memories.batch.events + redis->memories.page.events;
}

/* Reduces the batches that were in progress on a failed connection, because they may have been too
 * large for it. A Redis that stays silent is no reason to request less. It may however not have
 * received all that was sent, so the writer's batch is always reduced. */
static void shrink(struct ws_redis *redis, const struct link *link)
{
    bool was_cut = link->context == NULL;
    uint32_t before = total_limit(redis);

    if (link == &redis->writing)
        writer_failed(redis, was_cut);
    if (link == &redis->writing && (was_cut || link->is_slow)) {
        fetches_failed(redis, was_cut);
        nodes_failed(redis, was_cut);
        memories_failed(redis, was_cut);
    }
    if (link == &redis->reading && (was_cut || link->is_slow))
        reader_failed(redis, was_cut);
    if (total_limit(redis) < before)
        redis->session.n_attempts = 0; /* the next attempt is a smaller one */
}

static void check(struct ws_redis *redis, struct link *link)
{
    enum stage stage = redis->session.stage;

    if (stage < STAGE_ATTACHING || stage == STAGE_FAILED || link_check(link, redis->now_ms))
        return;
    if (stage != STAGE_ATTACHING)
        shrink(redis, link);
    carrier_fail(redis, link->error);
}

/* Ends the session if a connection has failed. */
static void check_session(struct ws_redis *redis)
{
    check(redis, &redis->reading);
    check(redis, &redis->writing);
    session_end_failed(redis);
}

static uint64_t earliest(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t next_deadline(struct ws_redis *redis)
{
    uint64_t deadline;

    if (redis->session.stage == STAGE_AWAY)
        return redis->session.retry_ms;
    deadline = earliest(redis->reading.deadline_ms, redis->writing.deadline_ms);
    deadline = earliest(deadline, servers_deadline(redis));
    deadline = earliest(deadline, reader_deadline(redis));
    deadline = earliest(deadline, writer_deadline(redis));
    deadline = earliest(deadline, fetches_deadline(redis));
    deadline = earliest(deadline, memories_deadline(redis));
    return carrier_is_up(redis) ? earliest(deadline, redis->heartbeat_ms) : deadline;
}

uint64_t ws_redis_run(ws_redis *redis, uint64_t now_ms)
{
    if (redis == NULL || belongs_to_parent(redis))
        return WS_NO_DEADLINE;
    lock_acquire(&redis->lock);
    redis->is_woken = false;
    lock_release(&redis->lock);
    redis->now_ms = host_clock_update(&redis->clock, now_ms);
    take_replies(redis, &redis->reading);
    take_replies(redis, &redis->writing);
    take_replies(redis, &redis->asking);
    check_session(redis);
    session_begin(redis);
    sentinel_run(redis);
    reader_run(redis);
    writer_run(redis);
    fetches_run(redis);
    memories_run(redis);
    nodes_run(redis);
    link_flush(&redis->reading);
    link_flush(&redis->writing);
    link_flush(&redis->asking);
    check_session(redis);
    servers_look_up(redis);
    return host_clock_deadline(&redis->clock, next_deadline(redis));
}
