/* strangers_test.c: other programs have written to our keys: invalid data is skipped, and data that
 * blocks our events is found and removed. Not here: errors that Redis reports (errors_test.c). */
#include <string.h>

#include "redis/support/node.h"
#include "redis/support/server.h"
#include "support/suite.h"

enum { N = 10 };

static struct server server;
static struct node ann;

static void begin(void)
{
    server_start(&server, NULL);
    node_start(&ann, "ann", server.uri);
    UNTIL(ann.connected);
}

static void end(void)
{
    node_close(&ann);
    server_end(&server);
}

#define UNTIL_TOLD(text) UNTIL(strstr(ann.state, text) != NULL)

START_TEST(keys_of_another_kind)
{
    server_start(&server, NULL);
    server_do(&server, "SET {wsmanager}:state x");
    node_start(&ann, "ann", server.uri);
    UNTIL_TOLD("WRONGTYPE");
    server_do(&server, "DEL {wsmanager}:state");
    UNTIL(ann.connected);
    server_do(&server, "SET {wsmanager}:events x");
    ck_assert_int_eq(node_emit(&ann, 1), WS_OK);
    UNTIL_TOLD("WRONGTYPE");
    server_do(&server, "DEL {wsmanager}:events");
    node_expect(&ann, 1, 1);
    end();
}
END_TEST

/* Entries that no process of ours wrote are skipped. */
START_TEST(foreign_entries_are_skipped)
{
    server_start(&server, NULL);
    server_do(&server, "HSET {wsmanager}:state epoch abcdefghij position 0");
    server_do(&server, "XADD {wsmanager}:events 0-5 event {\"a\":1}");
    node_start(&ann, "ann", server.uri);
    UNTIL(ann.connected);
    server_do(&server, "XADD {wsmanager}:events 1-0 something else");
    server_do(&server, "XADD {wsmanager}:events 2-0 event not-json");
    server_do(&server, "XADD {wsmanager}:events 3-0 event {\"a\":1} user %s", "");
    server_do(&server, "XADD {wsmanager}:events 4-0 event {\"data\":{\"n\":7}} x event y z");
    server_do(&server, "HSET {wsmanager}:state position 4");
    node_expect(&ann, 7, 7);
    ck_assert_int_eq(node_emit(&ann, 1), WS_OK);
    node_expect(&ann, 1, 1);
    ck_assert_uint_eq(node_stat(&ann, "position"), 5);
    end();
}
END_TEST

/* The entry's id is far in the future: no event could follow it. */
START_TEST(a_foreign_entry_far_ahead)
{
    begin();
    node_emit_numbers(&ann, 1, N);
    node_expect_stored(&ann, 1, N);
    server_do(&server, "XADD {wsmanager}:events * event {\"a\":1}");
    UNTIL(ann.n_missed == 2);
    node_emit_numbers(&ann, N + 1, 2 * N);
    node_expect_stored(&ann, N + 1, 2 * N);
    ck_assert_uint_eq(ann.n_missed, 3);
    ck_assert_uint_eq(node_stat(&ann, "position"), 2 * N);
    end();
}
END_TEST

/* Another program begins another stream: the first to notice is either the reader or the writer. */
START_TEST(another_epoch)
{
    bool by_writer = false;

    begin();
    for (int first = 1; !by_writer; first += N) {
        ck_assert_int_lt(first, 10 * N);
        server_do(&server, "HSET {wsmanager}:state epoch %s",
                  first % 20 == 1 ? "abcdefghij" : "jihgfedcba");
        node_emit_numbers(&ann, first, first + N - 1);
        UNTIL(!ann.connected);
        by_writer = strcmp(ann.state, "EPOCH is another one") == 0;
        ck_assert_uint_eq(ann.n_stored, (size_t)(first - 1));
        UNTIL(ann.n_stored == (size_t)(first + N - 1));
    }
    end();
}
END_TEST

static void go_on_anew(int first, size_t n_missed)
{
    UNTIL(ann.n_missed == n_missed);
    node_emit_numbers(&ann, first, first + N - 1);
    node_expect_stored(&ann, first, first + N - 1);
    ck_assert_uint_eq(node_stat(&ann, "position"), N);
}

START_TEST(the_state_is_damaged)
{
    begin();
    node_emit_numbers(&ann, 1, N);
    node_expect_stored(&ann, 1, N);
    server_do(&server, "HDEL {wsmanager}:state position");
    go_on_anew(N + 1, 2);
    server_do(&server, "HSET {wsmanager}:state position x");
    go_on_anew(2 * N + 1, 3);
    server_do(&server, "HDEL {wsmanager}:state epoch");
    go_on_anew(3 * N + 1, 4);
    /* An epoch that is not the process's is replaced, and the stream continues. */
    server_do(&server, "HSET {wsmanager}:state epoch ABCDEFGHIJ");
    UNTIL(ann.n_missed == 5);
    node_emit_numbers(&ann, 4 * N + 1, 5 * N);
    node_expect_stored(&ann, 4 * N + 1, 5 * N);
    ck_assert_uint_eq(node_stat(&ann, "position"), 2 * N);
    end();
}
END_TEST

/* A process that does not know an epoch yet reports that the damaged one is not valid. */
START_TEST(the_epoch_is_damaged_at_the_start)
{
    server_start(&server, NULL);
    server_do(&server, "HSET {wsmanager}:state epoch ABCDEFGHIJ position 0");
    node_start(&ann, "ann", server.uri);
    UNTIL_TOLD("is not valid");
    server_do(&server, "HDEL {wsmanager}:state epoch");
    UNTIL(ann.connected);
    end();
}
END_TEST

/* Keys that only describe processes, or hold a producer's number, are no reason to stop. */
START_TEST(other_keys_of_another_kind)
{
    server_start(&server, NULL);
    server_do(&server, "SET {wsmanager}:nodes x");
    server_do(&server, "SADD {wsmanager}:producer:outbox x");
    node_start(&ann, "ann", server.uri);
    node_emit_numbers(&ann, 1, N);
    node_expect_stored(&ann, 1, N);
    ck_assert_int_eq(node_emit_asking(&ann, N + 1, "outbox", 1), WS_OK);
    UNTIL_TOLD("WRONGTYPE");
    ck_assert_int_eq(ann.connected, 1);
    server_do(&server, "DEL {wsmanager}:producer:outbox");
    node_expect_stored(&ann, N + 1, N + 1);
    UNTIL_TOLD("connected");
    end();
}
END_TEST

int main(void)
{
    return suite_run("redis-strangers",
                     (const TTest *const[]){
                         keys_of_another_kind, foreign_entries_are_skipped,
                         a_foreign_entry_far_ahead, another_epoch, the_state_is_damaged,
                         the_epoch_is_damaged_at_the_start, other_keys_of_another_kind, NULL});
}
