/* carrier.c: what several of the files need that a ws_redis is made of. */
#include "cluster/redis/carrier.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cluster/redis/scripts.h"

void count(struct ws_redis *redis, uint64_t *counter, uint64_t n)
{
    pthread_mutex_lock(&redis->lock);
    *counter += n;
    pthread_mutex_unlock(&redis->lock);
}

void know(struct ws_redis *redis, uint64_t position, const char *nonce)
{
    struct known *known = &redis->known;

    if (position < known->position)
        return;
    known->position = position;
    snprintf(known->nonce, sizeof known->nonce, "%s", nonce);
}

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

bool send_texts(struct ws_redis *redis, struct link *link, enum request_kind kind,
                const char *const *texts)
{
    redis->command.count = 0;
    for (; *texts != NULL; texts++)
        command_add_text(&redis->command, *texts);
    return link_send(link, kind, &redis->command, redis->now_ms);
}

bool ask_range(struct ws_redis *redis, struct link *link, enum request_kind kind,
               const char *how, const char *from, const char *to, uint32_t max)
{
    const struct keys *keys = &redis->keys;
    char digits[NUMBER_SIZE];
    const char *const multi[] = {"MULTI", NULL};
    const char *const range[] = {how, keys->events, from, to, "COUNT", digits, NULL};
    const char *const epoch[] = {"HGET", keys->state, "epoch", NULL};
    const char *const exec[] = {"EXEC", NULL};

    snprintf(digits, sizeof digits, "%" PRIu32, max);
    if (send_texts(redis, link, REQUEST_QUEUED, multi) &&
        send_texts(redis, link, REQUEST_QUEUED, range) &&
        send_texts(redis, link, REQUEST_QUEUED, epoch) && send_texts(redis, link, kind, exec))
        return true;
    session_end(redis, link->error);
    return false;
}

redisReply *range_of(struct ws_redis *redis, const redisReply *reply)
{
    const redisReply *epoch =
        reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 ? reply->element[1] : NULL;

    if (epoch != NULL && epoch->type == REDIS_REPLY_STRING &&
        strcmp(epoch->str, redis->session.epoch) == 0 &&
        reply->element[0]->type == REDIS_REPLY_ARRAY)
        return reply->element[0];
    session_end(redis, "the stream is another one");
    return NULL;
}
