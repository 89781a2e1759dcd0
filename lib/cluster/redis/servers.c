/* servers.c: which server a session goes to: the hosts of the URI in turn, the master that a sentinel
 * names, or the node that another node of a cluster names. Where the URI names several hosts, or
 * sentinels, the server must say itself that it is a master (ROLE) before anything is written, and
 * again with each page that is read: a master that was demoted goes on answering. Not here:
 * reaching it (session.c). */
#include "cluster/redis/carrier.h"

#include <stdio.h>
#include <string.h>

enum {
    SENTINEL_TIMEOUT_MS = 1000, /* where there are others, which may answer sooner */
    ASK_AGAIN_MS = 1000,
    MAX_REDIRECTS = 5, /* within so many milliseconds */
    REDIRECTS_MS = 1000
};

static bool go_to(struct ws_redis *redis, const struct place *place)
{
    pthread_mutex_lock(&redis->lock);
    redis->session.place = *place;
    pthread_mutex_unlock(&redis->lock);
    return true;
}

static const struct place *host(const struct ws_redis *redis)
{
    return &redis->uri.hosts[redis->servers.at];
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
    return send_texts(redis, &redis->asking, REQUEST_MASTER, texts);
}

/* Opens a line to the sentinel first, if there is none. */
static bool ask_sentinel(struct ws_redis *redis)
{
    const struct uri *uri = &redis->uri;
    const char *const with_user[] = {"AUTH", uri->sentinel_user, uri->sentinel_password, NULL};
    const char *const without_user[] = {"AUTH", uri->sentinel_password, NULL};
    struct link *link = &redis->asking;

    if (link->context != NULL)
        return ask(redis);
    link_close(link); /* it may have been lost with a question under way */
    if (!link_open(link, uri, host(redis)))
        return false;
    if (uri->n_hosts > 1 && link->timeout_ms > SENTINEL_TIMEOUT_MS)
        link->timeout_ms = SENTINEL_TIMEOUT_MS;
    if (uri->sentinel_password != NULL &&
        !send_texts(redis, link, REQUEST_SENTINEL,
                    uri->sentinel_user != NULL ? with_user : without_user))
        return false;
    return ask(redis);
}

/* The line to a sentinel is of no use any more; the next one is asked in its place. */
static void give_up_asking(struct ws_redis *redis)
{
    link_close(&redis->asking);
    redis->servers.is_asking = false;
    redis->servers.at = (redis->servers.at + 1) % redis->uri.n_hosts;
}

void servers_ask_failed(struct ws_redis *redis, const char *why)
{
    char text[LINK_ERROR_SIZE + PLACE_TEXT_SIZE + 16];
    char name[PLACE_TEXT_SIZE];

    if (redis->session.stage != STAGE_ASKING) {
        give_up_asking(redis);
        return;
    }
    place_write(host(redis), name);
    snprintf(text, sizeof text, "sentinel %s: %s", name, why);
    fail(redis, text);
}

static bool read_master(const redisReply *reply, struct place *place)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
           reply->element[0]->type == REDIS_REPLY_STRING &&
           reply->element[1]->type == REDIS_REPLY_STRING &&
           place_read(place, reply->element[0]->str, reply->element[1]->str);
}

bool servers_named(struct ws_redis *redis, const redisReply *reply)
{
    struct place place;

    redis->servers.is_asking = false;
    redis->servers.ask_ms = redis->now_ms + ASK_AGAIN_MS;
    if (reply->type == REDIS_REPLY_ERROR)
        servers_ask_failed(redis, reply->str);
    else if (reply->type == REDIS_REPLY_NIL)
        servers_ask_failed(redis, "it knows no master of that name");
    else if (!read_master(reply, &place))
        servers_ask_failed(redis, "it names no host and port");
    else if (redis->session.stage == STAGE_ASKING)
        return go_to(redis, &place);
    else if (!place_equal(&place, &redis->session.place))
        fail(redis, "the sentinel names another master");
    return false;
}

void servers_run(struct ws_redis *redis)
{
    struct link *link = &redis->asking;

    if (!redis->uri.is_sentinel || redis->session.stage == STAGE_AWAY ||
        redis->session.stage == STAGE_FAILED)
        return;
    if (redis->servers.is_asking || redis->session.stage == STAGE_ASKING) {
        if (!link_check(link, redis->now_ms))
            servers_ask_failed(redis, link->error);
        return;
    }
    if (redis->now_ms < redis->servers.ask_ms)
        return;
    redis->servers.ask_ms = redis->now_ms + ASK_AGAIN_MS;
    if (!ask_sentinel(redis))
        servers_ask_failed(redis, link->error);
}

uint64_t servers_deadline(const struct ws_redis *redis)
{
    if (!redis->uri.is_sentinel || redis->servers.is_asking)
        return redis->asking.deadline_ms;
    return redis->servers.ask_ms;
}

/* --- nodes of a cluster ----------------------------------------------------------------------- */

/* All keys are in one slot, so that one node is in charge, and another one may say which. Only an
 * error that answers a command is followed; and nodes that name each other without end are left
 * to the next attempt. */
bool servers_follow(struct ws_redis *redis)
{
    struct servers *servers = &redis->servers;

    servers->redirect = REDIRECT_NONE;
    if (redis->session.redirect == REDIRECT_NONE || redis->uri.is_unix ||
        redis->uri.is_sentinel)
        return false;
    if (redis->now_ms - servers->redirected_ms >= REDIRECTS_MS)
        servers->n_redirects = 0;
    if (servers->n_redirects == MAX_REDIRECTS)
        return false;
    servers->n_redirects++;
    servers->redirected_ms = redis->now_ms;
    servers->redirect = redis->session.redirect;
    count(redis, &redis->counters.redirections, 1);
    return true;
}

/* A replica in a cluster names its master only if it is asked for a key. */
bool servers_probe(struct ws_redis *redis, struct link *link)
{
    const char *const texts[] = {"HGET", redis->keys.state, "epoch", NULL};

    return redis->uri.n_hosts == 1 || redis->uri.is_sentinel ||
           redis->servers.redirect != REDIRECT_NONE ||
           send_texts(redis, link, REQUEST_GREETING, texts);
}

bool servers_asks(const struct ws_redis *redis)
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
    enter_stage(redis, STAGE_ASKING);
    if (!ask_sentinel(redis))
        servers_ask_failed(redis, redis->asking.error);
    return false;
}

static void turn_to_next(struct ws_redis *redis)
{
    if (redis->uri.is_sentinel)
        give_up_asking(redis);
    else
        redis->servers.at = (redis->servers.at + 1) % redis->uri.n_hosts;
}

bool servers_next(struct ws_redis *redis)
{
    struct servers *servers = &redis->servers;
    enum stage stage = redis->session.failed_in;

    if (stage >= STAGE_LOADING) {
        servers->n_tried = 0;
        return false;
    }
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

    return send_texts(redis, link, REQUEST_ROLE, texts);
}

bool servers_role(struct ws_redis *redis, const redisReply *reply)
{
    const redisReply *role =
        reply->type == REDIS_REPLY_ARRAY && reply->elements > 0 ? reply->element[0] : NULL;

    if (role != NULL && role->type == REDIS_REPLY_STRING && strcmp(role->str, "master") == 0)
        return true;
    fail(redis, "it is not a master");
    return false;
}
