/* append_test.c: the script that stores a batch: which events it considers new, what it remembers
 * when one of them fails, how few commands it needs, and how it is named. Not here: a carrier's
 * reaction to failures of Redis (limits_test.c, loss_test.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "cluster/redis/command.h"
#include "cluster/redis/scripts.h"
#include "redis/support/node.h"
#include "redis/support/server.h"
#include "support/suite.h"

#define STATE "{wsmanager}:state"
#define EVENTS "{wsmanager}:events"
#define ANN "{wsmanager}:producer:ann"
#define BOB "{wsmanager}:producer:bob"

struct event {
    const char *producer; /* its key */
    const char *sequence;
};

static struct server server;
static redisContext *context;
static redisReply *answer; /* to the last batch */
static const char *text;   /* of each event */

static void begin(void)
{
    server_start(&server, NULL);
    context = redisConnect("127.0.0.1", server.port);
    ck_assert_ptr_nonnull(context);
    ck_assert_int_eq(context->err, 0);
    server_do(&server, "HSET " STATE " epoch e position 0");
    text = "{}";
}

static void end(void)
{
    freeReplyObject(answer);
    answer = NULL;
    redisFree(context);
    server_end(&server);
}

/* --- batches ---------------------------------------------------------------------------------- */

/* Stores n events for everyone. */
static void append(const struct event *events, size_t n)
{
    static struct command command;
    char n_keys[16];

    snprintf(n_keys, sizeof n_keys, "%zu", n + 2);
    command.count = 0;
    command_add_text(&command, "EVAL");
    command_add_text(&command, script_append);
    command_add_text(&command, n_keys);
    command_add_text(&command, STATE);
    command_add_text(&command, EVENTS);
    for (size_t i = 0; i < n; i++)
        command_add_text(&command, events[i].producer);
    command_add_text(&command, "e");
    command_add_text(&command, "7");
    command_add_text(&command, "1000");
    for (size_t i = 0; i < n; i++) {
        command_add_text(&command, events[i].sequence);
        command_add_text(&command, "everyone");
        command_add_text(&command, "");
        command_add_text(&command, "");
        command_add_text(&command, text);
        command_add_text(&command, "");
    }
    freeReplyObject(answer);
    answer = redisCommandArgv(context, command.count, command.arguments, command.lengths);
    ck_assert_ptr_nonnull(answer);
}

#define APPEND(...)                                                                            \
    append((const struct event[]){__VA_ARGS__},                                                \
           sizeof((const struct event[]){__VA_ARGS__}) / sizeof(struct event))

static void expect_positions(const long long *positions, size_t n)
{
    ck_assert_msg(answer->type == REDIS_REPLY_ARRAY, "%s", answer->str);
    ck_assert_uint_eq(answer->elements, n);
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(answer->element[i]->integer, positions[i]);
}

/* Checks that the events were stored at these positions; 0: before. */
#define EXPECT(...)                                                                            \
    expect_positions((const long long[]){__VA_ARGS__},                                         \
                     sizeof((const long long[]){__VA_ARGS__}) / sizeof(long long))

static void expect_error(const char *part)
{
    ck_assert_int_eq(answer->type, REDIS_REPLY_ERROR);
    ck_assert_msg(strstr(answer->str, part) != NULL, "%s", answer->str);
}

static void expect_state(const char *position, const char *ann, const char *bob)
{
    ck_assert_str_eq(server_do(&server, "HGET " STATE " position"), position);
    ck_assert_str_eq(server_do(&server, "GET " ANN), ann);
    ck_assert_str_eq(server_do(&server, "GET " BOB), bob);
}

/* A number from INFO about a command since CONFIG RESETSTAT; 0 if it was not called. */
static int statistic(const char *command, const char *name)
{
    const char *info = server_do(&server, "INFO commandstats");
    char line[64];

    snprintf(line, sizeof line, "cmdstat_%s:", command);
    info = strstr(info, line);
    return info != NULL ? atoi(strstr(info, name) + strlen(name)) : 0;
}

static int calls(const char *command)
{
    return statistic(command, "calls=");
}

/* --- new events ------------------------------------------------------------------------------- */

START_TEST(a_batch_of_several_producers)
{
    begin();
    APPEND({ANN, "1"}, {BOB, "5"}, {ANN, "2"}, {BOB, "4"}, {BOB, "6"}, {ANN, "2"});
    EXPECT(1, 2, 3, 0, 4, 0);
    expect_state("4", "2", "6");
    ck_assert_str_eq(server_do(&server, "XLEN " EVENTS), "4");
    ck_assert_int_gt(atoi(server_do(&server, "TTL " ANN)), 86000);
    ck_assert_int_gt(atoi(server_do(&server, "TTL " BOB)), 86000);
    end();
}
END_TEST

START_TEST(a_batch_that_was_stored_in_part)
{
    begin();
    APPEND({ANN, "1"}, {ANN, "2"}, {BOB, "1"}, {ANN, "3"});
    EXPECT(1, 2, 3, 4);
    APPEND({BOB, "1"}, {ANN, "3"}, {ANN, "4"}, {BOB, "1"}, {ANN, "5"});
    EXPECT(0, 0, 5, 0, 6);
    expect_state("6", "5", "1");
    ck_assert_str_eq(server_do(&server, "XLEN " EVENTS), "6");
    end();
}
END_TEST

START_TEST(long_sequences_of_numbers)
{
    begin();
    APPEND({ANN, "9"}, {ANN, "10"}, {ANN, "9"}, {ANN, "99"}, {ANN, "100"}, {ANN, "20"});
    EXPECT(1, 2, 0, 3, 4, 0);
    APPEND({ANN, "9007199254740992"}, {ANN, "9007199254740993"}, {ANN, "9007199254740993"});
    EXPECT(5, 6, 0);
    APPEND({ANN, "9007199254740992"}, {ANN, "9007199254740994"});
    EXPECT(0, 7);
    APPEND({ANN, "18446744073709551614"}, {ANN, "18446744073709551615"});
    EXPECT(8, 9);
    APPEND({ANN, "18446744073709551614"}, {ANN, "18446744073709551615"}, {ANN, "9"});
    EXPECT(0, 0, 0);
    expect_state("9", "18446744073709551615", "nil");
    end();
}
END_TEST

/* --- failures --------------------------------------------------------------------------------- */

/* At Lua's largest exact integer, the fourth event would get the third one's id. */
START_TEST(an_id_is_refused_in_the_middle)
{
    begin();
    server_do(&server, "HSET " STATE " position 9007199254740989");
    APPEND({ANN, "1"}, {ANN, "2"}, {BOB, "1"}, {BOB, "2"}, {ANN, "3"});
    expect_error("ID");
    expect_state("9007199254740992", "2", "1");
    ck_assert_str_eq(server_do(&server, "XLEN " EVENTS), "3");
    server_do(&server, "DEL " EVENTS);
    server_do(&server, "HSET " STATE " position 10");
    APPEND({ANN, "1"}, {ANN, "2"}, {BOB, "1"}, {BOB, "2"}, {ANN, "3"});
    EXPECT(0, 0, 0, 11, 12);
    end();
}
END_TEST

START_TEST(a_producer_fails_in_the_middle)
{
    begin();
    server_do(&server, "RPUSH " BOB " x");
    APPEND({ANN, "1"}, {ANN, "2"}, {BOB, "1"}, {ANN, "3"});
    expect_error("WRONGTYPE");
    ck_assert_str_eq(server_do(&server, "LLEN " BOB), "1");
    server_do(&server, "DEL " BOB);
    expect_state("2", "2", "nil");
    APPEND({ANN, "1"}, {ANN, "2"}, {BOB, "1"}, {ANN, "3"});
    EXPECT(0, 0, 3, 4);
    end();
}
END_TEST

/* The first event fails: nothing is stored, and nothing remembered. */
START_TEST(the_first_event_fails)
{
    begin();
    APPEND({ANN, "1"});
    EXPECT(1);
    server_do(&server, "XADD " EVENTS " 100-1 event {}");
    APPEND({BOB, "1"}, {ANN, "2"});
    expect_error("ID");
    expect_state("1", "1", "nil");
    server_do(&server, "SET " EVENTS " x");
    APPEND({ANN, "1"}, {BOB, "1"}, {ANN, "2"});
    expect_error("WRONGTYPE");
    expect_state("1", "1", "nil");
    server_do(&server, "HSET " STATE " epoch f");
    APPEND({ANN, "2"});
    expect_error("EPOCH");
    end();
}
END_TEST

static long long memory(const char *name)
{
    const char *found = strstr(server_do(&server, "INFO memory"), name);

    ck_assert_ptr_nonnull(found);
    return atoll(found + strlen(name));
}

/* Once a script has written something, Redis refuses no command for lack of memory. */
START_TEST(memory_runs_out_in_the_middle)
{
    enum { N = BATCH_MAX_EVENTS, BYTES = 8192 };
    static char filling[BYTES];
    static char digits[N][16];
    struct event events[N];
    long long limit;

    begin();
    for (int i = 0; i < N; i++) {
        snprintf(digits[i], sizeof digits[i], "%d", i + 1);
        events[i] = (struct event){ANN, digits[i]};
    }
    memset(filling, 'x', BYTES - 1);
    text = filling;
    limit =
        memory("used_memory:") + N * BYTES * 3LL / 2; /* the command takes two thirds of it */
    server_do(&server, "CONFIG SET maxmemory %lld", limit);
    append(events, N);
    ck_assert_msg(answer->type == REDIS_REPLY_ARRAY, "%s", answer->str);
    ck_assert_int_eq(answer->element[N - 1]->integer, N);
    ck_assert_int_gt(memory("used_memory_peak:"), limit);
    expect_state("256", "256", "nil");
    end();
}
END_TEST

/* Events that are already stored need no memory. */
START_TEST(memory_runs_out_before)
{
    begin();
    APPEND({ANN, "1"});
    server_do(&server, "CONFIG SET maxmemory 1");
    APPEND({BOB, "1"}, {ANN, "2"});
    expect_error("OOM");
    expect_state("1", "1", "nil");
    APPEND({ANN, "1"});
    EXPECT(0);
    server_do(&server, "CONFIG SET maxmemory 0");
    APPEND({ANN, "1"}, {BOB, "1"}, {ANN, "2"});
    EXPECT(0, 2, 3);
    end();
}
END_TEST

/* A carrier's batch: readers receive the events before the failure at once, the others after the
 * failure ends, and each event once. */
START_TEST(the_carrier_continues_after_a_failure)
{
    struct node node;

    begin();
    server_do(&server, "DEL " STATE);
    server_do(&server, "RPUSH " BOB " x");
    node_start(&node, "node", server.uri);
    UNTIL(node.connected);
    for (int i = 1; i <= 6; i++)
        ck_assert_int_eq(node_emit_asking(&node, i, i == 4 ? "bob" : "ann", (uint64_t)i),
                         WS_OK);
    UNTIL(strstr(node.state, "WRONGTYPE") != NULL);
    node_expect(&node, 1, 3);
    ck_assert_uint_eq(node_stat(&node, "pending_events"), 6);
    server_do(&server, "DEL " BOB);
    node_expect(&node, 4, 6);
    UNTIL(node.n_stored == 6);
    ck_assert_uint_eq(node_stat(&node, "duplicates"), 3);
    expect_state("6", "6", "4");
    node_close(&node);
    end();
}
END_TEST

/* --- number of commands ----------------------------------------------------------------------- */

/* For any number of events the position is stored once, each producer's number is read and stored
 * once, and nothing is written for events that are already stored. */
START_TEST(few_commands_for_a_batch)
{
    begin();
    server_do(&server, "CONFIG RESETSTAT");
    APPEND({ANN, "1"}, {BOB, "1"}, {ANN, "2"}, {BOB, "2"}, {ANN, "3"}, {BOB, "3"});
    ck_assert_int_eq(calls("xadd"), 6);
    ck_assert_int_eq(calls("xtrim"), 1);
    ck_assert_int_eq(calls("hset"), 1);
    ck_assert_int_eq(calls("get"), 2);
    ck_assert_int_eq(calls("set"), 2);
    server_do(&server, "CONFIG RESETSTAT");
    APPEND({ANN, "1"}, {BOB, "1"}, {ANN, "2"}, {BOB, "2"}, {ANN, "3"}, {BOB, "3"});
    EXPECT(0, 0, 0, 0, 0, 0);
    ck_assert_int_eq(calls("get"), 2);
    ck_assert_int_eq(calls("xadd") + calls("xtrim") + calls("hset") + calls("set"), 0);
    end();
}
END_TEST

/* The script's text is sent once in a session, and again when Redis has lost it. */
START_TEST(the_script_is_sent_once)
{
    struct node node;

    begin();
    server_do(&server, "DEL " STATE);
    node_start(&node, "node", server.uri);
    UNTIL(node.connected);
    for (int i = 1; i <= 6; i++) {
        if (i == 4)
            server_do(&server, "SCRIPT FLUSH");
        ck_assert_int_eq(node_emit_asking(&node, i, NULL, 0), WS_OK);
        UNTIL(node.n_stored == (size_t)i);
        ck_assert_int_eq(statistic("evalsha", "failed_calls="), i < 4 ? 0 : 1);
    }
    ck_assert_int_eq(calls("evalsha"), 5);
    ck_assert_uint_eq(node_stat(&node, "failures"), 0);
    node_expect(&node, 1, 6);
    ck_assert_str_eq(server_do(&server, "SCRIPT LOAD %s", script_append), script_append_digest);
    node_close(&node);
    end();
}
END_TEST

int main(void)
{
    return suite_run(
        "redis-append",
        (const TTest *const[]){a_batch_of_several_producers, a_batch_that_was_stored_in_part,
                               long_sequences_of_numbers, an_id_is_refused_in_the_middle,
                               a_producer_fails_in_the_middle, the_first_event_fails,
                               memory_runs_out_in_the_middle, memory_runs_out_before,
                               the_carrier_continues_after_a_failure, few_commands_for_a_batch,
                               the_script_is_sent_once, NULL});
}
