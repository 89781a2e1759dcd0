/* nodes.c: the list of processes (nodes). With each heartbeat a process writes its figures to
 * Redis and reads the figures of all others. The figures of a process that is gone expire by
 * Redis' clock. Not here: the scripts (scripts.c). */
#include "cluster/redis/carrier.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json_text.h"
#include "cluster/redis/scripts.h"

enum { MISSED_HEARTBEATS = 3, LISTS_SKIPPED = 720, ROOMS_MAX_BYTES = 256 << 10, N_MEMBERS = 3 };

static const char *const member_names[N_MEMBERS] = {"total_connections", "unique_users",
                                                    "rooms"};

enum member { TOTAL_CONNECTIONS, UNIQUE_USERS, ROOMS };

/* --- this node -------------------------------------------------------------------------------- */

static char *describe(struct ws_redis *redis, size_t *length)
{
    struct json_slice values[N_MEMBERS];
    struct buffer buffer;
    size_t stats_length;
    char *stats;

    if (ws_manager_get_stats_within(redis->manager, ROOMS_MAX_BYTES, &stats, &stats_length) !=
        WS_OK)
        return NULL;
    buffer_init(&buffer, &redis->memory);
    if (json_members(stats, stats_length, member_names, values, N_MEMBERS)) {
        if (values[ROOMS].text[0] != '{') /* null: the rooms exceed ROOMS_MAX_BYTES */
            values[ROOMS] = (struct json_slice){"{}", 2};
        for (size_t i = 0; i < N_MEMBERS; i++) {
            buffer_add_text(&buffer, i == 0 ? "{\"" : ",\"");
            buffer_add_text(&buffer, member_names[i]);
            buffer_add_text(&buffer, "\":");
            buffer_add(&buffer, values[i].text, values[i].length);
        }
        buffer_add_text(&buffer, "}");
    }
    ws_manager_free_text(redis->manager, stats);
    return buffer_take(&buffer, length);
}

void nodes_run(struct ws_redis *redis)
{
    uint64_t interval_ms = redis->options.heartbeat_interval_ms;
    struct command *command = &redis->command;
    char expiry_ms[NUMBER_SIZE];
    size_t length;
    char *text;
    bool sent;

    if (!carrier_is_up(redis) || redis->now_ms < redis->heartbeat_ms)
        return;
    redis->heartbeat_ms = redis->now_ms + interval_ms;
    text = redis->awaits_heartbeat ? NULL : describe(redis, &length);
    if (text == NULL)
        return;
    snprintf(expiry_ms, sizeof expiry_ms, "%" PRIu64, MISSED_HEARTBEATS * interval_ms);
    command_script(redis, script_heartbeat, "2");
    command_add_text(command, redis->keys.nodes);
    command_add_text(command, redis->keys.expiries);
    command_add_text(command, redis->node);
    command_add(command, text, length);
    command_add_text(command, expiry_ms);
    command_add_text(command, redis->heartbeat_digest);
    sent = link_send(&redis->writing, REQUEST_HEARTBEAT, command, redis->now_ms);
    memory_free(&redis->memory, text);
    redis->awaits_heartbeat = sent;
    if (!sent)
        carrier_fail(redis, redis->writing.error);
}

void nodes_end(struct ws_redis *redis)
{
    redis->awaits_heartbeat = false;
    buffer_free(&redis->listing.packed);
    buffer_init(&redis->listing.packed, &redis->memory);
}

void nodes_leave(struct ws_redis *redis)
{
    const char *const no_text[] = {"HDEL", redis->keys.nodes, redis->node, NULL};
    const char *const no_expiry[] = {"ZREM", redis->keys.expiries, redis->node, NULL};

    if (carrier_is_up(redis) &&
        carrier_send_texts(redis, &redis->writing, REQUEST_GREETING, no_text) &&
        carrier_send_texts(redis, &redis->writing, REQUEST_GREETING, no_expiry))
        link_flush(&redis->writing);
}

/* --- all nodes -------------------------------------------------------------------------------- */

struct room {
    char *name; /* owned */
    uint64_t members;
};

struct sum {
    struct ws_redis *redis;
    struct buffer text;
    uint64_t total_connections;
    struct room *rooms;
    size_t n_rooms;
    size_t capacity;
};

/* Returns 0 if the value is absent or not a non-negative integer. */
static uint64_t number_of(struct json_slice value)
{
    char *end;
    uint64_t number;

    if (value.text == NULL || value.text[0] < '0' || value.text[0] > '9')
        return 0;
    number = strtoull(value.text, &end, 10);
    return end == value.text + value.length ? number : 0;
}

static bool add_room(struct sum *sum, struct json_slice name, uint64_t members)
{
    struct room *grown = memory_grow(&sum->redis->memory, sum->rooms, sizeof *grown,
                                     sum->n_rooms, 64, &sum->capacity);
    char *text;

    if (grown == NULL)
        return false;
    sum->rooms = grown;
    if (!json_string(&sum->redis->memory, name, &text))
        return false;
    if (text != NULL)
        sum->rooms[sum->n_rooms++] = (struct room){text, members};
    return true;
}

/* False if memory ran out. */
static bool add_rooms(struct sum *sum, struct json_slice rooms)
{
    struct json_walk walk;
    struct json_slice name;
    struct json_slice value;

    if (rooms.text == NULL || !json_walk_begin(&walk, rooms.text, rooms.length))
        return true;
    while (json_walk_next(&walk, &name, &value)) {
        uint64_t members = number_of(value);

        if (members > 0 && members <= UINT32_MAX && !add_room(sum, name, members))
            return false;
    }
    return true;
}

/* Adds a node to the sum. Skips a node whose text is not valid. False if memory ran out. */
static bool add_node(struct sum *sum, struct json_slice name, struct json_slice text)
{
    struct json_slice values[N_MEMBERS];

    if (!json_valid(text.text, text.length, JSON_MAX_DEPTH) ||
        !json_members(text.text, text.length, member_names, values, N_MEMBERS))
        return true;
    if (sum->text.data[sum->text.length - 1] != '{')
        buffer_add_text(&sum->text, ",");
    buffer_add_json_string(&sum->text, name.text, name.length);
    buffer_add_text(&sum->text, ":");
    buffer_add(&sum->text, text.text, text.length);
    sum->total_connections += number_of(values[TOTAL_CONNECTIONS]);
    return add_rooms(sum, values[ROOMS]) && !sum->text.failed;
}

static int compare_rooms(const void *a, const void *b)
{
    return strcmp(((const struct room *)a)->name, ((const struct room *)b)->name);
}

static void write_rooms(struct sum *sum)
{
    if (sum->n_rooms > 0)
        qsort(sum->rooms, sum->n_rooms, sizeof *sum->rooms, compare_rooms);
    for (size_t i = 0; i < sum->n_rooms;) {
        const char *name = sum->rooms[i].name;
        uint64_t members = 0;

        buffer_add_text(&sum->text, i > 0 ? "," : "");
        for (; i < sum->n_rooms && strcmp(sum->rooms[i].name, name) == 0; i++)
            members += sum->rooms[i].members;
        buffer_add_json_string(&sum->text, name, strlen(name));
        buffer_add_text(&sum->text, ":");
        buffer_add_number(&sum->text, members);
    }
}

/* Appends a text, with its length before it. */
static void pack(struct buffer *packed, const redisReply *text)
{
    const size_t length = text->len;

    buffer_add(packed, &length, sizeof length);
    buffer_add(packed, text->str, length);
}

static struct json_slice unpack(const char **at)
{
    struct json_slice text;

    memcpy(&text.length, *at, sizeof text.length);
    text.text = *at + sizeof text.length;
    *at = text.text + text.length;
    return text;
}

static char *sum_up(struct sum *sum, const struct buffer *packed, size_t *length)
{
    const char *at = packed->data;
    const char *end = packed->length > 0 ? at + packed->length : at;
    bool is_whole = true;

    buffer_add_text(&sum->text, "{\"nodes\":{");
    while (at < end && is_whole && !sum->text.failed) {
        struct json_slice name = unpack(&at);
        struct json_slice text = unpack(&at);

        is_whole = add_node(sum, name, text);
    }
    if (!is_whole)
        return NULL;
    buffer_add_text(&sum->text, "},\"total_connections\":");
    buffer_add_number(&sum->text, sum->total_connections);
    buffer_add_text(&sum->text, ",\"rooms\":{");
    write_rooms(sum);
    buffer_add_text(&sum->text, "}}");
    return buffer_take(&sum->text, length);
}

/* Returns the JSON text for all nodes; NULL if memory ran out. */
static char *merge(struct ws_redis *redis, const struct buffer *packed, size_t *length)
{
    struct sum sum = {.redis = redis};
    char *text;

    buffer_init(&sum.text, &redis->memory);
    text = sum_up(&sum, packed, length);
    for (size_t i = 0; i < sum.n_rooms; i++)
        memory_free(&redis->memory, sum.rooms[i].name);
    memory_free(&redis->memory, sum.rooms);
    buffer_free(&sum.text);
    return text;
}

/* --- reading the list ------------------------------------------------------------------------- */

void nodes_failed(struct ws_redis *redis, bool was_cut)
{
    struct batch_limit *kibibytes = &redis->listing.kibibytes;

    if (redis->awaits_heartbeat)
        batch_limit_failed(kibibytes, kibibytes->events, 0, was_cut);
}

/* If the text of a single node ends the connection each time, requesting the list would end every
 * session. The list is then requested only once in LISTS_SKIPPED heartbeats. */
static bool is_skipped(struct listing *listing)
{
    if (!batch_limit_is_hopeless(&listing->kibibytes, 0))
        return false;
    listing->n_skipped = (listing->n_skipped + 1) % LISTS_SKIPPED;
    return listing->n_skipped != 0;
}

static void ask(struct ws_redis *redis, const char *name, size_t length)
{
    struct command *command = &redis->command;
    char bytes[NUMBER_SIZE];

    snprintf(bytes, sizeof bytes, "%" PRIu64, (uint64_t)redis->listing.kibibytes.events * 1024);
    command_script(redis, script_nodes, "1");
    command_add_text(command, redis->keys.nodes);
    command_add(command, name, length);
    command_add_text(command, bytes);
    if (!link_send(&redis->writing, REQUEST_NODES, command, redis->now_ms))
        carrier_fail(redis, redis->writing.error);
}

/* Tells the host once, beside the state. */
static void note_shared(struct ws_redis *redis)
{
    char line[LINK_ERROR_SIZE];

    if (redis->is_node_shared)
        return;
    redis->is_node_shared = true;
    snprintf(line, sizeof line, "set a different `node`: another process also uses \"%s\"",
             redis->node);
    if (redis->options.on_state != NULL)
        redis->options.on_state(true, line, redis->options.user_data);
}

/* The digest of what was written, and whether what was there was not what this process wrote. */
static void note_written(struct ws_redis *redis, const redisReply *reply)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
        reply->element[0]->type != REDIS_REPLY_STRING)
        return;
    snprintf(redis->heartbeat_digest, sizeof redis->heartbeat_digest, "%s",
             reply->element[0]->str);
    if (reply->element[1]->type == REDIS_REPLY_INTEGER && reply->element[1]->integer == 1)
        note_shared(redis);
}

void nodes_beat(struct ws_redis *redis, const redisReply *reply)
{
    if (reply->type != REDIS_REPLY_ERROR)
        target_worked(servers_target(redis)); /* and is not a replica */
    note_written(redis, reply);
    if (is_skipped(&redis->listing))
        redis->awaits_heartbeat = false;
    else
        ask(redis, "", 0);
}

/* Stores a part of the list. It is summed up only in ws_redis_get_nodes(): at each heartbeat, that
 * would delay the loop without need. False if memory ran out or the reply is
 * not a list. */
static bool add_part(struct ws_redis *redis, const redisReply *part)
{
    struct buffer *packed = &redis->listing.packed;

    if (part->type != REDIS_REPLY_ARRAY)
        return false;
    for (size_t i = 0; i + 1 < part->elements; i += 2) {
        const redisReply *name = part->element[i];
        const redisReply *text = part->element[i + 1];

        if (name->type == REDIS_REPLY_STRING && text->type == REDIS_REPLY_STRING) {
            pack(packed, name);
            pack(packed, text);
        }
    }
    return !packed->failed;
}

/* The name of the node with which the next part begins; NULL if this was the last part. The
 * list ends early when it is larger than a reply may be. */
static const redisReply *next_node(const struct ws_redis *redis, const redisReply *part)
{
    const redisReply *last = part->elements > 2 && part->elements % 2 == 1
                                 ? part->element[part->elements - 1]
                                 : NULL;

    if (last == NULL || last->type != REDIS_REPLY_STRING ||
        redis->listing.packed.length > redis->writing.reply_limit.max_bytes)
        return NULL;
    return last;
}

/* Replaces the former list. If memory ran out, the former list stays. */
static void finish(struct ws_redis *redis)
{
    size_t length;
    char *nodes = buffer_take(&redis->listing.packed, &length);
    char *former;

    if (nodes == NULL)
        return;
    lock_acquire(&redis->lock);
    former = redis->nodes;
    redis->nodes = nodes;
    redis->nodes_length = length;
    lock_release(&redis->lock);
    memory_free(&redis->memory, former);
}

void nodes_seen(struct ws_redis *redis, const redisReply *reply)
{
    struct batch_limit *kibibytes = &redis->listing.kibibytes;
    const redisReply *next = NULL;
    size_t length = redis->listing.packed.length;

    if (add_part(redis, reply)) {
        batch_limit_passed(kibibytes, kibibytes->events, 0);
        if (redis->listing.packed.length > length) /* a list without progress would never end */
            next = next_node(redis, reply);
        if (next == NULL) {
            batch_limit_forget(kibibytes, 0);
            finish(redis);
        }
    }
    if (next != NULL)
        ask(redis, next->str, next->len);
    else
        nodes_end(redis);
}

int ws_redis_get_nodes(ws_redis *redis, char **text, size_t *length)
{
    struct buffer packed;
    bool is_whole;

    if (redis == NULL || text == NULL)
        return WS_ERR_INVALID;
    buffer_init(&packed, &redis->memory);
    lock_acquire(&redis->lock);
    if (redis->nodes != NULL)
        buffer_add(&packed, redis->nodes, redis->nodes_length);
    lock_release(&redis->lock);
    is_whole = !packed.failed;
    *text = is_whole ? merge(redis, &packed, length) : NULL;
    buffer_free(&packed);
    return *text != NULL ? WS_OK : WS_ERR_NO_MEMORY;
}
