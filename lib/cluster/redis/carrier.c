/* carrier.c: functions that several files of a ws_redis need: its state and building commands. */
#include "cluster/redis/carrier.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* --- state ------------------------------------------------------------------------------------ */

void carrier_count(struct ws_redis *redis, uint64_t *counter, uint64_t n)
{
    lock_acquire(&redis->lock);
    *counter += n;
    lock_release(&redis->lock);
}

void carrier_note_stored(struct ws_redis *redis, uint64_t position, const char *nonce)
{
    struct known *known = &redis->known;

    if (position < known->position || (position == known->position && *nonce == '\0'))
        return;
    known->position = position;
    snprintf(known->nonce, sizeof known->nonce, "%s", nonce);
}

bool carrier_is_up(const struct ws_redis *redis)
{
    return redis->session.stage == STAGE_READING;
}

void carrier_enter_stage(struct ws_redis *redis, enum stage stage)
{
    lock_acquire(&redis->lock);
    redis->session.stage = stage;
    lock_release(&redis->lock);
}

void carrier_set_place(struct ws_redis *redis, const struct place *place)
{
    lock_acquire(&redis->lock);
    redis->session.place = *place;
    lock_release(&redis->lock);
}

void carrier_fail(struct ws_redis *redis, const char *text)
{
    struct session *session = &redis->session;

    if (session->stage == STAGE_AWAY || session->stage == STAGE_FAILED)
        return;
    snprintf(session->failure, sizeof session->failure, "%s", text);
    session->failed_in = session->stage;
    session->redirect = place_read_redirect(&session->elsewhere, text, &session->place);
    carrier_enter_stage(redis, STAGE_FAILED);
}

void carrier_report_state(struct ws_redis *redis, bool connected, const char *text)
{
    struct session *session = &redis->session;
    char line[LINK_ERROR_SIZE];

    /* An error of Redis may be longer, and may contain any character except the end of a line. */
    snprintf(line, sizeof line, "%s", text);
    utf8_make_line(line);
    if (session->reported_connected == connected && strcmp(session->reported, line) == 0)
        return;
    session->reported_connected = connected;
    memcpy(session->reported, line, sizeof line);
    if (redis->options.on_state != NULL)
        redis->options.on_state(connected, session->reported, redis->options.user_data);
}

/* --- commands --------------------------------------------------------------------------------- */

static void begin_script(struct ws_redis *redis, const char *how, const char *script,
                         const char *n_keys)
{
    redis->command.count = 0;
    command_add_text(&redis->command, how);
    command_add_text(&redis->command, script);
    command_add_text(&redis->command, n_keys);
}

void command_script(struct ws_redis *redis, const char *script, const char *n_keys)
{
    begin_script(redis, "EVAL", script, n_keys);
}

void command_known_script(struct ws_redis *redis, const char *digest, const char *n_keys)
{
    begin_script(redis, "EVALSHA", digest, n_keys);
}

bool carrier_send_texts(struct ws_redis *redis, struct link *link, enum request_kind kind,
                        const char *const *texts)
{
    redis->command.count = 0;
    for (; *texts != NULL; texts++)
        command_add_text(&redis->command, *texts);
    return link_send(link, kind, &redis->command, redis->now_ms);
}

bool carrier_ask_range(struct ws_redis *redis, struct link *link, enum request_kind kind,
                       const char *how, const char *from, const char *to, uint32_t max)
{
    const struct keys *keys = &redis->keys;
    char digits[NUMBER_SIZE];
    const char *const multi[] = {"MULTI", NULL};
    const char *const range[] = {how, keys->events, from, to, "COUNT", digits, NULL};
    const char *const epoch[] = {"HGET", keys->state, "epoch", NULL};
    const char *const exec[] = {"EXEC", NULL};

    snprintf(digits, sizeof digits, "%" PRIu32, max);
    if (carrier_send_texts(redis, link, REQUEST_MULTI, multi) &&
        carrier_send_texts(redis, link, REQUEST_QUEUED, range) &&
        carrier_send_texts(redis, link, REQUEST_QUEUED, epoch) &&
        carrier_send_texts(redis, link, kind, exec)) {
        if (max == 1)
            link_may_take_long(link);
        return true;
    }
    carrier_fail(redis, link->error);
    return false;
}

redisReply *carrier_range_of(struct ws_redis *redis, const redisReply *reply)
{
    const redisReply *epoch =
        reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 ? reply->element[1] : NULL;

    if (epoch != NULL && epoch->type == REDIS_REPLY_STRING &&
        strcmp(epoch->str, redis->session.epoch) == 0 &&
        reply->element[0]->type == REDIS_REPLY_ARRAY)
        return reply->element[0];
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
        reply->element[0]->type == REDIS_REPLY_ERROR)
        carrier_fail(redis, reply->element[0]->str);
    else
        carrier_fail(redis, "the stream in Redis was replaced or deleted");
    return NULL;
}
