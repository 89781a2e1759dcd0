/* sentinels.c: asks a sentinel which server is the master, once when a session begins, and
 * periodically after that whether it is still the same. Not here: what else determines the server
 * (servers.c). */
#include "cluster/redis/carrier.h"

#include <stdio.h>

enum {
    SENTINEL_TIMEOUT_MS = 1000, /* if the URI names other sentinels */
    ASK_AGAIN_MS = 1000
};

static bool ask(struct ws_redis *redis)
{
    const char *const texts[] = {"SENTINEL", "GET-MASTER-ADDR-BY-NAME", redis->uri.master,
                                 NULL};

    redis->servers.is_asking = true;
    redis->servers.ask_ms = redis->now_ms + ASK_AGAIN_MS;
    return carrier_send_texts(redis, &redis->asking, REQUEST_MASTER, texts);
}

static uint64_t timeout_ms(const struct ws_redis *redis)
{
    const struct uri *uri = &redis->uri;

    return uri->n_hosts > 1 && uri->timeout_ms > SENTINEL_TIMEOUT_MS ? SENTINEL_TIMEOUT_MS
                                                                     : uri->timeout_ms;
}

static bool open_sentinel(struct ws_redis *redis, const char *address)
{
    const struct uri *uri = &redis->uri;
    const char *const with_user[] = {"AUTH", uri->sentinel_user, uri->sentinel_password, NULL};
    const char *const without_user[] = {"AUTH", uri->sentinel_password, NULL};
    struct link *link = &redis->asking;

    if (!link_open(link, uri, servers_host(redis), address))
        return false;
    link->timeout_ms = timeout_ms(redis);
    return uri->sentinel_password == NULL ||
           carrier_send_texts(redis, link, REQUEST_SENTINEL,
                              uri->sentinel_user != NULL ? with_user : without_user);
}

void sentinel_ask(struct ws_redis *redis)
{
    struct target *target = servers_host_target(redis);
    struct link *link = &redis->asking;

    if (link->context != NULL) {
        if (!ask(redis))
            sentinel_failed(redis, link->error);
        return;
    }
    link_close(link); /* a lost connection may have left a request without its reply */
    redis->servers.is_asking = false;
    switch (target_find(target, redis->now_ms, timeout_ms(redis))) {
    case TARGET_WAITING:
        break;
    case TARGET_FOUND:
        if (!open_sentinel(redis, target_address(target)) || !ask(redis))
            sentinel_failed(redis, link->error);
        break;
    case TARGET_UNKNOWN:
        sentinel_failed(redis, target->error);
        break;
    }
}

bool sentinel_close(struct ws_redis *redis)
{
    link_close(&redis->asking);
    redis->servers.is_asking = false;
    return target_failed(servers_host_target(redis));
}

void sentinel_failed(struct ws_redis *redis, const char *why)
{
    char text[LINK_ERROR_SIZE + PLACE_TEXT_SIZE + 16];
    char name[PLACE_TEXT_SIZE];

    if (redis->session.stage != STAGE_ASKING) {
        if (!sentinel_close(redis))
            servers_turn_to_next(redis);
        redis->servers.ask_ms = redis->now_ms + ASK_AGAIN_MS;
        return;
    }
    place_write(servers_host(redis), name);
    snprintf(text, sizeof text, "sentinel %s: %s", name, why);
    carrier_fail(redis, text);
}

static bool read_master(const redisReply *reply, struct place *place)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
           reply->element[0]->type == REDIS_REPLY_STRING &&
           reply->element[1]->type == REDIS_REPLY_STRING &&
           place_read(place, reply->element[0]->str, reply->element[1]->str);
}

/* Reads the master from the sentinel's reply. Returns NULL, or why there is none. */
static const char *read_answer(const redisReply *reply, struct place *place)
{
    if (reply->type == REDIS_REPLY_ERROR)
        return reply->str;
    if (reply->type == REDIS_REPLY_NIL)
        return "it knows no master with this name";
    return read_master(reply, place) ? NULL : "its reply has no valid host and port";
}

bool sentinel_named(struct ws_redis *redis, const redisReply *reply)
{
    struct place place;
    const char *problem = read_answer(reply, &place);

    redis->servers.is_asking = false;
    redis->servers.ask_ms = redis->now_ms + ASK_AGAIN_MS;
    if (problem != NULL) {
        sentinel_failed(redis, problem);
        return false;
    }
    target_worked(servers_host_target(redis));
    if (redis->session.stage == STAGE_ASKING) {
        carrier_set_place(redis, &place);
        return true;
    }
    if (!place_equal(&place, &redis->session.place))
        carrier_fail(redis, "the sentinel reports another master");
    return false;
}

void sentinel_run(struct ws_redis *redis)
{
    struct link *link = &redis->asking;

    if (!redis->uri.is_sentinel || redis->session.stage == STAGE_AWAY ||
        redis->session.stage == STAGE_FAILED)
        return;
    if (!redis->servers.is_asking) {
        if (redis->session.stage == STAGE_ASKING || redis->now_ms >= redis->servers.ask_ms)
            sentinel_ask(redis);
    } else if (!link_check(link, redis->now_ms)) {
        sentinel_failed(redis, link->error);
    }
}

uint64_t sentinel_deadline(const struct ws_redis *redis)
{
    const struct servers *servers = &redis->servers;
    const struct target *target = &servers->targets[servers->at];

    if (!redis->uri.is_sentinel || servers->is_asking)
        return redis->asking.deadline_ms;
    if (redis->session.stage == STAGE_ASKING || redis->now_ms >= servers->ask_ms)
        return target->deadline_ms;
    return servers->ask_ms;
}
