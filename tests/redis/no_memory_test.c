/* no_memory_test.c: a carrier connects, loads, stores, reads, fetches, publishes its process's
 * state and reconnects, while each of its allocations fails in turn, once or with all later ones:
 * accepted events are stored and delivered once, in order, and nothing leaks. Not here: the
 * manager's allocations (limits_test.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/redis/carrier.h"
#include "redis/support/node.h"
#include "redis/support/server.h"
#include "support/suite.h"

enum {
    N_BEFORE = 200, /* events in the stream from before the first run */
    N_LOADED = 150, /* so that a client that comes back needs a fetch */
    N_AT_ONCE = 3,
    TURNS_WITHOUT = 3 /* turns without any memory */
};

static struct server server;
static struct node bob; /* its memory never fails */
static struct node ann;
static char after_first[64]; /* the first event's id */
static int n_accepted;       /* in all runs, numbered from 1 */
static bool fails_on;        /* allocations fail at the moment */
static bool has_failed;      /* in this run */
static int n_turns;          /* since then */

static void turn(void)
{
    uint64_t before_ms = node_clock_ms();

    nodes_turn();
    ck_assert_uint_gt(ann.deadline_ms, before_ms); /* the carrier does not spin */
    if (ann.memory.failed)
        has_failed = true;
    if (!has_failed || !fails_on || ++n_turns < TURNS_WITHOUT)
        return;
    test_memory_fail(&ann.memory, NEVER_FAIL, false);
    fails_on = false;
}

#define AWAIT(condition)                                                                       \
    for (uint64_t until_ms = node_clock_ms() + NODE_PATIENCE_MS; !(condition); turn())         \
    ck_assert_msg(node_clock_ms() < until_ms, "never: %s", #condition)

static void emit(int n)
{
    for (; n > 0; n--) {
        int result = node_emit_asking(&ann, n_accepted + 1, NULL, 0);

        ck_assert(result == WS_OK || result == WS_ERR_NO_MEMORY);
        n_accepted += result == WS_OK;
    }
}

/* Checks that the text was returned, and contains this; false if there was no memory for it. */
static bool look(int (*get)(ws_redis *redis, char **text, size_t *length), const char *wanted)
{
    char *text;
    int result = get(ann.redis, &text, NULL);
    bool found;

    ck_assert(result == WS_OK || result == WS_ERR_NO_MEMORY);
    if (result != WS_OK)
        return false;
    found = strstr(text, wanted) != NULL;
    ws_redis_free_text(ann.redis, text);
    return found;
}

static const char *last_message(const struct client *client)
{
    return client->n_messages > 0 ? client->messages[client->n_messages - 1] : "";
}

/* The client has the events after the first one in order, and if the server has reported that
 * these are all, they are. */
static void come_back(struct client *back)
{
    ws_connect_options options;
    size_t n;

    *back = (struct client){.host = &ann.host, .name = "back", .hook_data = &ann};
    client_options(back, &options);
    options.after = after_first;
    ck_assert_int_eq(ws_manager_connect(ann.host.manager, ann.host.loop, &options, &back->id),
                     WS_OK);
    AWAIT(strstr(last_message(back), "\"type\":\"recovered\"") != NULL);
    n = back->n_messages - 2;
    for (size_t i = 0; i < n; i++)
        ck_assert_str_eq(back->messages[1 + i], number_message((int)i + 2, NULL, (int)i + 2));
    if (strstr(last_message(back), "\"complete\":true") != NULL)
        ck_assert_uint_ge(n, N_BEFORE - 1);
    else
        ck_assert(has_failed);
}

/* Returns false if nothing failed, because there are fewer allocations than that. */
static bool live(long n, bool fails_after)
{
    struct client back;
    int first = n_accepted + 1;

    has_failed = false;
    fails_on = fails_after;
    n_turns = 0;
    node_init(&ann, "ann", server.uri);
    ann.options.heartbeat_interval_ms = 1;
    ann.options.preload_events = N_LOADED;
    node_open(&ann);
    test_memory_fail(&ann.memory, n, fails_after);
    AWAIT(ann.connected);
    come_back(&back);
    emit(N_AT_ONCE);
    look(ws_redis_get_stats, "");
    look(ws_redis_get_metrics, "");
    AWAIT(ann.n_stored == (size_t)(n_accepted - first + 1));
    emit(N_AT_ONCE);
    server_do(&server, "CLIENT KILL TYPE normal SKIPME yes");
    AWAIT(ann.n_stored == (size_t)(n_accepted - first + 1));
    AWAIT(look(ws_redis_get_nodes, "\"ann\":{\"total_connections\":2"));
    has_failed = has_failed || ann.memory.failed;
    node_expect(&ann, first, n_accepted);
    ck_assert_uint_eq(ann.n_not_stored, 0);
    node_close(&ann);
    client_free(&back);
    return has_failed;
}

START_TEST(every_allocation_fails_in_turn)
{
    long n = 0;

    server_start(&server, NULL);
    node_start(&bob, "bob", server.uri);
    for (int i = 1; i <= N_BEFORE; i++)
        ck_assert_int_eq(node_emit_asking(&bob, i, NULL, 0), WS_OK);
    UNTIL(bob.n_stored == N_BEFORE);
    snprintf(after_first, sizeof after_first, "%.10s.1", bob.stored_id);
    n_accepted = N_BEFORE;
    while (live(n, false)) {
        live(n, true);
        n++;
    }
    ck_assert_int_gt(n, 20);
    node_expect(&bob, 1, n_accepted);
    ck_assert_uint_eq(node_stat(&bob, "position"), (uint64_t)n_accepted);
    node_close(&bob);
    server_end(&server);
    printf("each of %ld allocations failed, and all after it\n", n);
}
END_TEST

static uint64_t n_fetches(void)
{
    const char *calls =
        strstr(server_do(&server, "INFO commandstats"), "cmdstat_xrange:calls=");

    return calls != NULL ? strtoull(calls + strlen("cmdstat_xrange:calls="), NULL, 10) : 0;
}

/* Redis answers at once: without a pause it would be asked again as fast as it answers. */
START_TEST(a_fetch_without_memory_is_repeated_after_a_pause)
{
    enum { WITHOUT_MS = 100 };
    struct client back;
    ws_connect_options options;
    uint64_t began_ms;
    uint64_t before;

    server_start(&server, NULL);
    node_start(&bob, "bob", server.uri);
    node_emit_numbers(&bob, 1, N_BEFORE);
    UNTIL(bob.n_stored == N_BEFORE);
    node_init(&ann, "ann", server.uri);
    ann.options.preload_events = N_LOADED;
    node_open(&ann);
    UNTIL(ann.connected);
    before = n_fetches();
    back = (struct client){.host = &ann.host, .name = "back", .hook_data = &ann};
    client_options(&back, &options);
    snprintf(after_first, sizeof after_first, "%.10s.1", bob.stored_id);
    options.after = after_first;
    ck_assert_int_eq(ws_manager_connect(ann.host.manager, ann.host.loop, &options, &back.id),
                     WS_OK);
    UNTIL(node_stat(&ann, "pending_fetches") > 0);
    began_ms = node_clock_ms();
    test_memory_fail(&ann.memory, 0, true);
    while (node_clock_ms() < began_ms + WITHOUT_MS)
        nodes_turn();
    ck_assert_uint_le(n_fetches() - before, 2 + (node_clock_ms() - began_ms) / RETRY_MS);
    test_memory_fail(&ann.memory, NEVER_FAIL, false);
    UNTIL(strstr(last_message(&back), "\"complete\":true") != NULL);
    node_close(&ann);
    client_free(&back);
    node_close(&bob);
    server_end(&server);
}
END_TEST

int main(void)
{
    return suite_run("redis-no-memory",
                     (const TTest *const[]){every_allocation_fails_in_turn,
                                            a_fetch_without_memory_is_repeated_after_a_pause,
                                            NULL});
}
