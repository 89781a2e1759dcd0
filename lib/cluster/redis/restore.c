/* restore.c: reads what rooms have kept, before the manager starts: it may be older than
 * anything in the stream. It is read after the stream's events, page by page: whatever changes
 * meanwhile is then behind the position at which the manager starts, and comes with later
 * events. Nothing reads it later, so that it is waited for as long as data arrive (link_check()).
 * Not here: keeping it (scripts.c). */
#include "cluster/redis/carrier.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/redis/entry.h"
#include "cluster/redis/scripts.h"

enum {
    RESTORE_MAX_BYTES = 256 << 20 /* the oldest values are dropped above this */
};

struct restored_value {
    redisReply *field; /* ROOM\nTYPE\n… */
    redisReply *value; /* POSITION BYTES EVENT */
};

void restore_end(struct ws_redis *redis)
{
    struct restored *restored = &redis->reader.restored;

    for (size_t i = 0; i < restored->count; i++) {
        freeReplyObject(restored->values[i].field);
        freeReplyObject(restored->values[i].value);
    }
    memory_free(&redis->memory, restored->values);
    restored->values = NULL;
    restored->count = restored->capacity = restored->bytes = 0;
}

static void ask(struct ws_redis *redis)
{
    const struct restored *restored = &redis->reader.restored;
    struct command *command = &redis->command;
    char after[NUMBER_SIZE];
    char until[NUMBER_SIZE];
    char bytes[NUMBER_SIZE];

    snprintf(after, sizeof after, "%" PRIu64, restored->after);
    snprintf(until, sizeof until, "%" PRIu64, restored->until);
    snprintf(bytes, sizeof bytes, "%" PRIu64, (uint64_t)restored->kibibytes.events * 1024);
    command_script(redis, script_values, "3");
    command_add_text(command, redis->keys.state);
    command_add_text(command, redis->keys.values[VALUES]);
    command_add_text(command, redis->keys.values[VALUES_ORDER]);
    command_add_text(command, after);
    command_add_text(command, until);
    command_add_text(command, bytes);
    if (!link_send(&redis->reading, REQUEST_VALUES, command, redis->now_ms))
        carrier_fail(redis, redis->reading.error);
    else if (restored->kibibytes.events == 1)
        link_may_take_long(&redis->reading);
}

/* The manager starts without the values that are left. */
static void give_up(struct ws_redis *redis, const char *why)
{
    carrier_report_state(redis, true, why);
    carrier_enter_stage(redis, STAGE_STARTING);
}

void restore_begin(struct ws_redis *redis, uint64_t until)
{
    struct restored *restored = &redis->reader.restored;

    restore_end(redis);
    restored->after = 0;
    restored->until = until;
    if (until == 0) {
        carrier_enter_stage(redis, STAGE_STARTING);
        return;
    }
    if (batch_limit_is_hopeless(&restored->kibibytes, restored->cut_at)) {
        give_up(redis, "reading the kept values of rooms ended the connection each time; "
                       "starting without them");
        return;
    }
    carrier_enter_stage(redis, STAGE_RESTORING);
    ask(redis);
}

void restore_failed(struct ws_redis *redis, bool was_cut)
{
    struct restored *restored = &redis->reader.restored;

    restored->cut_at = restored->after;
    batch_limit_failed(&restored->kibibytes, restored->kibibytes.events, restored->after,
                       was_cut);
}

static bool is_text(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING;
}

static size_t bytes_of(const struct restored_value *value)
{
    return value->field->len + value->value->len;
}

static void drop_oldest(struct restored *restored, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        restored->bytes -= bytes_of(&restored->values[i]);
        freeReplyObject(restored->values[i].field);
        freeReplyObject(restored->values[i].value);
    }
    restored->count -= n;
    memmove(restored->values, restored->values + n, restored->count * sizeof *restored->values);
}

static void keep_to_limit(struct restored *restored)
{
    size_t bytes = restored->bytes;
    size_t n = 0;

    while (n < restored->count && bytes > RESTORE_MAX_BYTES)
        bytes -= bytes_of(&restored->values[n++]);
    if (n > 0)
        drop_oldest(restored, n);
}

/* Takes the field and the value at `at` out of the page. False if memory ran out. */
static bool take(struct ws_redis *redis, redisReply *page, size_t at)
{
    struct restored *restored = &redis->reader.restored;
    struct restored_value *grown = memory_grow(&redis->memory, restored->values, sizeof *grown,
                                               restored->count, 64, &restored->capacity);

    if (grown == NULL)
        return false;
    restored->values = grown;
    restored->values[restored->count] =
        (struct restored_value){entry_take(page, at), entry_take(page, at + 1)};
    restored->bytes += bytes_of(&restored->values[restored->count++]);
    return true;
}

/* Takes the values of a page. False if memory ran out. */
static bool take_page(struct ws_redis *redis, redisReply *page)
{
    for (size_t i = 2; i + 1 < page->elements; i += 2)
        if (is_text(page->element[i]) && is_text(page->element[i + 1]) && !take(redis, page, i))
            return false;
    return true;
}

/* Errors that concern the values alone: missing rights, or keys that another program has
 * written. */
static bool is_of_values(const char *why)
{
    static const char *const texts[] = {"NOPERM", "can't run this command", "can't access",
                                        "WRONGTYPE"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strstr(why, texts[i]) != NULL)
            return true;
    return false;
}

static bool is_page(const struct ws_redis *redis, const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements >= 2 &&
           is_text(reply->element[0]) && is_text(reply->element[1]) &&
           strcmp(reply->element[0]->str, redis->session.epoch) == 0;
}

void restore_page(struct ws_redis *redis, redisReply *page)
{
    struct restored *restored = &redis->reader.restored;
    uint64_t next;

    if (page->type == REDIS_REPLY_ERROR && is_of_values(page->str)) {
        give_up(redis, page->str);
        return;
    }
    if (!is_page(redis, page)) {
        carrier_fail(redis, page->type == REDIS_REPLY_ERROR
                                ? page->str
                                : "the stream in Redis was replaced or deleted");
        return;
    }
    next = strtoull(page->element[1]->str, NULL, 10);
    if (!take_page(redis, page)) {
        carrier_fail(redis, "out of memory while reading the kept values of rooms");
        return;
    }
    keep_to_limit(restored);
    if (next <= restored->after) { /* "": the last page */
        carrier_enter_stage(redis, STAGE_STARTING);
        return;
    }
    batch_limit_passed(&restored->kibibytes, restored->kibibytes.events, 0);
    restored->after = next;
    ask(redis);
}

/* The texts point into the replies, where the room's name gets its NUL. */
static ws_cluster_event read_value(struct restored_value *value)
{
    ws_cluster_event event = {
        .size = sizeof event, .scope = WS_SCOPE_ROOM, .target = value->field->str};
    char *end = memchr(value->field->str, '\n', value->field->len);
    char *at;

    if (end != NULL)
        *end = '\0';
    event.position = strtoull(value->value->str, &at, 10);
    strtoull(at, &at, 10); /* its bytes */
    if (*at == ' ') {
        event.text = at + 1;
        event.length = value->value->len - (size_t)(at + 1 - value->value->str);
    }
    return event;
}

static int compare_positions(const void *left, const void *right)
{
    uint64_t a = ((const ws_cluster_event *)left)->position;
    uint64_t b = ((const ws_cluster_event *)right)->position;

    return (a > b) - (a < b);
}

/* Sorts the events by their positions, and leaves out those that were read twice. */
static size_t sort(ws_cluster_event *events, size_t n)
{
    size_t n_left = 0;

    qsort(events, n, sizeof *events, compare_positions);
    for (size_t i = 0; i < n; i++)
        if (events[i].position > (n_left > 0 ? events[n_left - 1].position : 0))
            events[n_left++] = events[i];
    return n_left;
}

bool restore_list(struct ws_redis *redis, ws_cluster_event **events, size_t *n_events)
{
    struct restored *restored = &redis->reader.restored;

    *events = NULL;
    *n_events = 0;
    if (restored->count == 0)
        return true;
    *events = memory_alloc(&redis->memory, restored->count * sizeof **events);
    if (*events == NULL)
        return false;
    for (size_t i = 0; i < restored->count; i++)
        (*events)[i] = read_value(&restored->values[i]);
    *n_events = sort(*events, restored->count);
    return true;
}
