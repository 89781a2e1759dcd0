/* loss_test.c: connections that are cut, a Redis that is killed, paused or loses its data: every
 * event is stored once and in order, and clients that may have missed one are notified. Not here: a
 * Redis that comes back with older data (older_data_test.c). */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "redis/support/node.h"
#include "redis/support/server.h"
#include "support/suite.h"

enum { ID_SIZE = 64 };

static struct server server;
static struct node ann;
static struct node bob;

static const char *const durable[] = {"--appendonly", "yes", "--appendfsync", "always", NULL};

static void begin_with_timeout(const char *const *options, int timeout_ms)
{
    char uri[192];

    server_start(&server, options);
    snprintf(uri, sizeof uri, "%s?timeout_ms=%d", server.uri, timeout_ms);
    node_start(&ann, "ann", uri);
    node_start(&bob, "bob", uri);
    UNTIL(ann.connected && bob.connected);
    ck_assert_uint_eq(
        ann.n_missed,
        1); /* clients that connected before the start may have missed something */
    ck_assert_uint_eq(bob.n_missed, 1);
}

static void begin(const char *const *options)
{
    begin_with_timeout(options, 20000);
}

static void end(void)
{
    node_close(&ann);
    node_close(&bob);
    server_end(&server);
}

static void expect_both(int first, int last)
{
    UNTIL(ann.n_stored == (size_t)last);
    node_expect(&ann, first, last);
    node_expect(&bob, first, last);
}

/* While commands are on their way, at another moment each time. */
START_TEST(connections_are_cut)
{
    enum { ROUNDS = 30, EACH = 300 };

    begin(NULL);
    for (int round = 0; round < ROUNDS; round++) {
        UNTIL(ann.connected);
        node_emit_numbers(&ann, round * EACH + 1, (round + 1) * EACH);
        for (int turn = 0; turn < round % 5; turn++)
            nodes_turn();
        server_do(&server, "CLIENT KILL TYPE normal SKIPME yes");
    }
    expect_both(1, ROUNDS * EACH);
    ck_assert_uint_eq(ann.n_missed, 1);
    ck_assert_uint_eq(bob.n_missed, 1);
    ck_assert_uint_gt(node_stat(&ann, "sessions"), ROUNDS / 4);
    end();
}
END_TEST

START_TEST(redis_is_killed_and_restarted)
{
    enum { ROUNDS = 4, EACH = 1000 };

    begin(durable);
    for (int round = 0; round < ROUNDS; round++) {
        node_emit_numbers(&ann, round * EACH + 1, (round + 1) * EACH);
        for (int turn = 0; turn < 2 + round; turn++)
            nodes_turn();
        server_signal(&server, SIGKILL);
        UNTIL(!ann.connected && !bob.connected);
        server_restart(&server);
    }
    expect_both(1, ROUNDS * EACH);
    ck_assert_uint_eq(ann.n_missed, 1);
    ck_assert_uint_eq(bob.n_missed, 1);
    end();
}
END_TEST

START_TEST(redis_is_paused)
{
    begin_with_timeout(NULL, 300);
    node_emit_numbers(&ann, 1, 10);
    expect_both(1, 10);
    server_signal(&server, SIGSTOP);
    node_emit_numbers(&ann, 11, 20);
    UNTIL(!ann.connected && !bob.connected);
    ck_assert_ptr_nonnull(strstr(ann.state, "no reply within "));
    server_signal(&server, SIGCONT);
    expect_both(11, 20);
    ck_assert_uint_eq(ann.n_missed, 1);
    end();
}
END_TEST

/* The events that were stored before the client was notified of the gap are among these. */
static void expect_end_of(const struct node *node, int first, int last)
{
    ck_assert_uint_le(node->n_got, (size_t)(last - first + 1));
    for (size_t i = 0; i < node->n_got; i++)
        ck_assert_int_eq(node->got[i], last - (int)(node->n_got - 1 - i));
}

/* No event is sent meanwhile: the reader detects it. */
START_TEST(redis_is_flushed_while_no_event_is_sent)
{
    uint64_t sessions;

    begin(NULL);
    node_emit_numbers(&ann, 1, 10);
    expect_both(1, 10);
    server_do(&server, "FLUSHALL");
    UNTIL(ann.n_missed == 2 && bob.n_missed == 2);
    ck_assert_uint_eq(node_stat(&ann, "position"), 0);
    sessions = node_stat(&ann, "sessions");
    server_do(&server, "CLIENT KILL TYPE normal SKIPME yes");
    UNTIL(node_stat(&ann, "sessions") > sessions);
    node_emit_numbers(&ann, 11, 20);
    expect_both(11, 20);
    ck_assert_uint_eq(node_stat(&bob, "position"), 10);
    ck_assert_uint_eq(ann.n_missed, 2);
    ck_assert_uint_eq(bob.n_missed, 2);
    end();
}
END_TEST

START_TEST(redis_is_flushed_while_events_flow)
{
    begin(NULL);
    node_emit_numbers(&ann, 1, 10);
    expect_both(1, 10);
    server_do(&server, "FLUSHALL");
    node_emit_numbers(&ann, 11, 1000);
    UNTIL(ann.n_stored == 1000);
    ck_assert_str_eq(server_do(&server, "XLEN {wsmanager}:events"), "990");
    UNTIL(node_stat(&ann, "position") == 990 && node_stat(&bob, "position") == 990);
    ck_assert_uint_eq(ann.n_missed, 2);
    ck_assert_uint_eq(bob.n_missed, 2);
    expect_end_of(&ann, 11, 1000);
    expect_end_of(&bob, 11, 1000);
    end();
}
END_TEST

/* Clients are notified of the gap, and receive the events behind it. */
START_TEST(the_stream_is_trimmed_meanwhile)
{
    begin_with_timeout(NULL, 300);
    node_emit_numbers(&ann, 1, 10);
    expect_both(1, 10);
    server_signal(&server, SIGSTOP);
    UNTIL(!ann.connected && !bob.connected);
    server_signal(&server, SIGCONT);
    for (int i = 11; i <= 30; i++)
        server_do(&server,
                  "XADD {wsmanager}:events %d-7 event "
                  "{\"type\":\"notification\",\"data\":{\"n\":%d}}",
                  i, i);
    server_do(&server, "HSET {wsmanager}:state position 30");
    server_do(&server, "XTRIM {wsmanager}:events MAXLEN 5");
    UNTIL(ann.n_missed == 2 && bob.n_missed == 2);
    node_expect(&ann, 26, 30);
    node_expect(&bob, 26, 30);
    node_emit_numbers(&ann, 11, 20);
    expect_both(11, 20);
    ck_assert_uint_eq(node_stat(&ann, "position"), 40);
    end();
}
END_TEST

START_TEST(scripts_are_lost)
{
    begin(NULL);
    node_emit_numbers(&ann, 1, 10);
    expect_both(1, 10);
    server_do(&server, "SCRIPT FLUSH");
    node_emit_numbers(&ann, 11, 20);
    expect_both(11, 20);
    ck_assert_uint_eq(node_stat(&ann, "failures"), 0);
    end();
}
END_TEST

/* A client comes back that has seen the first event; its process has to fetch the missed events
 * from Redis. */
static void come_back(struct node *node, struct client *client, const char *after)
{
    ws_connect_options options;

    *client = (struct client){.host = &node->host, .name = "back", .hook_data = node};
    client_options(client, &options);
    options.after = after;
    ck_assert_int_eq(
        ws_manager_connect(node->host.manager, node->host.loop, &options, &client->id), WS_OK);
}

/* The stream has n events, of which a third process knows only the newest; `after` is the id of the
 * first. */
static void begin_eve(struct node *eve, int n, char after[ID_SIZE])
{
    node_emit_numbers(&ann, 1, n);
    expect_both(1, n);
    snprintf(after, ID_SIZE, "%.10s.1", ann.stored_id);
    node_init(eve, "eve", server.uri);
    eve->options.preload_events = 1;
    node_open(eve);
    UNTIL(eve->connected);
}

/* Requests meanwhile wait, and are given up in the end. */
START_TEST(recovery_while_redis_is_away)
{
    enum { N = 100 };
    struct client back;
    struct client late;
    struct node eve;
    char after[ID_SIZE];

    begin(durable);
    begin_eve(&eve, N, after);
    server_signal(&server, SIGKILL);
    UNTIL(!eve.connected);
    come_back(&eve, &back, after);
    UNTIL(node_stat(&eve, "pending_fetches") == 1);
    server_restart(&server);
    UNTIL(back.n_messages == 1 + N - 1 + 1);
    ck_assert_ptr_nonnull(strstr(back.messages[N], "\"complete\":true"));
    server_signal(&server, SIGKILL);
    UNTIL(!eve.connected);
    eve.skipped_ms = 60000; /* fetched events are not kept that long */
    nodes_turn();
    come_back(&eve, &late, after);
    UNTIL(node_stat(&eve, "pending_fetches") == 1);
    node_close(&eve);
    client_free(&back);
    client_free(&late);
    end();
}
END_TEST

/* The answer to a fetch is lost. */
START_TEST(recovery_is_cut)
{
    enum { N = 10 };
    struct client back;
    struct node eve;
    char after[ID_SIZE];

    begin(durable);
    begin_eve(&eve, N, after);
    server_signal(&server, SIGSTOP);
    come_back(&eve, &back, after);
    UNTIL(node_stat(&eve, "pending_fetches") == 1 && !eve.is_woken); /* the request was sent */
    server_signal(&server, SIGKILL);
    server_restart(&server);
    UNTIL(back.n_messages == 1 + N - 1 + 1);
    ck_assert_ptr_nonnull(strstr(back.messages[N], "\"complete\":true"));
    node_close(&eve);
    client_free(&back);
    end();
}
END_TEST

/* Entries are gone before they were read: clients are notified, although nothing else arrives. */
START_TEST(entries_are_gone)
{
    enum { N = 10 };

    begin(NULL);
    node_emit_numbers(&ann, 1, N);
    expect_both(1, N);
    server_do(&server, "HINCRBY {wsmanager}:state position 5");
    UNTIL(ann.n_missed == 2 && bob.n_missed == 2);
    ck_assert_uint_eq(node_stat(&bob, "position"), N + 5);
    node_emit_numbers(&ann, N + 1, N + 1);
    node_expect(&bob, N + 1, N + 1);
    end();
}
END_TEST

/* Another stream has replaced the one with a client's missed events. */
START_TEST(recovery_from_another_stream)
{
    enum { N = 10 };
    struct client back;
    struct node eve;
    char after[ID_SIZE];

    begin(NULL);
    begin_eve(&eve, N, after);
    server_do(&server, "DEL {wsmanager}:events");
    for (int i = 1; i <= N; i++)
        server_do(&server, "XADD {wsmanager}:events %d-7 event {\"x\":1}", i);
    server_do(&server, "HSET {wsmanager}:state epoch abcdefghij");
    come_back(&eve, &back, after);
    UNTIL(back.n_messages == 2);
    ck_assert_ptr_nonnull(strstr(back.messages[1], "\"complete\":false"));
    node_close(&eve);
    client_free(&back);
    end();
}
END_TEST

/* The host has not heard yet that the connections are gone: writing to one must not end the
 * process. The second write fails: an event, then a heartbeat. */
START_TEST(a_write_to_a_cut_connection)
{
    enum { HEARTBEAT_MS = 1000 };
    uint64_t now_ms;

    server_start(&server, NULL);
    node_init(&ann, "ann", server.uri);
    ann.options.heartbeat_interval_ms = HEARTBEAT_MS;
    node_open(&ann);
    node_emit_numbers(&ann, 1, 5);
    node_expect_stored(&ann, 1, 5);
    node_emit_numbers(&ann, 6, 10);
    node_expect_stored(&ann, 6, 10);
    server_do(&server, "CLIENT KILL TYPE normal SKIPME yes");
    node_emit_numbers(&ann, 11, 20);
    now_ms = node_clock_ms();
    ws_redis_run(ann.redis, now_ms);
    ck_assert(ann.connected);
    ws_redis_run(ann.redis, now_ms + HEARTBEAT_MS);
    ck_assert_str_eq(ann.state, "Broken pipe");
    node_expect_stored(&ann, 11, 20);
    node_close(&ann);
    server_end(&server);
}
END_TEST

/* The older one of the two connections, which waits for nothing. */
START_TEST(an_idle_connection_is_cut)
{
    int id;

    server_start(&server, NULL);
    node_init(&ann, "ann", server.uri);
    ann.options.heartbeat_interval_ms = 3600000;
    node_open(&ann);
    node_emit_numbers(&ann, 1, 10);
    node_expect_stored(&ann, 1, 10);
    ck_assert_int_eq(sscanf(server_do(&server, "CLIENT LIST"), "id=%d", &id), 1);
    server_do(&server, "CLIENT KILL ID %d", id);
    UNTIL(node_stat(&ann, "sessions") == 2);
    node_close(&ann);
    server_end(&server);
}
END_TEST

/* A process that sends nothing may be silent forever. */
START_TEST(an_idle_process_stays_connected)
{
    enum { TIMEOUT_MS = 20000, BLOCK_MS = 1000 };
    uint64_t idle_ms;
    char uri[192];

    server_start(&server, NULL);
    snprintf(uri, sizeof uri, "%s?timeout_ms=%d", server.uri, TIMEOUT_MS);
    node_init(&ann, "ann", uri);
    ann.options.heartbeat_interval_ms = 3600000;
    node_open(&ann);
    UNTIL(ann.connected);
    idle_ms = node_clock_ms();
    UNTIL(ann.deadline_ms > idle_ms + BLOCK_MS + TIMEOUT_MS);
    node_close(&ann);
    server_end(&server);
}
END_TEST

/* The host's clock is not monotonic: it is set back by an hour while Redis is away. */
START_TEST(the_clock_is_set_back)
{
    server_start(&server, NULL);
    node_init(&ann, "ann", server.uri);
    ann.ahead_ms = 3600000;
    node_open(&ann);
    UNTIL(ann.connected);
    server_signal(&server, SIGKILL);
    UNTIL(!ann.connected);
    ann.ahead_ms = 0;
    nodes_turn();
    ck_assert_uint_le(ann.deadline_ms, node_clock_ms() + 2000);
    server_restart(&server);
    UNTIL(ann.connected);
    node_emit_numbers(&ann, 1, 3);
    node_expect_stored(&ann, 1, 3);
    node_close(&ann);
    server_end(&server);
}
END_TEST

/* Events that could not be stored are reported at the end. */
START_TEST(the_process_ends_while_redis_is_away)
{
    uint64_t away_ms;

    begin(NULL);
    server_signal(&server, SIGKILL);
    UNTIL(!ann.connected);
    away_ms = node_clock_ms();
    UNTIL(node_stat(&ann, "failures") >= 5);
    ck_assert_uint_ge(node_clock_ms() - away_ms, 100 + 200); /* half of the last two waits */
    ck_assert_uint_le(ann.deadline_ms, node_clock_ms() + 2000);
    server_restart(&server);
    UNTIL(ann.connected && bob.connected);
    server_signal(&server, SIGKILL);
    UNTIL(!ann.connected);
    ck_assert_uint_le(ann.deadline_ms, node_clock_ms() + 50); /* as after the first failure */
    ck_assert_int_eq(node_emit_asking(&ann, 1, NULL, 0), WS_OK);
    nodes_turn();
    node_close(&ann);
    ck_assert_uint_eq(ann.n_not_stored, 1);
    node_close(&bob);
    server_end(&server);
}
END_TEST

int main(void)
{
    return suite_run("redis-loss",
                     (const TTest *const[]){
                         connections_are_cut, redis_is_killed_and_restarted, redis_is_paused,
                         redis_is_flushed_while_no_event_is_sent,
                         redis_is_flushed_while_events_flow, the_stream_is_trimmed_meanwhile,
                         entries_are_gone, scripts_are_lost, recovery_while_redis_is_away,
                         recovery_is_cut, recovery_from_another_stream,
                         a_write_to_a_cut_connection, an_idle_connection_is_cut,
                         an_idle_process_stays_connected, the_clock_is_set_back,
                         the_process_ends_while_redis_is_away, NULL});
}
