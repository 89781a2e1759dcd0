/* servers.c: which server a session connects to: a host of the URI, the master that a sentinel
 * names, or the node that another node of a Redis Cluster names (MOVED, ASK).
 *
 * If the URI names sentinels or several hosts, the server must confirm with ROLE that it is a
 * master before anything is written, and again with each page that is read: a demoted master
 * goes on answering, and only closes connections that are blocked in a command. Not here:
 * connecting (session.c), and looking up names (target.c). */
#include "cluster/redis/carrier.h"

#include <stdio.h>
#include <string.h>

enum {
    SENTINEL_TIMEOUT_MS = 1000, /* if the URI names other sentinels */
    ASK_AGAIN_MS = 1000,
    MAX_REDIRECTS = 5 /* before a backoff */
};

static bool go_to(struct ws_redis *redis, const struct place *place)
{
    lock_acquire(&redis->lock);
    redis->session.place = *place;
    lock_release(&redis->lock);
    return true;
}

static const struct place *host(const struct ws_redis *redis)
{
    return &redis->uri.hosts[redis->servers.at];
}

static struct target *host_target(struct ws_redis *redis)
{
    return &redis->servers.targets[redis->servers.at];
}

struct target *servers_target(struct ws_redis *redis)
{
    if (!redis->uri.is_sentinel && place_equal(&redis->session.place, host(redis)))
        return host_target(redis);
    target_aim(&redis->servers.named, redis->session.place.host);
    return &redis->servers.named;
}

void servers_init(struct ws_redis *redis)
{
    struct servers *servers = &redis->servers;

    for (size_t i = 0; i < redis->uri.n_hosts; i++) {
        target_init(&servers->targets[i]);
        target_aim(&servers->targets[i], redis->uri.hosts[i].host);
    }
    target_init(&servers->named);
}

void servers_free(struct ws_redis *redis)
{
    for (size_t i = 0; i < URI_MAX_HOSTS; i++)
        target_free(&redis->servers.targets[i]);
    target_free(&redis->servers.named);
}

void servers_leave_to_parent(struct ws_redis *redis)
{
    for (size_t i = 0; i < URI_MAX_HOSTS; i++)
        redis->servers.targets[i].lookup = NULL;
    redis->servers.named.lookup = NULL;
}

void servers_look_up(struct ws_redis *redis)
{
    for (size_t i = 0; i < redis->uri.n_hosts; i++)
        target_look_up(&redis->servers.targets[i], &redis->resolver);
    target_look_up(&redis->servers.named, &redis->resolver);
}

bool servers_check_role(const struct ws_redis *redis)
{
    return redis->uri.is_sentinel || redis->uri.n_hosts > 1;
}

/* --- sentinels -------------------------------------------------------------------------------- */

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

    if (!link_open(link, uri, host(redis), address))
        return false;
    link->timeout_ms = timeout_ms(redis);
    return uri->sentinel_password == NULL ||
           carrier_send_texts(redis, link, REQUEST_SENTINEL,
                              uri->sentinel_user != NULL ? with_user : without_user);
}

/* Connects to the sentinel first, if it is not connected; in a later turn if its name must be
 * looked up. */
static void ask_sentinel(struct ws_redis *redis)
{
    struct target *target = host_target(redis);
    struct link *link = &redis->asking;

    if (link->context != NULL) {
        if (!ask(redis))
            servers_ask_failed(redis, link->error);
        return;
    }
    link_close(link); /* a lost connection may have left a request without its reply */
    redis->servers.is_asking = false;
    switch (target_find(target, redis->now_ms, timeout_ms(redis))) {
    case TARGET_WAITING:
        break;
    case TARGET_FOUND:
        if (!open_sentinel(redis, target_address(target)) || !ask(redis))
            servers_ask_failed(redis, link->error);
        break;
    case TARGET_UNKNOWN:
        servers_ask_failed(redis, target->error);
        break;
    }
}

static void turn_to_next(struct ws_redis *redis)
{
    redis->servers.at = (redis->servers.at + 1) % redis->uri.n_hosts;
}

/* Closes the connection to the sentinel. True if the same sentinel has another address to try. */
static bool close_sentinel(struct ws_redis *redis)
{
    link_close(&redis->asking);
    redis->servers.is_asking = false;
    return target_failed(host_target(redis));
}

void servers_ask_failed(struct ws_redis *redis, const char *why)
{
    char text[LINK_ERROR_SIZE + PLACE_TEXT_SIZE + 16];
    char name[PLACE_TEXT_SIZE];

    if (redis->session.stage != STAGE_ASKING) {
        if (!close_sentinel(redis))
            turn_to_next(redis);
        redis->servers.ask_ms = redis->now_ms + ASK_AGAIN_MS;
        return;
    }
    place_write(host(redis), name);
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

bool servers_named(struct ws_redis *redis, const redisReply *reply)
{
    struct place place;
    const char *problem = read_answer(reply, &place);

    redis->servers.is_asking = false;
    redis->servers.ask_ms = redis->now_ms + ASK_AGAIN_MS;
    if (problem != NULL) {
        servers_ask_failed(redis, problem);
        return false;
    }
    target_worked(host_target(redis));
    if (redis->session.stage == STAGE_ASKING)
        return go_to(redis, &place);
    if (!place_equal(&place, &redis->session.place))
        carrier_fail(redis, "the sentinel reports another master");
    return false;
}

void servers_run(struct ws_redis *redis)
{
    struct link *link = &redis->asking;

    if (!redis->uri.is_sentinel || redis->session.stage == STAGE_AWAY ||
        redis->session.stage == STAGE_FAILED)
        return;
    if (!redis->servers.is_asking) {
        if (redis->session.stage == STAGE_ASKING || redis->now_ms >= redis->servers.ask_ms)
            ask_sentinel(redis);
    } else if (!link_check(link, redis->now_ms)) {
        servers_ask_failed(redis, link->error);
    }
}

static uint64_t ask_deadline(const struct ws_redis *redis)
{
    const struct servers *servers = &redis->servers;
    const struct target *target = &servers->targets[servers->at];

    if (!redis->uri.is_sentinel || servers->is_asking)
        return redis->asking.deadline_ms;
    if (redis->session.stage == STAGE_ASKING || redis->now_ms >= servers->ask_ms)
        return target->deadline_ms;
    return servers->ask_ms;
}

uint64_t servers_deadline(struct ws_redis *redis)
{
    uint64_t deadline_ms = ask_deadline(redis);
    uint64_t found_ms = redis->session.stage == STAGE_RESOLVING
                            ? servers_target(redis)->deadline_ms
                            : WS_NO_DEADLINE;

    return found_ms < deadline_ms ? found_ms : deadline_ms;
}

/* --- nodes of a cluster ----------------------------------------------------------------------- */

/* All keys are in one slot, so one node serves them all. The number of redirections without a
 * backoff is bounded, because nodes may name each other in a circle. */
bool servers_follow(struct ws_redis *redis)
{
    struct servers *servers = &redis->servers;
    const struct session *session = &redis->session;

    servers->redirect = REDIRECT_NONE;
    if (session->redirect == REDIRECT_NONE || redis->uri.is_unix || redis->uri.is_sentinel)
        return false;
    if (session->failed_in == STAGE_READING)
        servers->n_redirects = 0;
    if (servers->n_redirects == MAX_REDIRECTS) {
        servers->n_redirects = 0;
        return false;
    }
    servers->n_redirects++;
    target_worked(servers_target(redis));
    servers->redirect = session->redirect;
    carrier_count(redis, &redis->counters.redirections, 1);
    return true;
}

/* ROLE alone would rule out a replica in a cluster. To a command with a key the replica answers
 * MOVED, which names its master. */
bool servers_probe(struct ws_redis *redis, struct link *link)
{
    const char *const texts[] = {"HGET", redis->keys.state, "epoch", NULL};

    return redis->uri.n_hosts == 1 || redis->uri.is_sentinel ||
           redis->servers.redirect != REDIRECT_NONE ||
           carrier_send_texts(redis, link, REQUEST_GREETING, texts);
}

bool servers_sends_asking(const struct ws_redis *redis)
{
    return redis->servers.redirect == REDIRECT_ASK;
}

/* --- a session's beginning and end ------------------------------------------------------------ */

bool servers_begin(struct ws_redis *redis)
{
    if (redis->servers.redirect != REDIRECT_NONE)
        return go_to(redis, &redis->session.elsewhere);
    if (!redis->uri.is_sentinel)
        return go_to(redis, host(redis));
    carrier_enter_stage(redis, STAGE_ASKING);
    ask_sentinel(redis);
    return false;
}

bool servers_next(struct ws_redis *redis)
{
    struct servers *servers = &redis->servers;
    enum stage stage = redis->session.failed_in;

    if (stage == STAGE_ASKING ? close_sentinel(redis) : target_failed(servers_target(redis)))
        return true; /* the same server has another address to try */
    if (stage >= STAGE_LOADING) {
        servers->n_tried = 0;
        return false;
    }
    if (redis->uri.is_sentinel && stage != STAGE_ASKING)
        close_sentinel(redis);
    turn_to_next(redis);
    if (++servers->n_tried < redis->uri.n_hosts &&
        (stage == STAGE_ASKING || !redis->uri.is_sentinel))
        return true;
    servers->n_tried = 0;
    return false;
}

bool servers_ask_role(struct ws_redis *redis, struct link *link)
{
    static const char *const texts[] = {"ROLE", NULL};

    return carrier_send_texts(redis, link, REQUEST_ROLE, texts);
}

bool servers_role(struct ws_redis *redis, const redisReply *reply)
{
    const redisReply *role =
        reply->type == REDIS_REPLY_ARRAY && reply->elements > 0 ? reply->element[0] : NULL;

    if (role != NULL && role->type == REDIS_REPLY_STRING && strcmp(role->str, "master") == 0)
        return true;
    carrier_fail(redis, "the server is not a master");
    return false;
}
