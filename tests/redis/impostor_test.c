/* impostor_test.c: servers that are not Redis, or that send wrong answers: garbage, silence,
 * answers that never end, connections that break at any byte. Once Redis is back, every event is
 * stored once. Not here: errors that Redis itself reports (errors_test.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/redis/carrier.h"
#include "redis/support/node.h"
#include "redis/support/peer.h"
#include "redis/support/server.h"
#include "support/suite.h"

enum { TIMEOUT_MS = 50 };

static struct server server;
static struct peer peer;
static struct node ann;
static int n_emitted;

static void begin_with(int timeout_ms, uint64_t max_pending_bytes)
{
    char uri[192];

    server_start(&server, NULL);
    peer_start(&peer, server.port);
    snprintf(uri, sizeof uri, "%s?timeout_ms=%d", peer.uri, timeout_ms);
    node_init(&ann, "ann", uri);
    ann.options.max_pending_bytes = max_pending_bytes;
    node_open(&ann);
    n_emitted = 0;
}

static void begin(int timeout_ms)
{
    begin_with(timeout_ms, 64 << 20);
}

static void emit(int n)
{
    for (; n > 0; n--)
        ck_assert_int_eq(node_emit_asking(&ann, ++n_emitted, NULL, 0), WS_OK);
}

/* All events are stored and have arrived, each once and in order. */
static void end(void)
{
    UNTIL(ann.n_stored == (size_t)n_emitted);
    node_expect(&ann, 1, n_emitted);
    ck_assert_uint_eq(node_stat(&ann, "position"), (uint64_t)n_emitted);
    node_close(&ann);
    peer_end(&peer);
    server_end(&server);
}

static void until_failed(uint64_t times)
{
    uint64_t failures = node_stat(&ann, "failures");

    UNTIL(node_stat(&ann, "failures") >= failures + times);
}

static const char *const nonsense[] = {
    "220 mail.example.com ESMTP\r\n",
    "HTTP/1.1 400 Bad Request\r\n\r\n",
    "-ERR no such thing\r\n",
    "+OK\r\n",
    "+OK\r\n+OK\r\n+OK\r\n+OK\r\n",
    ":1\r\n:1\r\n",
    "$-1\r\n",
    "*0\r\n*0\r\n",
    "*-1\r\n",
    "*1\r\n$-1\r\n",
    "*1\r\n:-1\r\n",
    "*1\r\n+1\r\n",
    "*2\r\n$-1\r\n$-1\r\n*2\r\n$-1\r\n$-1\r\n",
    "*4\r\n$10\r\naaaaaaaaaa\r\n:0\r\n$0\r\n\r\n:0\r\n",
    "*1\r\n*2\r\n$1\r\na\r\n*1\r\n*2\r\n$3\r\n9-9\r\n*-1\r\n",
    "\r\n",
    "$99999999999\r\n",
    "*3\r\n$5\r\n",
};

enum { N_NONSENSE = sizeof nonsense / sizeof *nonsense };

/* Sends garbage: first instead of an answer in a session, then from the start. One of the answers
 * looks like a stream of another epoch. */
static void talk_nonsense(enum peer_way way)
{
    begin(TIMEOUT_MS);
    for (size_t i = 0; i < N_NONSENSE; i++) {
        UNTIL(ann.connected && ann.n_stored == i && ann.n_got == i);
        peer_order(&peer, way, 0, nonsense[i]);
        emit(1);
        until_failed(2);
        ck_assert_uint_eq(ann.n_stored, i);
        peer_order(&peer, PEER_PASSES, 0, "");
    }
    end();
}

START_TEST(garbage_as_an_answer)
{
    talk_nonsense(PEER_SAYS);
}
END_TEST

START_TEST(garbage_at_the_start)
{
    talk_nonsense(PEER_GREETS);
}
END_TEST

/* Each redirection takes some time, by the carrier's clock. */
START_TEST(a_slow_circle_of_redirections)
{
    char text[64];

    begin(60000);
    snprintf(text, sizeof text, "-MOVED 1 127.0.0.1:%d\r\n", peer.port);
    peer_order(&peer, PEER_GREETS, 0, text);
    UNTIL((ann.ahead_ms += 2000, strstr(ann.state, "MOVED 1 127.0.0.1:") != NULL));
    ck_assert(!ann.connected);
    peer_order(&peer, PEER_PASSES, 0, "");
    emit(1);
    end();
}
END_TEST

/* Redis repeats the arguments of a command that it does not know. */
START_TEST(errors_contain_no_password)
{
    char uri[192];

    server_start(&server, NULL);
    peer_start(&peer, server.port);
    peer_order(&peer, PEER_GREETS, 0,
               "-ERR unknown command 'AUTH', with args beginning with: 'secret' \r\n");
    snprintf(uri, sizeof uri, "redis://:secret@127.0.0.1:%d", peer.port);
    node_start(&ann, "ann", uri);
    UNTIL(ann.n_told > 0);
    ck_assert_str_eq(ann.state, "AUTH was refused: ERR");
    node_close(&ann);
    snprintf(uri, sizeof uri, "redis+sentinel://127.0.0.1:%d/m?sentinel_password=secret",
             peer.port);
    node_start(&ann, "ann", uri);
    UNTIL(ann.n_told > 0);
    ck_assert_ptr_nonnull(strstr(ann.state, ": AUTH was refused: ERR"));
    ck_assert_ptr_null(strstr(ann.state, "secret"));
    node_close(&ann);
    peer_end(&peer);
    server_end(&server);
}
END_TEST

/* A host logs the text. */
START_TEST(errors_are_one_line)
{
    begin(TIMEOUT_MS);
    UNTIL(ann.connected);
    peer_order(&peer, PEER_GREETS, 0, "-ERR \x1b[31mforged\vline\xc2\x85\xe2\x80\xae.\xff\r\n");
    UNTIL(strstr(ann.state, "ERR ?[31mforged?line??.?") != NULL);
    /* Since 1.1, hiredis rejects this as an error's text. */
    peer_order(&peer, PEER_GREETS, 0, "-ERR another\nline\r\n");
    UNTIL(strstr(ann.state, "ERR another?line") != NULL ||
          strstr(ann.state, "Bad simple string value") != NULL);
    peer_order(&peer, PEER_PASSES, 0, "");
    emit(1);
    end();
}
END_TEST

/* Answers of the right form, whose epoch, position or random number is impossible. */
START_TEST(answers_with_impossible_values)
{
    static const char *const texts[] = {
        "*4\r\n$1\r\na\r\n:0\r\n$0\r\n\r\n:0\r\n",
        "*4\r\n:1\r\n:0\r\n$0\r\n\r\n:0\r\n",
        "*4\r\n$10\r\naaaaaaaaaa\r\n:-1\r\n$0\r\n\r\n:0\r\n",
        "*4\r\n$10\r\naaaaaaaaaa\r\n$1\r\n0\r\n$0\r\n\r\n:0\r\n",
        "*4\r\n$10\r\naaaaaaaaaa\r\n:0\r\n:0\r\n:0\r\n",
        "*4\r\n$10\r\naaaaaaaaaa\r\n:0\r\n$0\r\n\r\n$1\r\n0\r\n",
        "*4\r\n$10\r\naaaaaaaaaa\r\n:0\r\n$0\r\n\r\n:-1\r\n",
        "*4\r\n$10\r\naaaaaaaaaa\r\n:0\r\n$0\r\n\r\n:1\r\n",
        "*3\r\n$10\r\naaaaaaaaaa\r\n:0\r\n$0\r\n\r\n",
        "*2\r\n$10\r\naaaaaaaaaa\r\n:0\r\n",
    };

    begin(TIMEOUT_MS);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        peer_order(&peer, PEER_SAYS, 0, texts[i]);
        emit(1);
        UNTIL(strstr(ann.state, "unexpected reply to the attach script") != NULL);
        peer_order(&peer, PEER_PASSES, 0, "");
        UNTIL(ann.n_stored == i + 1);
    }
    end();
}
END_TEST

/* The server redirects the process to itself, without end. */
START_TEST(moved_in_a_circle)
{
    char text[64];

    begin(20000);
    snprintf(text, sizeof text, "-MOVED 3999 :%d\r\n", peer.port);
    peer_order(&peer, PEER_SAYS, 0, text);
    emit(10);
    until_failed(3);
    ck_assert_ptr_nonnull(strstr(ann.state, "MOVED"));
    ck_assert_uint_ge(node_stat(&ann, "redirections"), 5);
    ck_assert_uint_le(node_stat(&ann, "redirections"), 5 * (node_stat(&ann, "failures") + 1));
    peer_order(&peer, PEER_PASSES, 0, "");
    end();
}
END_TEST

/* The answer would be correct for the event that is sent next. */
START_TEST(an_answer_to_an_event_that_was_not_sent)
{
    begin(TIMEOUT_MS);
    for (size_t i = 1; i <= 2; i++) { /* the second event is answered last */
        emit(1);
        UNTIL(ann.n_stored == i && ann.n_got == i);
    }
    peer_order(&peer, PEER_GREETS, 0, "*1\r\n:5\r\n");
    emit(1);
    until_failed(1);
    ck_assert_uint_eq(ann.n_stored, 2);
    peer_order(&peer, PEER_PASSES, 0, "");
    end();
}
END_TEST

START_TEST(silence)
{
    begin(TIMEOUT_MS);
    peer_order(&peer, PEER_SAYS, 0, "");
    emit(1);
    UNTIL(strstr(ann.state, "no reply within ") != NULL);
    peer_order(&peer, PEER_PASSES, 0, "");
    end();
}
END_TEST

static void never_ending(size_t n, const char *text)
{
    begin(TIMEOUT_MS);
    UNTIL(ann.connected);
    emit(1);
    peer_order(&peer, PEER_DRIPS, n, text);
    UNTIL(strstr(ann.state, "no complete reply within ") != NULL);
    peer_order(&peer, PEER_PASSES, 0, "");
    end();
}

/* An answer that arrives slowly but steadily is given up at last. */
START_TEST(an_answer_that_drips)
{
    never_ending(1, "$1000000000\r\n");
}
END_TEST

START_TEST(an_endless_flood)
{
    never_ending(4096, "$1000000000\r\n");
}
END_TEST

/* However fast it arrives. */
START_TEST(an_answer_of_too_many_bytes)
{
    enum { PER_MS = 1 << 20 };

    begin_with(20000, 1 << 20);
    UNTIL(ann.connected);
    emit(1);
    peer_order(&peer, PEER_DRIPS, PER_MS, "$1000000000\r\n");
    UNTIL(strstr(ann.state, "a reply has more than ") != NULL);
    peer_order(&peer, PEER_PASSES, 0, "");
    end();
}
END_TEST

/* No memory is reserved for announced bytes before they arrive. */
START_TEST(an_answer_of_too_many_elements)
{
    static const char *const texts[] = {"*1000000000\r\n", "*2\r\n$1\r\na\r\n*1000000000\r\n"};

    begin(20000);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        UNTIL(ann.connected);
        peer_order(&peer, PEER_GREETS, 0, texts[i]);
        emit(1);
        UNTIL(strstr(ann.state, "a reply has more than ") != NULL);
        peer_order(&peer, PEER_PASSES, 0, "");
        UNTIL(ann.n_stored == i + 1);
    }
    end();
}
END_TEST

/* More is requested at once than can arrive in time, until less is requested. */
START_TEST(a_line_too_slow_for_the_answer)
{
    enum { N = 128, BYTES = 16384 };
    static char data[BYTES];
    struct node bob;
    char uri[192];

    begin(20000);
    memset(data, 'x', BYTES);
    data[0] = data[BYTES - 1] = '"';
    for (int i = 0; i < N; i++)
        ck_assert_int_eq(ws_manager_emit(ann.host.manager, "notification", data, BYTES), WS_OK);
    UNTIL(node_stat(&ann, "stored") == N);
    peer_order(&peer, PEER_PASSES, 1024, "");
    snprintf(uri, sizeof uri, "%s?timeout_ms=%d", peer.uri, TIMEOUT_MS);
    node_start(&bob, "bob", uri);
    UNTIL(bob.connected);
    ck_assert_uint_eq(node_stat(&bob, "position"), N);
    node_close(&bob);
    node_close(&ann);
    peer_end(&peer);
    server_end(&server);
}
END_TEST

enum { KEPT = 56, KEPT_BYTES = 16384, SLOW_BYTES = 1024 /* in a millisecond */ };

static void keep(struct node *node)
{
    ws_last_values_options options;

    ws_last_values_options_init(&options);
    options.room = "r";
    options.by_key = 1;
    options.max_values = KEPT;
    ck_assert_int_eq(ws_manager_keep_last_values(node->host.manager, &options), WS_OK);
}

/* Stores so many values, which are in the stream no longer. */
static void store_values(int n)
{
    static char data[KEPT_BYTES];
    char expected[8];

    memset(data, 'x', sizeof data);
    data[0] = data[sizeof data - 1] = '"';
    keep(&ann);
    for (int i = 0; i < n; i++) {
        const char key[] = {(char)('0' + i), '\0'};
        ws_event *event;

        ck_assert_int_eq(
            ws_event_new(ann.host.manager, "notification", data, sizeof data, &event), WS_OK);
        ck_assert_int_eq(ws_event_set_key(event, key), WS_OK);
        ck_assert_int_eq(ws_manager_broadcast_to_room(ann.host.manager, "r", event, NULL, 0),
                         WS_OK);
        ws_event_free(event);
    }
    UNTIL(node_stat(&ann, "stored") == (uint64_t)n);
    snprintf(expected, sizeof expected, "%d", n);
    ck_assert_str_eq(server_do(&server, "HLEN {wsmanager}:values"), expected);
    server_do(&server, "XTRIM {wsmanager}:events MAXLEN 0");
}

static long count_values(const struct node *node)
{
    static const char name[] = "\"last_values\":";
    const char *found;
    char *text;
    long n;

    ck_assert_int_eq(ws_manager_get_stats(node->host.manager, &text, NULL), WS_OK);
    found = strstr(text, name);
    ck_assert_ptr_nonnull(found);
    n = strtol(found + strlen(name), NULL, 10);
    ws_manager_free_text(node->host.manager, text);
    return n;
}

/* The history arrives so slowly that the process starts without the rest of it. What rooms have
 * kept arrives after it, and so do events that follow. */
START_TEST(a_line_too_slow_for_the_history)
{
    enum { N = 128, BYTES = 16384, FEW = 3 };
    static char data[BYTES];
    struct node bob;

    begin(20000);
    store_values(FEW);
    memset(data, 'x', BYTES);
    data[0] = data[BYTES - 1] = '"';
    for (int i = 0; i < N; i++)
        ck_assert_int_eq(ws_manager_emit(ann.host.manager, "notification", data, BYTES), WS_OK);
    UNTIL(node_stat(&ann, "stored") == N + FEW);
    peer_order(&peer, PEER_PASSES, SLOW_BYTES, "");
    node_start(&bob, "bob", peer.uri);
    keep(&bob);
    UNTIL(bob.redis->session.stage == STAGE_LOADING);
    bob.ahead_ms = 2000;
    UNTIL(bob.redis->session.stage == STAGE_RESTORING);
    ck_assert_uint_eq(bob.redis->reader.n_outdated, 1);
    UNTIL(bob.connected);
    ck_assert_uint_eq(bob.redis->reader.n_outdated, 0);
    ck_assert_int_eq(count_values(&bob), FEW);
    ck_assert_uint_eq(node_stat(&bob, "position"), N + FEW);
    ck_assert_int_eq(node_emit(&ann, 1), WS_OK);
    node_expect(&bob, 1, 1);
    ck_assert_uint_eq(bob.n_missed, 1);
    node_close(&bob);
    node_close(&ann);
    peer_end(&peer);
    server_end(&server);
}
END_TEST

/* The process gives up waiting for the history as soon as it has requested it. */
static void give_up_history(struct node *node)
{
    if (node->redis->session.stage == STAGE_LOADING)
        node->redis->reader.give_up_ms = node->redis->now_ms;
}

/* The page of the history that nobody awaits takes longer than a reply may, and what rooms have
 * kept comes after it: the next session requests a smaller page. */
START_TEST(a_line_too_slow_for_a_page_of_the_history)
{
    enum { N = 8, BYTES = 131072, FEW = 3 };
    static char data[BYTES];
    struct node bob;
    char uri[192];

    begin(20000);
    store_values(FEW);
    memset(data, 'x', BYTES);
    data[0] = data[BYTES - 1] = '"';
    for (int i = 0; i < N; i++)
        ck_assert_int_eq(ws_manager_emit(ann.host.manager, "notification", data, BYTES), WS_OK);
    UNTIL(node_stat(&ann, "stored") == N + FEW);
    peer_order(&peer, PEER_PASSES, SLOW_BYTES, "");
    snprintf(uri, sizeof uri, "%s?timeout_ms=%d", peer.uri, TIMEOUT_MS);
    node_start(&bob, "bob", uri);
    keep(&bob);
    UNTIL((give_up_history(&bob), bob.connected));
    ck_assert_uint_ge(node_stat(&bob, "failures"), 1);
    ck_assert_int_eq(count_values(&bob), FEW);
    node_close(&bob);
    node_close(&ann);
    peer_end(&peer);
    server_end(&server);
}
END_TEST

/* What rooms have kept arrives slowly: nothing reads it later, so the process waits for it. */
START_TEST(a_slow_line_brings_the_kept_values)
{
    char uri[192];
    struct node bob;

    begin(20000);
    store_values(KEPT);
    peer_order(&peer, PEER_PASSES, SLOW_BYTES, "");
    snprintf(uri, sizeof uri, "%s?timeout_ms=20000", peer.uri);
    node_start(&bob, "bob", uri);
    keep(&bob);
    UNTIL(bob.redis->session.stage == STAGE_RESTORING);
    bob.ahead_ms = 10000;
    UNTIL(bob.connected);
    ck_assert_int_eq(count_values(&bob), KEPT);
    ck_assert_int_eq(node_emit(&ann, 1), WS_OK);
    node_expect(&bob, 1, 1);
    node_close(&bob);
    node_close(&ann);
    peer_end(&peer);
    server_end(&server);
}
END_TEST

/* More is to be stored at once than can be sent in time. */
START_TEST(a_line_too_slow_for_the_request)
{
    enum { N = 64, BYTES = 16384 };
    static char data[BYTES];

    begin(4 * TIMEOUT_MS);
    memset(data, 'x', BYTES);
    data[0] = data[BYTES - 1] = '"';
    peer_order(&peer, PEER_PASSES, 1024, "");
    for (int i = 0; i < N; i++)
        ck_assert_int_eq(ws_manager_emit(ann.host.manager, "notification", data, BYTES), WS_OK);
    UNTIL(node_stat(&ann, "stored") + node_stat(&ann, "duplicates") == N);
    ck_assert_str_eq(server_do(&server, "XLEN {wsmanager}:events"), "64");
    node_close(&ann);
    peer_end(&peer);
    server_end(&server);
}
END_TEST

/* A single event takes longer than a reply may that is not needed as a whole. */
START_TEST(a_line_too_slow_for_a_large_event)
{
    enum { BYTES = 1600000 };
    static char data[BYTES];
    struct node bob;
    char uri[192];

    server_start(&server, NULL);
    peer_start(&peer, server.port);
    peer_order(&peer, PEER_PASSES, 700, "");
    snprintf(uri, sizeof uri, "%s?timeout_ms=%d", peer.uri, 6 * TIMEOUT_MS);
    node_init(&ann, "ann", uri);
    ann.host.options.max_event_bytes = 2 * BYTES;
    node_open(&ann);
    node_init(&bob, "bob", uri);
    bob.host.options.max_event_bytes = 2 * BYTES;
    node_open(&bob);
    UNTIL(ann.connected && bob.connected);
    memset(data, 'x', BYTES);
    data[0] = data[BYTES - 1] = '"';
    ck_assert_int_eq(ws_manager_emit(ann.host.manager, "notification", data, BYTES), WS_OK);
    UNTIL(node_stat(&ann, "stored") + node_stat(&ann, "duplicates") == 1);
    UNTIL(node_stat(&bob, "delivered") == 1 && node_stat(&ann, "delivered") == 1);
    ck_assert_str_eq(server_do(&server, "XLEN {wsmanager}:events"), "1");
    node_close(&bob);
    node_close(&ann);
    peer_end(&peer);
    server_end(&server);
}
END_TEST

/* The cut comes a little later each time, until a whole session succeeds. */
static void cut_at_each_byte(enum peer_way way, size_t step)
{
    begin(20000);
    for (size_t n = 1; n < 3000; n += step) {
        peer_order(&peer, way, n, "");
        emit(2);
        UNTIL(ann.n_stored == (size_t)n_emitted);
    }
    ck_assert_uint_eq(ann.n_missed, 1);
    end();
}

START_TEST(requests_are_cut_at_any_byte)
{
    cut_at_each_byte(PEER_CUTS_REQUESTS, 67);
}
END_TEST

START_TEST(replies_are_cut_at_any_byte)
{
    cut_at_each_byte(PEER_CUTS_REPLIES, 31);
}
END_TEST

int main(void)
{
    return suite_run("redis-impostor",
                     (const TTest *const[]){garbage_as_an_answer,
                                            garbage_at_the_start,
                                            errors_are_one_line,
                                            errors_contain_no_password,
                                            a_slow_circle_of_redirections,
                                            answers_with_impossible_values,
                                            moved_in_a_circle,
                                            an_answer_to_an_event_that_was_not_sent,
                                            silence,
                                            an_answer_that_drips,
                                            an_endless_flood,
                                            an_answer_of_too_many_bytes,
                                            an_answer_of_too_many_elements,
                                            a_line_too_slow_for_the_answer,
                                            a_line_too_slow_for_the_history,
                                            a_line_too_slow_for_a_page_of_the_history,
                                            a_slow_line_brings_the_kept_values,
                                            a_line_too_slow_for_the_request,
                                            a_line_too_slow_for_a_large_event,
                                            requests_are_cut_at_any_byte,
                                            replies_are_cut_at_any_byte,
                                            NULL});
}
