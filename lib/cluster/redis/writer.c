/* writer.c: appends events to the stream. Only one batch at a time is sent, so that nothing
 * overtakes a batch that Redis refuses. Events that arrive meanwhile form the next batch. Not
 * here: the queue (queue.c) and the script (scripts.c). */
#include "cluster/redis/backoff.h"
#include "cluster/redis/carrier.h"

#include <stdio.h>
#include <string.h>

#include "cluster/redis/scripts.h"

enum {
    BATCH_MAX_BYTES = 512 << 10,

    /* Redis accepts commands and arguments of this size with any setting of
     * client-query-buffer-limit and proto-max-bulk-len. */
    ALWAYS_TAKEN_BYTES = 1 << 20
};

static const char *scope_name(int32_t scope)
{
    static const char *const names[] = {[WS_SCOPE_EVERYONE] = "everyone",
                                        [WS_SCOPE_USER] = "user",
                                        [WS_SCOPE_ROOM] = "room",
                                        [WS_SCOPE_PROCESSES] = "order"};

    return names[scope];
}

static void add_piece(struct command *command, struct piece piece)
{
    command_add(command, piece.text != NULL ? piece.text : "", piece.length);
}

/* The number of events in the next batch. The lock must be held. */
static uint32_t batch_size(const struct ws_redis *redis, uint32_t max_events)
{
    size_t bytes = 0;
    uint32_t n = 0;

    lock_assert_held(&redis->lock);
    for (const struct pending *pending = redis->queue.first; pending != NULL && n < max_events;
         pending = pending->next) {
        bytes += pending->bytes;
        if (n > 0 && bytes > BATCH_MAX_BYTES)
            break;
        n++;
    }
    return n;
}

/* Whether rooms keep any of the first n events. The lock must be held. */
static bool is_any_kept(const struct ws_redis *redis, uint32_t n)
{
    const struct pending *pending = redis->queue.first;
    bool is_kept = false;

    lock_assert_held(&redis->lock);
    for (uint32_t i = 0; i < n; i++, pending = pending->next)
        is_kept |= pending->keep.length > 0;
    return is_kept;
}

/* Adds the first n events of the queue to the command. The lock must be held. */
static void add_batch(struct ws_redis *redis, uint32_t n, size_t n_value_keys)
{
    struct command *command = &redis->command;
    const struct pending *pending = redis->queue.first;

    lock_assert_held(&redis->lock);
    for (uint32_t i = 0; i < n; i++, pending = pending->next)
        add_piece(command, pending->producer_key);
    for (size_t i = 0; i < n_value_keys; i++)
        command_add_text(command, redis->keys.values[i]);
    command_add_text(command, redis->session.epoch);
    command_add_text(command, redis->session.nonce);
    command_add_text(command, redis->max_stream_events);
    pending = redis->queue.first;
    for (uint32_t i = 0; i < n; i++, pending = pending->next) {
        add_piece(command, pending->sequence);
        command_add_text(command, scope_name(pending->scope));
        add_piece(command, pending->target);
        add_piece(command, pending->exclude);
        add_piece(command, pending->event);
        add_piece(command, pending->keep);
    }
}

void writer_run(struct ws_redis *redis)
{
    struct writer *writer = &redis->writer;
    char n_keys[NUMBER_SIZE];
    size_t n_value_keys;
    uint32_t n;

    if (!carrier_is_up(redis) || writer->n_sent > 0 || redis->now_ms < writer->retry_ms)
        return;
    lock_acquire(&redis->lock);
    n = batch_size(redis, writer->batch.events);
    n_value_keys = is_any_kept(redis, n) ? N_VALUE_KEYS : 0;
    snprintf(n_keys, sizeof n_keys, "%zu", n + 2 + n_value_keys);
    if (writer->is_script_known)
        command_known_script(redis, script_append_digest, n_keys);
    else
        command_script(redis, script_append, n_keys);
    command_add_text(&redis->command, redis->keys.state);
    command_add_text(&redis->command, redis->keys.events);
    add_batch(redis, n, n_value_keys);
    lock_release(&redis->lock);
    if (n == 0)
        return;
    writer->n_sent = n;
    if (!link_send(&redis->writing, REQUEST_APPEND, &redis->command, redis->now_ms))
        carrier_fail(redis, redis->writing.error);
    else if (n == 1)
        link_may_take_long(&redis->writing);
}

void writer_end(struct ws_redis *redis)
{
    redis->writer.n_sent = 0;
}

/* --- replies ---------------------------------------------------------------------------------- */

/* The oldest event is stored. `position` is 0 if it was in the stream before. */
static void settle(struct ws_redis *redis, uint64_t position)
{
    struct pending *pending;

    lock_acquire(&redis->lock);
    pending = queue_pop(&redis->queue);
    if (position > 0)
        redis->counters.stored++;
    else
        redis->counters.duplicates++;
    lock_release(&redis->lock);
    if (position > 0)
        carrier_note_stored(redis, position, redis->session.nonce);
    redis->writer.n_settled++;
    redis->session.n_attempts = 0;
    ws_manager_cluster_stored(redis->manager, pending->receipt, WS_OK, position);
    memory_free(&redis->memory, pending);
}

/* Gives up the oldest event, which is larger than Redis accepts. The host is notified too, because
 * the sender may have set no callback. */
static void refuse(struct ws_redis *redis)
{
    struct pending *pending;
    char text[LINK_ERROR_SIZE];

    lock_acquire(&redis->lock);
    pending = queue_pop(&redis->queue);
    redis->counters.refused++;
    lock_release(&redis->lock);
    redis->writer.n_settled++;
    snprintf(text, sizeof text,
             "discarded an event of %zu bytes: Redis refuses this size (proto-max-bulk-len)",
             pending->event.length);
    carrier_report_state(redis, true, text);
    ws_manager_cluster_stored(redis->manager, pending->receipt, WS_ERR_TOO_BIG, 0);
    memory_free(&redis->memory, pending);
}

static bool is_too_big(struct ws_redis *redis)
{
    size_t bytes;

    lock_acquire(&redis->lock);
    bytes = redis->queue.first->bytes;
    lock_release(&redis->lock);
    return batch_limit_is_hopeless(&redis->writer.batch, redis->writer.n_settled) &&
           bytes > ALWAYS_TAKEN_BYTES;
}

void writer_failed(struct ws_redis *redis, bool was_cut)
{
    struct writer *writer = &redis->writer;

    if (writer->n_sent == 0)
        return;
    batch_limit_failed(&writer->batch, writer->n_sent, writer->n_settled, was_cut);
    if (is_too_big(redis))
        refuse(redis);
}

/* True for errors that a new session must examine: another epoch, a replica (Redis before 7
 * says so in the middle of a longer text), a missing right, or a cluster node that does not
 * serve the slot or serves only a part of it. */
static bool needs_new_session(const char *why)
{
    static const char *const texts[] = {"EPOCH",          "READONLY",  "can't run this command",
                                        "no permissions", "MOVED ",    "ASK ",
                                        "CLUSTERDOWN",    "MASTERDOWN"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strstr(why, texts[i]) != NULL)
            return true;
    return false;
}

/* Redis refused the batch. Unless a new session is needed, the batch is sent again later and
 * reading continues: Redis may be out of memory, for example. */
static void not_appended(struct ws_redis *redis, const char *why)
{
    struct writer *writer = &redis->writer;

    if (strstr(why, "invalid bulk length") != NULL) { /* Redis also closes the connection */
        writer_failed(redis, true);
        carrier_fail(redis, why);
        return;
    }
    if (needs_new_session(why)) {
        carrier_fail(redis, why);
        return;
    }
    writer->n_sent = 0;
    if (strncmp(why, "NOSCRIPT", 8) == 0) { /* for example after SCRIPT FLUSH */
        writer->is_script_known = false;
        return;
    }
    writer->retry_ms = redis->now_ms + backoff_ms(&redis->random, &writer->n_attempts);
    carrier_count(redis, &redis->counters.failures, 1);
    carrier_report_state(redis, true, why);
}

/* True if the reply has a position for each of n events. */
static bool is_append_reply(const redisReply *reply, uint32_t n)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != n)
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (reply->element[i]->type != REDIS_REPLY_INTEGER || reply->element[i]->integer < 0)
            return false;
    return true;
}

void writer_appended(struct ws_redis *redis, const redisReply *reply)
{
    struct writer *writer = &redis->writer;
    uint32_t n = writer->n_sent;

    if (reply->type == REDIS_REPLY_ERROR) {
        not_appended(redis, reply->str);
        return;
    }
    if (!is_append_reply(reply, n)) {
        carrier_fail(redis,
                     "Redis returned an unexpected reply to the script that appends events");
        return;
    }
    writer->n_sent = 0;
    writer->n_attempts = 0;
    writer->is_script_known = true;
    target_worked(servers_target(redis)); /* and is not a replica */
    batch_limit_passed(&writer->batch, n, 0);
    for (uint32_t i = 0; i < n; i++)
        settle(redis, (uint64_t)reply->element[i]->integer);
    carrier_report_state(redis, true, "connected");
}

void writer_give_up(struct ws_redis *redis)
{
    struct pending *pending;

    while ((pending = queue_pop(&redis->queue)) != NULL) {
        ws_manager_cluster_stored(redis->manager, pending->receipt, WS_ERR_CLOSED, 0);
        memory_free(&redis->memory, pending);
    }
}

uint64_t writer_deadline(struct ws_redis *redis)
{
    bool is_empty;

    lock_acquire(&redis->lock);
    is_empty = redis->queue.first == NULL;
    lock_release(&redis->lock);
    return carrier_is_up(redis) && redis->writer.n_sent == 0 && !is_empty
               ? redis->writer.retry_ms
               : WS_NO_DEADLINE;
}
