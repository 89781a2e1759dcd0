/* servers.c: which server a session connects to: a host of the URI, the master that a sentinel
 * names (sentinels.c), or the node that another node of a Redis Cluster names (MOVED, ASK).
 *
 * If the URI names sentinels or several hosts, the server must confirm with ROLE that it is a
 * master before anything is written, and again with each page that is read: a demoted master
 * goes on answering, and only closes connections that are blocked in a command. Not here:
 * connecting (session.c), and looking up names (target.c). */
#include "cluster/redis/carrier.h"

#include <string.h>

enum { MAX_REDIRECTS = 5 /* before a backoff */ };

struct target *servers_target(struct ws_redis *redis)
{
    if (!redis->uri.is_sentinel && place_equal(&redis->session.place, servers_host(redis)))
        return servers_host_target(redis);
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

uint64_t servers_deadline(struct ws_redis *redis)
{
    uint64_t deadline_ms = sentinel_deadline(redis);
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
    if (redis->servers.redirect == REDIRECT_NONE && redis->uri.is_sentinel) {
        carrier_enter_stage(redis, STAGE_ASKING);
        sentinel_ask(redis);
        return false;
    }
    carrier_set_place(redis, redis->servers.redirect != REDIRECT_NONE
                                 ? &redis->session.elsewhere
                                 : servers_host(redis));
    return true;
}

bool servers_next(struct ws_redis *redis)
{
    struct servers *servers = &redis->servers;
    enum stage stage = redis->session.failed_in;

    if (stage == STAGE_ASKING ? sentinel_close(redis) : target_failed(servers_target(redis)))
        return true; /* the same server has another address to try */
    if (stage >= STAGE_LOADING) {
        servers->n_tried = 0;
        return false;
    }
    if (redis->uri.is_sentinel && stage != STAGE_ASKING)
        sentinel_close(redis);
    servers_turn_to_next(redis);
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
