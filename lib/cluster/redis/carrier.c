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

bool ask_range(struct ws_redis *redis, struct link *link, enum request_kind kind,
               const char *how, const char *from, const char *to, uint32_t max)
{
    struct command *command = &redis->command;
    char digits[NUMBER_SIZE];

    snprintf(digits, sizeof digits, "%" PRIu32, max);
    command_script(redis, script_range, "2");
    command_add_text(command, redis->keys.state);
    command_add_text(command, redis->keys.events);
    command_add_text(command, redis->session.epoch);
    command_add_text(command, how);
    command_add_text(command, from);
    command_add_text(command, to);
    command_add_text(command, digits);
    if (link_send(link, kind, command, redis->now_ms))
        return true;
    session_end(redis, link->error);
    return false;
}
