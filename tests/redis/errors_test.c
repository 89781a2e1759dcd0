/* errors_test.c: Redis cannot or must not carry out a command: events wait, the host gets the
 * reason, and everything continues by itself. Not here: a Redis that is gone (loss_test.c), or a
 * server that is not Redis (impostor_test.c). */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "redis/support/node.h"
#include "redis/support/server.h"
#include "support/suite.h"

enum { N = 10 };

static struct server server;
static struct node ann;

static void begin(const char *const *options)
{
    server_start(&server, options);
    node_start(&ann, "ann", server.uri);
    UNTIL(ann.connected);
}

static void end(void)
{
    node_close(&ann);
    server_end(&server);
}

#define UNTIL_TOLD(text) UNTIL(strstr(ann.state, text) != NULL)

/* --- Redis is not ready, or refuses ----------------------------------------------------------- */

START_TEST(redis_is_loading)
{
    static const char *const slow[] = {"--enable-debug-command",
                                       "yes",
                                       "--key-load-delay",
                                       "20000",
                                       "--loading-process-events-interval-bytes",
                                       "1024",
                                       NULL};

    begin(slow);
    node_emit_numbers(&ann, 1, N);
    node_expect_stored(&ann, 1, N);
    server_do(&server, "DEBUG POPULATE 50 filler 4096");
    server_do(&server, "SAVE");
    server_signal(&server, SIGKILL);
    server_launch(&server);
    node_emit_numbers(&ann, N + 1, 2 * N);
    UNTIL_TOLD("LOADING");
    ck_assert_int_eq(ann.connected, 0);
    ck_assert_uint_eq(node_stat(&ann, "pending_events"), N);
    node_expect_stored(&ann, N + 1, 2 * N);
    ck_assert_uint_eq(ann.n_missed, 1);
    end();
}
END_TEST

/* A folder has the name of its snapshot. */
static void fail_to_save(const char *path)
{
    unlink(path);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    server_do(&server, "BGSAVE");
    UNTIL(strstr(server_do(&server, "INFO persistence"), "rdb_last_bgsave_status:err") != NULL);
}

/* The text of this error is longer than what is reported of it. */
START_TEST(a_snapshot_has_failed)
{
    static const char *const saving[] = {"--save", "3600 1", NULL};
    uint64_t first_ms;
    char path[128];
    unsigned n_told;

    begin(saving);
    snprintf(path, sizeof path, "%s/dump.rdb", server.folder);
    fail_to_save(path);
    node_emit_numbers(&ann, 1, N);
    UNTIL_TOLD("MISCONF");
    ck_assert_int_eq(ann.connected, 1);
    n_told = ann.n_told;
    first_ms = node_clock_ms();
    UNTIL(node_stat(&ann, "failures") >= 5);
    ck_assert_uint_eq(ann.n_told, n_told);
    ck_assert_uint_ge(node_clock_ms() - first_ms, 100 + 200); /* half of the last two waits */
    ck_assert_uint_eq(node_stat(&ann, "pending_events"), N);
    ck_assert_int_eq(rmdir(path), 0);
    server_do(&server, "BGSAVE");
    node_expect_stored(&ann, 1, N);
    UNTIL_TOLD("connected");
    fail_to_save(path);
    node_emit_numbers(&ann, N + 1, N + 1);
    UNTIL_TOLD("MISCONF");
    ck_assert_uint_le(ann.deadline_ms, node_clock_ms() + 50); /* as after the first failure */
    end();
}
END_TEST

static bool is_busy(redisContext *context)
{
    redisReply *reply = redisCommand(context, "GET nothing");
    bool busy = reply->type == REDIS_REPLY_ERROR && strstr(reply->str, "BUSY") != NULL;

    freeReplyObject(reply);
    return busy;
}

START_TEST(a_script_runs_without_end)
{
    redisContext *other;
    redisContext *third;
    int all_written = 0;

    begin(NULL);
    server_do(&server, "CONFIG SET lua-time-limit 1");
    other = server_connect(&server);
    third = server_connect(&server);
    redisAppendCommand(other, "EVAL %s 0", "while true do end");
    while (!all_written)
        ck_assert_int_eq(redisBufferWrite(other, &all_written), REDIS_OK);
    UNTIL(is_busy(third));
    node_emit_numbers(&ann, 1, N);
    UNTIL_TOLD("BUSY");
    ck_assert_uint_eq(ann.n_stored, 0);
    server_do(&server, "SCRIPT KILL");
    node_expect_stored(&ann, 1, N);
    UNTIL_TOLD("connected");
    redisFree(other);
    redisFree(third);
    end();
}
END_TEST

START_TEST(too_few_replicas)
{
    begin(NULL);
    server_do(&server, "CONFIG SET min-replicas-to-write 1");
    node_emit_numbers(&ann, 1, N);
    UNTIL_TOLD("NOREPLICAS");
    ck_assert_uint_eq(ann.n_stored, 0);
    server_do(&server, "CONFIG SET min-replicas-to-write 0");
    node_expect_stored(&ann, 1, N);
    end();
}
END_TEST

START_TEST(a_replica_without_its_master)
{
    begin(NULL);
    server_do(&server, "CONFIG SET replica-serve-stale-data no");
    server_do(&server, "REPLICAOF 127.0.0.1 1");
    node_emit_numbers(&ann, 1, N);
    UNTIL_TOLD("MASTERDOWN");
    ck_assert_int_eq(ann.connected, 0);
    server_do(&server, "REPLICAOF NO ONE");
    node_expect_stored(&ann, 1, N);
    ck_assert_uint_eq(ann.n_missed, 1);
    end();
}
END_TEST

/* --- connections ------------------------------------------------------------------------------ */

START_TEST(too_many_clients)
{
    redisContext *other;

    begin(NULL);
    other = server_connect(&server);
    freeReplyObject(redisCommand(other, "CONFIG SET maxclients 1"));
    freeReplyObject(redisCommand(other, "CLIENT KILL TYPE normal SKIPME yes"));
    node_emit_numbers(&ann, 1, N);
    UNTIL_TOLD("max number of clients");
    ck_assert_int_eq(ann.connected, 0);
    freeReplyObject(redisCommand(other, "CONFIG SET maxclients 100"));
    node_expect_stored(&ann, 1, N);
    redisFree(other);
    end();
}
END_TEST

/* Another client ends the blocking read, by an error. */
START_TEST(the_blocking_read_is_unblocked)
{
    int id;

    begin(NULL);
    UNTIL(sscanf(server_do(&server, "CLIENT LIST TYPE normal"), "id=%d", &id) == 1 &&
          strstr(server_do(&server, "INFO clients"), "blocked_clients:1") != NULL);
    for (int i = id; strcmp(server_do(&server, "CLIENT UNBLOCK %d ERROR", i), "1") != 0; i++)
        ck_assert_int_lt(i, id + 1000);
    UNTIL_TOLD("UNBLOCKED");
    node_emit_numbers(&ann, 1, N);
    node_expect_stored(&ann, 1, N);
    ck_assert_uint_eq(ann.n_missed, 1);
    end();
}
END_TEST

/* --- permissions ------------------------------------------------------------------------------ */

START_TEST(the_password_is_changed)
{
    static const char *const options[] = {"--requirepass", "first", NULL};
    char uri[128];

    server_start(&server, options);
    snprintf(uri, sizeof uri, "redis://:first@127.0.0.1:%d", server.port);
    node_start(&ann, "ann", uri);
    UNTIL(ann.connected);
    server_do(&server, "CONFIG SET requirepass second");
    server.password = "second";
    server_do(&server, "CLIENT KILL TYPE normal SKIPME yes");
    node_emit_numbers(&ann, 1, N);
    UNTIL_TOLD("WRONGPASS");
    ck_assert_int_eq(ann.connected, 0);
    server_do(&server, "CONFIG SET requirepass first");
    server.password = "first";
    node_expect_stored(&ann, 1, N);
    ck_assert_uint_eq(ann.n_missed, 1);
    end();
}
END_TEST

static void begin_as_user(void)
{
    char uri[128];

    server_start(&server, NULL);
    server_do(&server, "ACL SETUSER ann on >secret ~{wsmanager}:* +@all");
    snprintf(uri, sizeof uri, "redis://ann:secret@127.0.0.1:%d", server.port);
    node_start(&ann, "ann", uri);
    UNTIL(ann.connected);
}

/* Each permission is removed and found missing, and nothing is lost or doubled when it is back. */
START_TEST(permissions_that_change)
{
    static const char *const rights[] = {"eval", "xread", "hmget", "xadd", "xrevrange"};
    const size_t n = sizeof rights / sizeof *rights;
    int first = 1;

    begin_as_user();
    for (size_t i = 0; i < n; i++, first += N) {
        server_do(&server, "ACL SETUSER ann -%s", rights[i]);
        server_do(&server, "CLIENT KILL USER ann");
        node_emit_numbers(&ann, first, first + N - 1);
        UNTIL(!ann.connected);
        UNTIL(strstr(ann.state, "permission") != NULL ||
              strstr(ann.state, "can't run") != NULL);
        server_do(&server, "ACL SETUSER ann +%s", rights[i]);
        node_expect_stored(&ann, first, first + N - 1);
    }
    ck_assert_uint_eq(ann.n_missed, 1);
    end();
}
END_TEST

/* With only half of the permissions for an event, nothing is stored. */
START_TEST(half_of_the_permissions)
{
    static const char *const rights[] = {"hset", "set"};

    for (size_t i = 0; i < 2; i++) {
        begin_as_user();
        node_emit_numbers(&ann, 1, N);
        node_expect_stored(&ann, 1, N);
        server_do(&server, "ACL SETUSER ann -%s", rights[i]);
        server_do(&server, "CLIENT KILL USER ann");
        node_emit_numbers(&ann, N + 1, 2 * N);
        UNTIL_TOLD("NOPERM");
        server_do(&server, "ACL SETUSER ann +%s", rights[i]);
        node_expect_stored(&ann, N + 1, 2 * N);
        ck_assert_uint_eq(ann.n_missed, 1);
        end();
    }
}
END_TEST

/* A permission is removed while the connections last: one event is half stored. Its remains are
 * removed, or, if its producer's number is missing, it is stored once more. */
START_TEST(an_event_that_is_half_stored)
{
    static const struct {
        const char *right;
        const char *length; /* of the stream afterwards */
        int position;
    } cases[] = {{"hset", "1", N + 1}, {"set", "12", N + 2}};

    for (size_t i = 0; i < 2; i++) {
        begin_as_user();
        node_emit_numbers(&ann, 1, N);
        node_expect_stored(&ann, 1, N);
        server_do(&server, "ACL SETUSER ann -%s", cases[i].right);
        node_emit_numbers(&ann, N + 1, N + 1);
        UNTIL_TOLD("NOPERM");
        server_do(&server, "ACL SETUSER ann +%s", cases[i].right);
        UNTIL(ann.n_stored == N + 1);
        UNTIL(node_stat(&ann, "position") == (uint64_t)cases[i].position);
        ck_assert_str_eq(server_do(&server, "XLEN {wsmanager}:events"), cases[i].length);
        end();
    }
}
END_TEST

int main(void)
{
    return suite_run("redis-errors",
                     (const TTest *const[]){
                         redis_is_loading, a_snapshot_has_failed, a_script_runs_without_end,
                         too_few_replicas, a_replica_without_its_master, too_many_clients,
                         the_blocking_read_is_unblocked, the_password_is_changed,
                         permissions_that_change, half_of_the_permissions,
                         an_event_that_is_half_stored, NULL});
}
