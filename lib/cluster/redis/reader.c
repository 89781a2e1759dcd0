/* reader.c: reads new events from the stream and delivers them to the manager. Each XREAD is
 * followed by a request for the epoch: if that is still the current one, the events belong to
 * it. If the server could be demoted, ROLE is sent too. Not here: the events before the
 * reader's start (load.c). */
#include "cluster/redis/carrier.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/redis/entry.h"

static void report_skipped(struct ws_redis *redis, uint64_t position)
{
    char text[LINK_ERROR_SIZE];

    snprintf(text, sizeof text,
             "skipped the event at position %" PRIu64
             ": reading it ended the connection each time",
             position);
    carrier_report_state(redis, true, text);
}

void reader_begin(struct ws_redis *redis, uint64_t position, enum load_purpose purpose)
{
    struct reader *reader = &redis->reader;

    if (strcmp(reader->epoch, redis->session.epoch) != 0) {
        load_begin(redis, position, purpose);
    } else if (batch_limit_is_hopeless(&reader->page, reader->position)) {
        report_skipped(redis, reader->position + 1);
        load_nothing(redis, reader->position + 1);
    } else {
        carrier_enter_stage(redis, STAGE_READING);
        carrier_report_state(redis, true, "connected");
    }
}

static void drop_entries(struct reader *reader)
{
    if (reader->entries != NULL)
        freeReplyObject(reader->entries);
    reader->entries = NULL;
    reader->n_delivered = 0;
}

void reader_end(struct ws_redis *redis)
{
    drop_entries(&redis->reader);
    load_end(redis);
    restore_end(redis);
    redis->reader.is_waiting = false;
    redis->reader.n_outdated = 0;
    redis->reader.retry_ms = 0;
}

/* A request for events that do not exist yet cannot have been too large. A page that is outstanding
 * although loading has ended precedes all later replies: it is what failed. */
void reader_failed(struct ws_redis *redis, bool was_cut)
{
    struct reader *reader = &redis->reader;

    if (redis->session.stage == STAGE_LOADING || reader->n_outdated > 0)
        load_failed(redis, was_cut);
    else if (redis->session.stage == STAGE_RESTORING)
        restore_failed(redis, was_cut);
    else if (redis->session.stage == STAGE_READING && reader->is_waiting &&
             reader->expects_some)
        batch_limit_failed(&reader->page, reader->page.events, reader->position, was_cut);
}

/* --- replies ---------------------------------------------------------------------------------- */

void reader_read(struct ws_redis *redis, redisReply *reply)
{
    struct reader *reader = &redis->reader;
    redisReply *stream = entry_take(reply, 0);
    size_t bytes = 0;

    if (stream == NULL) /* no event was added within LINK_BLOCK_MS */
        return;
    reader->entries = entry_take(stream, 1);
    freeReplyObject(stream);
    if (reader->entries == NULL)
        return;
    for (size_t i = 0; i < reader->entries->elements; i++)
        bytes += entry_bytes(reader->entries->element[i]);
    batch_limit_passed(&reader->page, reader->entries->elements, bytes);
}

/* True if the epoch is that of this session and the stream is not shorter than what was read. */
static bool is_continuation(const struct ws_redis *redis, const redisReply *epoch,
                            const redisReply *position)
{
    return epoch->type == REDIS_REPLY_STRING && position->type == REDIS_REPLY_STRING &&
           strcmp(epoch->str, redis->session.epoch) == 0 &&
           strtoull(position->str, NULL, 10) >= redis->reader.position;
}

void reader_state(struct ws_redis *redis, const redisReply *reply)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
        !is_continuation(redis, reply->element[0], reply->element[1])) {
        carrier_fail(redis, "the stream in Redis was replaced or deleted");
        return;
    }
    lock_acquire(&redis->lock);
    redis->session.position = strtoull(reply->element[1]->str, NULL, 10);
    lock_release(&redis->lock);
    redis->reader.is_waiting = false;
    if (redis->reader.entries == NULL && redis->reader.expects_some)
        load_begin(redis, LOAD_NEWEST, LOAD_NEW); /* the stream was trimmed: they are gone */
}

/* --- delivery --------------------------------------------------------------------------------- */

static void advance(struct ws_redis *redis, uint64_t position, const char *nonce, uint64_t n)
{
    lock_acquire(&redis->lock);
    redis->reader.position = position;
    redis->counters.delivered += n;
    lock_release(&redis->lock);
    snprintf(redis->reader.nonce, sizeof redis->reader.nonce, "%s", nonce);
    carrier_note_stored(redis, position, nonce);
    redis->session.n_attempts = 0;
}

/* Delivers entries until the manager takes no more. False if an event is missing. */
static bool deliver(struct ws_redis *redis)
{
    struct reader *reader = &redis->reader;
    uint64_t position = reader->position;
    const char *nonce = "";
    ws_cluster_event event;
    int result = WS_OK;

    while (result == WS_OK && reader->n_delivered < reader->entries->elements) {
        const char *next;

        entry_read(reader->entries->element[reader->n_delivered], &event, &next);
        result = event.position == position + 1
                     ? ws_manager_cluster_deliver(redis->manager, &event)
                     : WS_ERR_INVALID;
        if (result != WS_OK)
            break;
        position++;
        nonce = next;
        trail_add(&reader->trail, nonce);
        reader->n_delivered++;
    }
    if (position > reader->position)
        advance(redis, position, nonce, position - reader->position);
    if (result == WS_OK)
        drop_entries(reader);
    else
        reader->retry_ms = redis->now_ms + RETRY_MS;
    return result != WS_ERR_INVALID;
}

static bool ask(struct ws_redis *redis)
{
    struct command *command = &redis->command;
    char count[NUMBER_SIZE];
    char block[NUMBER_SIZE];
    char after[2 * NUMBER_SIZE];

    redis->reader.expects_some = redis->session.position > redis->reader.position;
    snprintf(count, sizeof count, "%" PRIu32, redis->reader.page.events);
    snprintf(block, sizeof block, "%d", LINK_BLOCK_MS);
    snprintf(after, sizeof after, "%" PRIu64 "-%" PRIu64, redis->reader.position, UINT64_MAX);
    command->count = 0;
    command_add_text(command, "XREAD");
    command_add_text(command, "COUNT");
    command_add_text(command, count);
    command_add_text(command, "BLOCK");
    command_add_text(command, block);
    command_add_text(command, "STREAMS");
    command_add_text(command, redis->keys.events);
    command_add_text(command, after);
    if (!link_send(&redis->reading, REQUEST_READ, command, redis->now_ms))
        return false;
    if (redis->reader.page.events == 1)
        link_may_take_long(&redis->reading);
    if (servers_check_role(redis) && !servers_ask_role(redis, &redis->reading))
        return false;
    command->count = 0;
    command_add_text(command, "HMGET");
    command_add_text(command, redis->keys.state);
    command_add_text(command, "epoch");
    command_add_text(command, "position");
    return link_send(&redis->reading, REQUEST_STATE, command, redis->now_ms);
}

void reader_run(struct ws_redis *redis)
{
    struct reader *reader = &redis->reader;

    load_run(redis);
    if (redis->session.stage == STAGE_STARTING)
        load_start(redis);
    if (redis->session.stage != STAGE_READING || reader->is_waiting ||
        redis->now_ms < reader->retry_ms)
        return;
    if (reader->entries != NULL && !deliver(redis)) {
        drop_entries(reader);
        load_begin(redis, LOAD_NEWEST, LOAD_NEW);
        return;
    }
    if (reader->entries != NULL)
        return;
    reader->is_waiting = true;
    if (!ask(redis))
        carrier_fail(redis, redis->reading.error);
}

uint64_t reader_deadline(const struct ws_redis *redis)
{
    bool is_held = redis->session.stage == STAGE_STARTING ||
                   (redis->reader.entries != NULL && !redis->reader.is_waiting);

    if (redis->session.stage == STAGE_LOADING)
        return load_deadline(redis);
    return is_held ? redis->reader.retry_ms : WS_NO_DEADLINE;
}
