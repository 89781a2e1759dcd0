/* session.c: begins and ends a session with Redis. A session has two connections: one for the
 * reader, whose commands block, and one for everything else. It ends when either connection
 * fails. Not here: the choice of the server (servers.c). */
#include "cluster/redis/backoff.h"
#include "cluster/redis/carrier.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "cluster/redis/scripts.h"

enum { LEFT_TEXT_SIZE = LEFT_EPOCHS_MAX * (WS_EPOCH_SIZE + NUMBER_SIZE + 1) };

/* --- the end ---------------------------------------------------------------------------------- */

void session_close(struct ws_redis *redis)
{
    carrier_enter_stage(redis, STAGE_AWAY);
    link_close(&redis->reading);
    link_close(&redis->writing);
    reader_end(redis);
    writer_end(redis);
    fetches_end(redis);
    memories_end(redis);
    nodes_end(redis);
    redis->heartbeat_digest[0] = '\0'; /* another Redis may have older figures */
}

/* Reports the failure to the host, with the server's name if there are several. */
static void report_failure(struct ws_redis *redis)
{
    const struct session *session = &redis->session;
    bool is_the_only_one = redis->uri.n_hosts == 1 && !redis->uri.is_sentinel &&
                           place_equal(&session->place, &redis->uri.hosts[0]);
    char text[LINK_ERROR_SIZE + PLACE_TEXT_SIZE + 16];
    char place[PLACE_TEXT_SIZE];

    place_write(&session->place, place);
    snprintf(text, sizeof text, "%s: %s", place, session->failure);
    if (session->failed_in == STAGE_ASKING || is_the_only_one)
        snprintf(text, sizeof text, "%s", session->failure);
    carrier_report_state(redis, false, text);
}

void session_end_failed(struct ws_redis *redis)
{
    struct session *session = &redis->session;

    if (session->stage != STAGE_FAILED)
        return;
    session_close(redis);
    session->retry_ms = redis->now_ms;
    if (session->failed_in >= STAGE_LOADING) /* even if the next session begins at once */
        report_failure(redis);
    if (servers_follow(redis))
        return;
    carrier_count(redis, &redis->counters.failures, 1);
    if (servers_next(redis))
        return;
    session->retry_ms = redis->now_ms + backoff_ms(&redis->random, &session->n_attempts);
    report_failure(redis);
}

/* --- the beginning ---------------------------------------------------------------------------- */

static bool open_link(struct ws_redis *redis, struct link *link, const char *address)
{
    if (!link_open(link, &redis->uri, &redis->session.place, address))
        return false;
    link->sends_asking = servers_sends_asking(redis);
    return true;
}

static bool greet(struct ws_redis *redis, struct link *link)
{
    const struct uri *uri = &redis->uri;
    const char *const with_user[] = {"AUTH", uri->user, uri->password, NULL};
    const char *const without_user[] = {"AUTH", uri->password, NULL};
    const char *const select[] = {"SELECT", uri->database, NULL};

    if (uri->password != NULL &&
        !carrier_send_texts(redis, link, REQUEST_AUTH,
                            uri->user != NULL ? with_user : without_user))
        return false;
    if (uri->database != NULL && !carrier_send_texts(redis, link, REQUEST_GREETING, select))
        return false;
    return servers_probe(redis, link) &&
           (!servers_check_role(redis) || servers_ask_role(redis, link));
}

static bool draw_nonce(char nonce[NUMBER_SIZE])
{
    uint64_t number;

    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
        return false;
    snprintf(nonce, NUMBER_SIZE, "%" PRIu64, number);
    return true;
}

static void write_left(const struct left_epochs *left, char text[LEFT_TEXT_SIZE])
{
    size_t length = 0;

    text[0] = '\0';
    for (size_t i = 0; i < left->count; i++)
        length += (size_t)snprintf(text + length, LEFT_TEXT_SIZE - length, "%s %" PRIu64 "\n",
                                   left->epochs[i], left->positions[i]);
}

static bool attach(struct ws_redis *redis)
{
    const struct known *known = &redis->known;
    const struct reader *reader = &redis->reader;
    char left[LEFT_TEXT_SIZE];
    char newest[2 * NUMBER_SIZE];
    char read[2 * NUMBER_SIZE];
    char epoch[WS_EPOCH_SIZE];

    if (ws_cluster_new_epoch(epoch) != WS_OK || !draw_nonce(redis->session.nonce)) {
        snprintf(redis->reading.error, sizeof redis->reading.error, "getrandom() failed");
        return false;
    }
    snprintf(newest, sizeof newest, "%" PRIu64 "-%s", known->position, known->nonce);
    snprintf(read, sizeof read, "%" PRIu64 "-%s", reader->position, reader->nonce);
    write_left(&redis->left_epochs, left);
    command_script(redis, script_attach, "2");
    command_add_text(&redis->command, redis->keys.state);
    command_add_text(&redis->command, redis->keys.events);
    command_add_text(&redis->command, epoch);
    command_add_text(&redis->command, known->epoch);
    command_add_text(&redis->command, newest);
    command_add_text(&redis->command, read);
    command_add_text(&redis->command, left);
    return link_send(&redis->reading, REQUEST_ATTACH, &redis->command, redis->now_ms);
}

/* Opens both connections to the same address, because a name may have addresses of several
 * servers. */
static void connect_to(struct ws_redis *redis, const char *address)
{
    struct link *failed = NULL;

    carrier_enter_stage(redis, STAGE_ATTACHING);
    redis->session.n_unverified = 2;
    if (!open_link(redis, &redis->writing, address) || !greet(redis, &redis->writing))
        failed = &redis->writing;
    else if (!open_link(redis, &redis->reading, address) || !greet(redis, &redis->reading) ||
             (!servers_check_role(redis) && !attach(redis)))
        failed = &redis->reading;
    if (failed != NULL)
        carrier_fail(redis, failed->error);
}

void session_begin(struct ws_redis *redis)
{
    const struct session *session = &redis->session;

    if (session->stage == STAGE_RESOLVING ||
        (session->stage == STAGE_AWAY && redis->now_ms >= session->retry_ms &&
         servers_begin(redis)))
        session_connect(redis);
}

void session_connect(struct ws_redis *redis)
{
    struct target *target = servers_target(redis);

    if (redis->uri.is_unix) {
        connect_to(redis, redis->session.place.host);
        return;
    }
    carrier_enter_stage(redis, STAGE_RESOLVING);
    switch (target_find(target, redis->now_ms, redis->uri.timeout_ms)) {
    case TARGET_WAITING:
        break;
    case TARGET_FOUND:
        connect_to(redis, target_address(target));
        break;
    case TARGET_UNKNOWN:
        carrier_fail(redis, target->error);
        break;
    }
}

void session_verified(struct ws_redis *redis)
{
    struct session *session = &redis->session;

    if (session->stage == STAGE_ATTACHING && --session->n_unverified == 0 && !attach(redis))
        carrier_fail(redis, redis->reading.error);
}

static bool is_attach_reply(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements == 5 &&
           reply->element[0]->type == REDIS_REPLY_STRING &&
           reply->element[0]->len == WS_EPOCH_SIZE - 1 &&
           reply->element[1]->type == REDIS_REPLY_INTEGER && reply->element[1]->integer >= 0 &&
           reply->element[2]->type == REDIS_REPLY_STRING &&
           reply->element[3]->type == REDIS_REPLY_INTEGER && reply->element[3]->integer >= 0 &&
           reply->element[3]->integer <= reply->element[1]->integer &&
           reply->element[4]->type == REDIS_REPLY_INTEGER;
}

void session_attached(struct ws_redis *redis, const redisReply *reply)
{
    struct session *session = &redis->session;

    if (!is_attach_reply(reply)) {
        carrier_fail(
            redis,
            "Redis returned an unexpected reply to the attach script; check whether other "
            "programs write to its keys");
        return;
    }
    lock_acquire(&redis->lock);
    memcpy(session->epoch, reply->element[0]->str, WS_EPOCH_SIZE);
    session->position = (uint64_t)reply->element[1]->integer;
    redis->counters.sessions++;
    lock_release(&redis->lock);
    session->seen = session->position;
    snprintf(session->seen_nonce, sizeof session->seen_nonce, "%s", reply->element[2]->str);
    if (strcmp(redis->known.epoch, session->epoch) == 0)
        carrier_note_stored(redis, session->seen, session->seen_nonce);
    reader_begin(redis, (uint64_t)reply->element[3]->integer,
                 reply->element[4]->integer != 0 ? LOAD_NEW : LOAD_OTHERS);
}
