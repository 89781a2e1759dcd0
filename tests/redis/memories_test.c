/* memories_test.c: values that a process lets Redis keep, and that any process reads: in order,
 * with their ranks and lifetimes, while Redis is away, and if it refuses them. Not here: what the
 * values are (websocket/socketio_cluster_test.c). */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cluster/recall.h"
#include "redis/support/node.h"
#include "redis/support/server.h"
#include "support/suite.h"

enum { MINUTE_MS = 60000 };

static struct server server;
static struct node ann;
static struct node bob;

static void setup(void)
{
    server_start(&server, NULL);
    node_start(&ann, "ann", server.uri);
    node_start(&bob, "bob", server.uri);
    UNTIL(ann.connected && bob.connected);
}

static void teardown(void)
{
    node_close(&ann);
    node_close(&bob);
    server_end(&server);
}

/* value NULL: it is forgotten. */
static int keep(struct node *node, const char *key, uint64_t rank, const char *value)
{
    const ws_manager *manager = node->host.manager;

    return manager->cluster.remember(key, rank, value, value != NULL ? strlen(value) : 0,
                                     MINUTE_MS, manager->cluster_data);
}

static char answer[100000];
static unsigned n_answers;
static unsigned n_unknown; /* of these */

static void take(ws_loop *loop, struct recall *recall)
{
    (void)loop;
    snprintf(answer, sizeof answer, "%s", recall->value != NULL ? recall->value : "-");
    n_answers++;
    n_unknown += recall->is_unknown;
}

/* Asks a node for a value; "-": there is none. */
static const char *recall(struct node *node, const char *key)
{
    unsigned before = n_answers;

    ck_assert_ptr_nonnull(cluster_recall(node->host.loop, key, take, NULL));
    UNTIL(n_answers > before);
    return answer;
}

START_TEST(another_process_reads_a_value)
{
    ck_assert_str_eq(recall(&bob, "aa"), "-");
    ck_assert_int_eq(keep(&ann, "aa", 0, "first value"), WS_OK);
    ck_assert_str_eq(recall(&ann, "aa"), "first value");
    ck_assert_str_eq(recall(&bob, "aa"), "first value");
    ck_assert_int_gt(atoi(server_do(&server, "PTTL {wsmanager}:session:aa")), MINUTE_MS / 2);
    ck_assert_int_le(atoi(server_do(&server, "PTTL {wsmanager}:session:aa")), MINUTE_MS);
    ck_assert_int_eq(keep(&ann, "aa", 0, NULL), WS_OK);
    ck_assert_str_eq(recall(&ann, "aa"), "-");
    ck_assert_str_eq(server_do(&server, "EXISTS {wsmanager}:session:aa"), "0");
}
END_TEST

START_TEST(a_value_of_a_higher_rank_stays)
{
    keep(&ann, "aa", 9, "nine");
    keep(&ann, "aa", 10, "ten");
    keep(&ann, "aa", 9, "nine again");
    keep(&ann, "aa", 9, NULL);
    ck_assert_str_eq(recall(&ann, "aa"), "ten");
    keep(&ann, "aa", 10, "ten again");
    ck_assert_str_eq(recall(&ann, "aa"), "ten again");
}
END_TEST

/* A question sees everything that its process has kept before. */
START_TEST(questions_are_answered_after_the_values_before_them)
{
    char value[32];

    for (int i = 0; i < 1000; i++) {
        snprintf(value, sizeof value, "%d", i);
        ck_assert_int_eq(keep(&ann, "aa", 0, value), WS_OK);
    }
    ck_assert_str_eq(recall(&ann, "aa"), "999");
}
END_TEST

START_TEST(large_values_and_many_questions)
{
    static char large[65536];
    char key[16];

    memset(large, 'x', sizeof large - 1);
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "%x", i);
        ck_assert_int_eq(keep(&ann, key, 0, large), WS_OK);
    }
    ck_assert_uint_eq(strlen(recall(&ann, "63")), sizeof large - 1);
    n_answers = 0;
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "%x", i);
        ck_assert_ptr_nonnull(cluster_recall(bob.host.loop, key, take, NULL));
    }
    UNTIL(n_answers == 100);
    ck_assert_uint_eq(strlen(answer), sizeof large - 1);
}
END_TEST

START_TEST(values_and_questions_wait_while_redis_is_away)
{
    unsigned before = n_answers;

    server_signal(&server, SIGTERM);
    UNTIL(!ann.connected);
    ck_assert_int_eq(keep(&ann, "aa", 0, "later"), WS_OK);
    ck_assert_ptr_nonnull(cluster_recall(ann.host.loop, "aa", take, NULL));
    server_restart(&server);
    UNTIL(n_answers > before);
    ck_assert_str_eq(answer, "later");
}
END_TEST

START_TEST(what_waits_is_limited)
{
    static char large[65536];
    struct recall *question;
    char key[16];
    size_t n = 0;

    server_signal(&server, SIGTERM);
    UNTIL(!ann.connected);
    memset(large, 'x', sizeof large - 1);
    do
        snprintf(key, sizeof key, "%zx", n);
    while (keep(&ann, key, 0, large) == WS_OK && n++ < 2000);
    ck_assert_int_eq(keep(&ann, key, 0, large), WS_ERR_BACKPRESSURE);
    ck_assert_uint_ge(n, 1000);
    ck_assert_uint_le(n, 1024);
    /* What waits is freed with the carrier, also a question that nobody waits for any more. */
    question = cluster_recall(ann.host.loop, "aa", take, NULL);
    ck_assert_ptr_nonnull(question);
    cluster_recall_abandon(question);
}
END_TEST

/* A value that waits is replaced by the next one with its key: none takes more than one place. */
START_TEST(a_waiting_value_is_replaced)
{
    static char large[65536];
    unsigned before = n_answers;

    server_signal(&server, SIGTERM);
    UNTIL(!ann.connected);
    memset(large, 'x', sizeof large - 1);
    ck_assert_int_eq(keep(&ann, "aa", 0, "other"), WS_OK);
    for (uint64_t i = 0; i < 2000; i++)
        ck_assert_int_eq(keep(&ann, "bb", i, large), WS_OK);
    ck_assert_int_eq(keep(&ann, "cc", 0, "last"), WS_OK);
    ck_assert_int_eq(keep(&ann, "bb", 2000, "newest"), WS_OK);
    ck_assert_int_eq(keep(&ann, "bb", 1999, "older"), WS_OK);
    ck_assert_int_eq(keep(&ann, "aa", 1, NULL), WS_OK);
    ck_assert_ptr_nonnull(cluster_recall(ann.host.loop, "bb", take, NULL));
    server_restart(&server);
    UNTIL(n_answers > before);
    ck_assert_str_eq(answer, "newest");
    ck_assert_str_eq(recall(&ann, "cc"), "last");
    ck_assert_str_eq(recall(&ann, "aa"), "-");
}
END_TEST

START_TEST(without_memory_nothing_is_kept_or_asked)
{
    test_memory_fail(&ann.memory, 0, false);
    ck_assert_int_eq(keep(&ann, "aa", 0, "value"), WS_ERR_NO_MEMORY);
    test_memory_fail(&ann.memory, 0, false);
    ck_assert_ptr_null(cluster_recall(ann.host.loop, "aa", take, NULL));
    ck_assert_int_eq(keep(&ann, "aa", 0, "value"), WS_OK);
    ck_assert_str_eq(recall(&ann, "aa"), "value");
}
END_TEST

/* A user without the rights for these keys, or for a command of the script: events go on. */
START_TEST(refused_values_do_not_hold_up_events)
{
    server_do(&server, "ACL SETUSER default -getrange");
    keep(&ann, "aa", 0, "value");
    ck_assert_str_eq(recall(&ann, "aa"), "-");
    ck_assert(ann.connected);
    server_do(&server, "ACL SETUSER default +getrange");
    server_do(&server, "ACL SETUSER default -mget");
    keep(&ann, "aa", 0, "value");
    ck_assert_str_eq(recall(&ann, "aa"), "-");
    server_do(&server, "ACL SETUSER default +mget");
    server_do(&server, "ACL SETUSER default resetkeys ~{wsmanager}:[espn]?[^s]*");
    keep(&ann, "bb", 0, "value");
    ck_assert_str_eq(recall(&ann, "bb"), "-");
    node_emit_numbers(&ann, 1, 10);
    node_expect_stored(&ann, 1, 10);
    ck_assert(ann.connected);
}
END_TEST

/* Redis has no memory left: a value waits until it has some. */
START_TEST(values_wait_while_redis_is_full)
{
    keep(&ann, "aa", 0, "first");
    ck_assert_str_eq(recall(&ann, "aa"), "first");
    server_do(&server, "CONFIG SET maxmemory 1");
    keep(&ann, "aa", 0, "second");
    UNTIL(strstr(server_do(&server, "INFO errorstats"), "errorstat_OOM:") != NULL);
    ck_assert_str_eq(recall(&bob, "aa"), "first");
    server_do(&server, "CONFIG SET maxmemory 0");
    UNTIL(strcmp(recall(&bob, "aa"), "second") == 0);
    ck_assert(ann.connected);
}
END_TEST

/* That there is no value is a receipt for what was kept before, also while Redis refuses that. */
START_TEST(an_answer_without_a_value_comes_after_the_values_before_it)
{
    unsigned before;

    keep(&ann, "aa", 0, "first");
    ck_assert_str_eq(recall(&ann, "aa"), "first");
    server_do(&server, "CONFIG SET maxmemory 1");
    keep(&ann, "aa", 0, "second");
    before = n_answers;
    ck_assert_ptr_nonnull(cluster_recall(ann.host.loop, "0", take, NULL));
    UNTIL(strstr(server_do(&server, "INFO errorstats"), "errorstat_OOM:") != NULL);
    ck_assert_ptr_nonnull(cluster_recall(ann.host.loop, "0", take, NULL));
    for (int i = 0; i < 20; i++)
        nodes_turn();
    ck_assert_uint_eq(n_answers, before);
    /* What Redis has is returned nevertheless. */
    ck_assert_str_eq(recall(&ann, "aa"), "first");
    ck_assert_uint_eq(n_answers, before + 1);
    server_do(&server, "CONFIG SET maxmemory 0");
    UNTIL(n_answers == before + 3);
    ck_assert_str_eq(answer, "-");
    ck_assert_str_eq(strrchr(server_do(&server, "GET {wsmanager}:session:aa"), ' '), " second");
}
END_TEST

/* Redis refuses the values for longer than a client waits. */
START_TEST(an_answer_is_unknown_if_the_values_before_it_are_refused)
{
    unsigned before = n_unknown;
    struct recall *question;

    server_do(&server, "CONFIG SET maxmemory 1");
    keep(&ann, "aa", 0, "value");
    ck_assert_ptr_nonnull(cluster_recall(ann.host.loop, "0", take, NULL));
    UNTIL(n_unknown == before + 1);
    /* One that waits is freed with the carrier. */
    question = cluster_recall(ann.host.loop, "0", take, NULL);
    ck_assert_ptr_nonnull(question);
    for (int i = 0; i < 20; i++)
        nodes_turn();
    cluster_recall_abandon(question);
}
END_TEST

/* Questions are answered when Redis is no longer busy, or after a while without the value. */
START_TEST(questions_wait_while_redis_is_busy)
{
    redisContext *context = server_connect(&server);
    unsigned before;

    keep(&ann, "aa", 0, "value");
    ck_assert_str_eq(recall(&ann, "aa"), "value");
    server_do(&server, "CONFIG SET busy-reply-threshold 1");
    ck_assert_int_eq(redisAppendCommand(context, "EVAL %s 0", "while true do end"), REDIS_OK);
    ck_assert_int_eq(redisBufferWrite(context, NULL), REDIS_OK);
    before = n_answers;
    ck_assert_int_eq(node_emit(&ann, 1), WS_OK);
    UNTIL(strstr(ann.state, "BUSY") != NULL);
    ck_assert_ptr_nonnull(cluster_recall(ann.host.loop, "aa", take, NULL));
    for (int i = 0; i < 20; i++)
        nodes_turn();
    ck_assert_uint_eq(n_answers, before);
    server_do(&server, "SCRIPT KILL");
    UNTIL(n_answers > before);
    ck_assert_str_eq(answer, "value");
    redisFree(context);
}
END_TEST

static int calls_of_mget(void)
{
    const char *calls = strstr(server_do(&server, "INFO commandstats"), "cmdstat_mget:calls=");

    return calls != NULL ? atoi(calls + strlen("cmdstat_mget:calls=")) : 0;
}

/* Redis ends connections that carry much at once. */
START_TEST(many_large_values_through_a_narrow_redis)
{
    static char large[65536];
    redisContext *context = server_connect(&server);
    char key[16];

    memset(large, 'x', sizeof large - 1);
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "%x", i);
        ck_assert_int_eq(keep(&ann, key, 0, i < 200 ? large : "small"), WS_OK);
    }
    ck_assert_str_eq(recall(&ann, "3e7"), "small");
    n_answers = 0;
    for (int i = 200; i < 1000; i++) {
        snprintf(key, sizeof key, "%x", i);
        ck_assert_ptr_nonnull(cluster_recall(bob.host.loop, key, take, NULL));
    }
    UNTIL(n_answers == 800);
    ck_assert_int_lt(calls_of_mget(), 50);
    freeReplyObject(redisCommand(context, "CONFIG SET client-output-buffer-limit %s",
                                 "normal 1mb 512kb 5"));
    redisFree(context);
    for (int i = 0; i < 200; i++) {
        snprintf(key, sizeof key, "%x", i);
        ck_assert_ptr_nonnull(cluster_recall(bob.host.loop, key, take, NULL));
    }
    UNTIL(n_answers == 1000);
    ck_assert_uint_eq(strlen(answer), sizeof large - 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("redis-memories");
    TCase *cases = tcase_create("redis-memories");

    tcase_set_timeout(cases, 100);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, another_process_reads_a_value);
    tcase_add_test(cases, a_value_of_a_higher_rank_stays);
    tcase_add_test(cases, questions_are_answered_after_the_values_before_them);
    tcase_add_test(cases, large_values_and_many_questions);
    tcase_add_test(cases, values_and_questions_wait_while_redis_is_away);
    tcase_add_test(cases, what_waits_is_limited);
    tcase_add_test(cases, a_waiting_value_is_replaced);
    tcase_add_test(cases, without_memory_nothing_is_kept_or_asked);
    tcase_add_test(cases, refused_values_do_not_hold_up_events);
    tcase_add_test(cases, values_wait_while_redis_is_full);
    tcase_add_test(cases, an_answer_without_a_value_comes_after_the_values_before_it);
    tcase_add_test(cases, an_answer_is_unknown_if_the_values_before_it_are_refused);
    tcase_add_test(cases, questions_wait_while_redis_is_busy);
    tcase_add_test(cases, many_large_values_through_a_narrow_redis);
    suite_add_tcase(suite, cases);
    return suite_run_all(suite);
}
