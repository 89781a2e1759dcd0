/* session.c: reaching Redis, leaving it, coming back. A session is two connections, one on which
 * the reader may wait, and one for everything else; it ends when anything is wrong with either. */
#include "cluster/redis/carrier.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "cluster/redis/scripts.h"

bool session_is_up(const struct ws_redis *redis)
{
    return redis->session.stage == STAGE_READING;
}

void session_tell(struct ws_redis *redis, bool connected, const char *text)
{
    struct session *session = &redis->session;
    char told[LINK_ERROR_SIZE];

    snprintf(told, sizeof told, "%s", text); /* an error of Redis may be longer */
    if (session->told_connected == connected && strcmp(session->told, told) == 0)
        return;
    session->told_connected = connected;
    memcpy(session->told, told, sizeof told);
    if (redis->options.on_state != NULL)
        redis->options.on_state(connected, session->told, redis->options.user_data);
}

void session_enter(struct ws_redis *redis, enum stage stage)
{
    pthread_mutex_lock(&redis->lock);
    redis->session.stage = stage;
    pthread_mutex_unlock(&redis->lock);
}

/* --- the end -------------------------------------------------------------------------------------- */

/* Twice as long for each attempt, half of it by chance (xorshift). */
uint64_t backoff_ms(struct ws_redis *redis, uint32_t *n_attempts)
{
    uint64_t wait_ms = BACKOFF_MIN_MS;

    for (uint32_t i = 0; i < *n_attempts && wait_ms < BACKOFF_MAX_MS; i++)
        wait_ms *= 2;
    if (wait_ms > BACKOFF_MAX_MS)
        wait_ms = BACKOFF_MAX_MS;
    ++*n_attempts;
    redis->random ^= redis->random << 13;
    redis->random ^= redis->random >> 7;
    redis->random ^= redis->random << 17;
    return wait_ms / 2 + redis->random % (wait_ms / 2 + 1);
}

void session_close(struct ws_redis *redis)
{
    session_enter(redis, STAGE_AWAY);
    link_close(&redis->reading);
    link_close(&redis->writing);
    reader_end(redis);
    writer_end(redis);
    fetches_end(redis);
    nodes_end(redis);
}

void session_end(struct ws_redis *redis, const char *text)
{
    struct session *session = &redis->session;
    char why[LINK_ERROR_SIZE];

    snprintf(why, sizeof why, "%s", text); /* it may be a link's or a reply's */
    session_close(redis);
    session->retry_ms = redis->now_ms + backoff_ms(redis, &session->n_attempts);
    count(redis, &redis->counters.failures, 1);
    session_tell(redis, false, why);
}

/* --- the beginning -------------------------------------------------------------------------------- */

static bool greet(struct ws_redis *redis, struct link *link)
{
    const struct uri *uri = &redis->uri;
    const char *const with_user[] = {"AUTH", uri->user, uri->password, NULL};
    const char *const without_user[] = {"AUTH", uri->password, NULL};
    const char *const select[] = {"SELECT", uri->database, NULL};

    if (uri->password != NULL && !send_texts(redis, link, REQUEST_GREETING,
                                             uri->user != NULL ? with_user : without_user))
        return false;
    return uri->database == NULL || send_texts(redis, link, REQUEST_GREETING, select);
}

static bool attach(struct ws_redis *redis)
{
    const struct known *known = &redis->known;
    char position[NUMBER_SIZE];
    char epoch[WS_EPOCH_SIZE];

    if (ws_cluster_new_epoch(epoch) != WS_OK)
        return false;
    snprintf(position, sizeof position, "%" PRIu64, known->position);
    command_script(redis, script_attach, "2");
    command_add_text(&redis->command, redis->keys.state);
    command_add_text(&redis->command, redis->keys.events);
    command_add_text(&redis->command, epoch);
    command_add_text(&redis->command, known->epoch);
    command_add_text(&redis->command, position);
    command_add_text(&redis->command, known->nonce);
    return link_send(&redis->reading, REQUEST_ATTACH, &redis->command, redis->now_ms);
}

static bool draw_nonce(struct session *session)
{
    uint64_t number;

    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
        return false;
    snprintf(session->nonce, sizeof session->nonce, "%" PRIu64, number);
    return true;
}

void session_begin(struct ws_redis *redis)
{
    struct session *session = &redis->session;
    struct link *failed = NULL;

    if (session->stage != STAGE_AWAY || redis->now_ms < session->retry_ms)
        return;
    session_enter(redis, STAGE_ATTACHING);
    if (!link_open(&redis->writing, &redis->uri, 0) || !greet(redis, &redis->writing))
        failed = &redis->writing;
    else if (!link_open(&redis->reading, &redis->uri, BLOCK_MS) ||
             !greet(redis, &redis->reading) || !draw_nonce(session) || !attach(redis))
        failed = &redis->reading;
    if (failed != NULL)
        session_end(redis, failed->error);
}

void session_attached(struct ws_redis *redis, const redisReply *reply)
{
    struct session *session = &redis->session;

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3 ||
        reply->element[0]->type != REDIS_REPLY_STRING ||
        reply->element[0]->len != WS_EPOCH_SIZE - 1 ||
        reply->element[1]->type != REDIS_REPLY_INTEGER || reply->element[1]->integer < 0 ||
        reply->element[2]->type != REDIS_REPLY_STRING) {
        session_end(redis, "the keys hold something else");
        return;
    }
    pthread_mutex_lock(&redis->lock);
    memcpy(session->epoch, reply->element[0]->str, WS_EPOCH_SIZE);
    session->position = (uint64_t)reply->element[1]->integer;
    redis->counters.sessions++;
    pthread_mutex_unlock(&redis->lock);
    if (strcmp(redis->known.epoch, session->epoch) == 0)
        know(redis, session->position, reply->element[2]->str);
    reader_begin(redis);
}
