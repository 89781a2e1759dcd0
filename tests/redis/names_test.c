/* names_test.c: a Redis that is given by a host name: the loop continues while the name is looked
 * up, each address is tried, and the host's lookup hook may answer at any time. Not here: which
 * address is tried when (target_test.c). */
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cluster/redis/backoff.h"
#include "cluster/redis/carrier.h"
#include "redis/support/addresses.h"
#include "redis/support/node.h"
#include "redis/support/server.h"
#include "support/suite.h"

static struct server server;
static struct node ann;

/* --- a name server ---------------------------------------------------------------------------- */

enum { MAX_ADDRESSES = 4 };

static const char *known[MAX_ADDRESSES + 1]; /* the name's addresses, up to the NULL */
static const char *failure;                  /* NULL: none */
static bool hangs;                           /* an answer waits for answer_asked() */
static ws_redis_lookup *asked;               /* unanswered */
static unsigned n_asked;
static int refusal; /* of the hook; WS_OK: none */

static void answer(ws_redis_lookup *lookup)
{
    struct addrinfo *list = address_list(known);

    ws_redis_lookup_done(lookup, list, failure);
    address_list_free(list);
}

static void answer_asked(void)
{
    ws_redis_lookup *lookup = asked;

    asked = NULL;
    answer(lookup);
}

static int resolve(ws_redis_lookup *lookup, const char *host, void *user_data)
{
    ck_assert_ptr_eq(user_data, &ann);
    if (strcmp(host, "nobody.example") == 0) {
        ws_redis_lookup_done(lookup, NULL, "no such host");
        return WS_OK;
    }
    ck_assert_str_eq(host, "redis.example");
    ck_assert_ptr_null(asked); /* one lookup at a time */
    n_asked++;
    if (refusal != WS_OK)
        return refusal;
    if (hangs)
        asked = lookup;
    else
        answer(lookup);
    return WS_OK;
}

static void know_addresses(const char *first, const char *second)
{
    known[0] = first;
    known[1] = first != NULL ? second : NULL;
}

/* --- a node ----------------------------------------------------------------------------------- */

static char uri[128];

static void begin_at(const char *host, const char *parameters)
{
    server_start(&server, NULL);
    snprintf(uri, sizeof uri, "redis://%s:%d%s", host, server.port, parameters);
    node_init(&ann, "ann", uri);
}

static void begin(const char *parameters)
{
    begin_at("redis.example", parameters);
    ann.options.resolve = resolve;
    know_addresses("127.0.0.1", NULL);
    failure = NULL;
    hangs = false;
    n_asked = 0;
    refusal = WS_OK;
}

static void end(void)
{
    node_close(&ann);
    server_end(&server);
}

static void expect_events(int first, int last)
{
    UNTIL(ann.connected);
    node_emit_numbers(&ann, first, last);
    node_expect_stored(&ann, first, last);
}

static void cut_off(void)
{
    unsigned n_told = ann.n_told;

    server_do(&server, "CLIENT KILL TYPE normal SKIPME yes");
    UNTIL(ann.n_told > n_told);
}

START_TEST(the_name_is_looked_up_for_each_session)
{
    begin("");
    node_open(&ann);
    expect_events(1, 10);
    ck_assert_uint_eq(n_asked, 1);
    cut_off();
    expect_events(11, 20);
    ck_assert_uint_ge(n_asked, 2);
    end();
}
END_TEST

/* No server listens at the first two addresses. */
START_TEST(each_address_is_tried)
{
    begin("");
    know_addresses("::1", "127.0.0.2");
    known[2] = "127.0.0.1";
    node_open(&ann);
    expect_events(1, 10);
    ck_assert_uint_eq(n_asked, 1);
    ck_assert_uint_eq(ann.n_told, 1); /* no failure was reported before */
    ck_assert_uint_eq(node_stat(&ann, "failures"), 2);
    end();
}
END_TEST

START_TEST(a_replica_is_skipped)
{
    struct server replica;

    begin("");
    server_start_beside(&replica, &server, "127.0.0.2",
                        (const char *const[]){"--replicaof", "127.0.0.1 1", NULL});
    know_addresses("127.0.0.2", "127.0.0.1");
    node_open(&ann);
    expect_events(1, 10);
    ck_assert_uint_eq(n_asked, 1);
    cut_off();
    expect_events(11, 20); /* the one that took events is the first now */
    ck_assert_uint_eq(node_stat(&ann, "failures"), 2);
    server_end(&replica);
    end();
}
END_TEST

START_TEST(a_server_that_moves)
{
    struct server moved;

    begin("");
    node_open(&ann);
    expect_events(1, 10);
    server_start_beside(&moved, &server, "127.0.0.2", NULL);
    know_addresses("127.0.0.2", NULL);
    server_signal(&server, SIGKILL);
    UNTIL(!ann.connected);
    expect_events(11, 20);
    ck_assert_str_eq(server_do(&moved, "EXISTS {wsmanager}:events"), "1");
    server_end(&moved);
    end();
}
END_TEST

/* Bob's carrier and Ann's clients have the same loop. */
START_TEST(the_loop_continues_during_a_look_up)
{
    static struct node bob;

    begin("");
    hangs = true;
    node_open(&ann);
    node_start(&bob, "bob", server.uri);
    UNTIL(bob.connected && asked != NULL);
    node_emit_numbers(&bob, 1, 10);
    node_expect_stored(&bob, 1, 10);
    client_say(&ann.client, "{\"type\":\"ping\"}");
    UNTIL(strstr(ann.client.messages[ann.client.n_messages - 1], "pong") != NULL);
    node_emit_numbers(&ann, 11, 20); /* the events wait */
    ck_assert_uint_eq(ann.n_told, 0);
    ck_assert_uint_eq(n_asked, 1);
    answer_asked();
    UNTIL(ann.n_stored == 10);
    node_expect(&ann, 11, 20);
    node_expect(&bob, 11, 20);
    node_close(&bob);
    end();
}
END_TEST

/* Each of several hosts has its own lookups: a host whose name does not resolve delays the others
 * as little as one that is down. */
START_TEST(several_hosts_have_separate_look_ups)
{
    begin("");
    snprintf(uri, sizeof uri, "redis://nobody.example,redis.example:%d,127.0.0.2:%d",
             server.port, server.port);
    node_open(&ann);
    expect_events(1, 10);
    ck_assert_uint_eq(ann.n_told, 1);
    ck_assert_uint_eq(node_stat(&ann, "failures"), 1);
    end();
}
END_TEST

START_TEST(sentinels_given_by_names)
{
    struct server sentinel;

    begin("");
    server_start_sentinel(&sentinel, server.port, NULL);
    snprintf(uri, sizeof uri, "redis+sentinel://nobody.example,redis.example:%d/mymaster",
             sentinel.port);
    know_addresses("127.0.0.2", "127.0.0.1");
    hangs = true;
    node_open(&ann);
    UNTIL(asked != NULL);
    client_say(&ann.client, "{\"type\":\"ping\"}");
    UNTIL(strstr(ann.client.messages[ann.client.n_messages - 1], "pong") != NULL);
    answer_asked();
    expect_events(1, 10);
    ck_assert_uint_eq(n_asked, 1);
    /* When the connection is lost, the name is looked up while the session continues. */
    server_signal(&sentinel, SIGKILL);
    UNTIL(asked != NULL);
    ck_assert(ann.connected);
    node_emit_numbers(&ann, 11, 20);
    node_expect_stored(&ann, 11, 20);
    node_close(&ann);
    answer_asked();
    server_end(&sentinel);
    server_end(&server);
}
END_TEST

/* As with the default hook: the loop waits for the lookup, which takes longer than any time limit
 * of a sentinel or of Redis. The carrier runs again before the sentinel can be connected. */
START_TEST(a_slow_look_up_by_the_loop_s_thread)
{
    struct server sentinel;

    begin("");
    server_start_sentinel(&sentinel, server.port, NULL);
    snprintf(uri, sizeof uri, "redis+sentinel://redis.example:%d/mymaster", sentinel.port);
    node_open(&ann);
    ws_redis_run(ann.redis, ann.host.now_ms);
    ck_assert_uint_eq(n_asked, 1);
    ann.ahead_ms = 20000;
    ws_redis_run(ann.redis, ann.host.now_ms + ann.ahead_ms);
    ws_redis_run(ann.redis, ann.host.now_ms + ann.ahead_ms + 1);
    ck_assert_uint_eq(node_stat(&ann, "failures"), 0);
    expect_events(1, 10);
    ck_assert_uint_eq(n_asked, 1);
    server_end(&sentinel);
    end();
}
END_TEST

/* Only where IPv6 is available. */
START_TEST(a_name_with_only_ipv6)
{
    const struct sockaddr_in6 loopback = {.sin6_family = AF_INET6,
                                          .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    bool has_ipv6 = bind(fd, (const struct sockaddr *)&loopback, sizeof loopback) == 0;
    struct server other;

    close(fd);
    if (!has_ipv6)
        return;
    begin("");
    server_start_beside(&other, &server, "::1", NULL);
    server_signal(&server, SIGKILL);
    know_addresses("127.0.0.1", "::1");
    node_open(&ann);
    expect_events(1, 10);
    node_close(&ann);
    snprintf(uri, sizeof uri, "%s", other.uri);
    node_open(&ann);
    expect_events(11, 20);
    server_end(&other);
    end();
}
END_TEST

START_TEST(no_answer_in_time)
{
    begin("?timeout_ms=50");
    hangs = true;
    node_open(&ann);
    UNTIL(strstr(ann.state, "redis.example cannot be resolved: no answer within 50 ms") !=
          NULL);
    UNTIL(node_stat(&ann, "failures") >= 3);
    ck_assert_uint_eq(n_asked, 1);
    answer_asked();
    expect_events(1, 10);
    ck_assert_uint_eq(n_asked, 1);
    /* From now on an address is known. */
    cut_off();
    expect_events(11, 20);
    ck_assert_uint_eq(n_asked, 2);
    node_close(&ann);
    answer_asked();
    server_end(&server);
}
END_TEST

START_TEST(a_name_that_resolves_after_a_while)
{
    begin("");
    failure = "no such host";
    node_open(&ann);
    node_emit_numbers(&ann, 1, 10);
    UNTIL(n_asked >= 3);
    ck_assert_str_eq(ann.state, "the host name redis.example cannot be resolved: no such host");
    failure = NULL;
    know_addresses(NULL, NULL);
    UNTIL(strstr(ann.state, "no address") != NULL);
    know_addresses("127.0.0.1", NULL);
    node_expect_stored(&ann, 1, 10);
    end();
}
END_TEST

START_TEST(a_name_that_no_longer_resolves)
{
    begin("");
    node_open(&ann);
    expect_events(1, 10);
    failure = "no such host";
    cut_off();
    expect_events(11, 20);
    ck_assert_uint_ge(n_asked, 2);
    server_signal(&server, SIGKILL);
    UNTIL(!ann.connected);
    server_restart(&server);
    expect_events(21, 30);
    end();
}
END_TEST

START_TEST(freed_during_a_look_up)
{
    unsigned n_wakes;

    begin("");
    hangs = true;
    node_open(&ann);
    UNTIL(asked != NULL);
    n_wakes = ann.n_wakes;
    node_close(&ann);
    answer_asked();
    ck_assert_uint_eq(ann.n_wakes, n_wakes);
    server_end(&server);
}
END_TEST

/* By a clock of the test's: a lookup that the thread waits for, and which takes 20 s. */
START_TEST(the_next_attempt_counts_from_the_look_up_s_end)
{
    uint64_t now_ms;
    uint64_t next_ms;

    begin("");
    failure = "no such host";
    node_open(&ann);
    now_ms = ann.host.now_ms;
    ws_redis_run(ann.redis, now_ms);
    ck_assert_uint_eq(ann.n_told, 0);
    ck_assert(ann.is_woken); /* it has to run again, and gets the time then */
    now_ms += 20000;
    next_ms = ws_redis_run(ann.redis, now_ms);
    ck_assert_uint_eq(ann.n_told, 1);
    ck_assert_uint_ge(next_ms, now_ms + BACKOFF_MIN_MS / 2);
    ck_assert_uint_le(next_ms, now_ms + BACKOFF_MIN_MS);
    ws_redis_run(ann.redis, next_ms - 1);
    ck_assert_uint_eq(n_asked, 1);
    refusal = WS_ERR_SYSTEM; /* which the hook returns only after 20 s */
    ws_redis_run(ann.redis, next_ms);
    ck_assert_uint_eq(n_asked, 2);
    now_ms = next_ms + 20000;
    next_ms = ws_redis_run(ann.redis, now_ms);
    ck_assert_uint_eq(node_stat(&ann, "failures"), 2);
    ck_assert_uint_ge(next_ms, now_ms + BACKOFF_MIN_MS);
    end();
}
END_TEST

/* --- the ready hooks -------------------------------------------------------------------------- */

static void no_wake(void *user_data)
{
    (void)user_data; /* called in another thread; the test's loop runs often in any case */
}

START_TEST(the_hook_that_uses_a_thread)
{
    begin_at("localhost", "");
    ann.options.resolve = ws_redis_resolve_in_thread;
    ann.options.wake = no_wake;
    node_open(&ann);
    expect_events(1, 10);
    cut_off();
    expect_events(11, 20);
    node_close(&ann);
    for (int i = 0; i < 100; i++) {
        node_open(&ann);
        ann.deadline_ms = ws_redis_run(ann.redis, node_clock_ms());
        node_close(&ann);
    }
    server_end(&server);
}
END_TEST

START_TEST(the_default_hook)
{
    begin_at("localhost", "");
    node_open(&ann);
    expect_events(1, 10);
    end();
}
END_TEST

int main(void)
{
    return suite_run(
        "redis-names",
        (const TTest *const[]){
            the_name_is_looked_up_for_each_session, each_address_is_tried, a_replica_is_skipped,
            a_server_that_moves, the_loop_continues_during_a_look_up,
            several_hosts_have_separate_look_ups, sentinels_given_by_names,
            a_slow_look_up_by_the_loop_s_thread, a_name_with_only_ipv6, no_answer_in_time,
            a_name_that_resolves_after_a_while, a_name_that_no_longer_resolves,
            freed_during_a_look_up, the_next_attempt_counts_from_the_look_up_s_end,
            the_hook_that_uses_a_thread, the_default_hook, NULL});
}
