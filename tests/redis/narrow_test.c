/* narrow_test.c: a Redis that ends a connection if much is sent at once, in either direction: a
 * process that was away catches up nevertheless, and an event that Redis never lets through stops
 * nothing else. Not here: slow lines (impostor_test.c). */
#include <stdio.h>
#include <string.h>

#include "cluster/redis/batch_limit.h"
#include "redis/support/node.h"
#include "redis/support/peer.h"
#include "redis/support/server.h"
#include "support/suite.h"

enum { BYTES = 60000, LARGE_BYTES = 3000000 };

static const char *const narrow[] = {"--client-output-buffer-limit", "normal 1mb 512kb 5",
                                     NULL};
static const char *const narrower[] = {"--client-output-buffer-limit", "normal 100kb 0 0",
                                       NULL};

static struct server server;
static struct node ann;
static struct node bob;

/* Emits {"n":number} with padding up to this length. */
static void emit_long(struct node *node, int number, size_t bytes)
{
    static char data[LARGE_BYTES + 1];
    ws_event *event;
    int length = snprintf(data, sizeof data, "{\"n\":%d,\"x\":\"", number);

    memset(data + length, 'x', bytes - (size_t)length);
    memcpy(data + bytes - 2, "\"}", 2);
    ck_assert_int_eq(ws_event_new(node->host.manager, "notification", data, bytes, &event),
                     WS_OK);
    ck_assert_int_eq(ws_manager_broadcast(node->host.manager, event, NULL, 0), WS_OK);
    ws_event_free(event);
}

static void emit_all(struct node *node, int first, int last, size_t bytes)
{
    for (int i = first; i <= last; i++)
        emit_long(node, i, bytes);
    node_expect(node, first, last);
}

static void begin(const char *const *options)
{
    server_start(&server, options);
    node_init(&ann, "ann", server.uri);
    ann.host.options.max_event_bytes = LARGE_BYTES;
    node_open(&ann);
    UNTIL(ann.connected);
}

static void end(void)
{
    node_close(&ann);
    server_end(&server);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* Bob has seen the first event when he is cut off, and comes back when there are many more; the
 * first events were small. */
static void come_back(const char *const *options, int n)
{
    enum { N_SMALL = 200 };
    struct peer peer;

    begin(options);
    peer_start(&peer, server.port);
    node_start(&bob, "bob", peer.uri);
    UNTIL(bob.connected);
    node_emit_numbers(&ann, 1, N_SMALL);
    node_expect(&ann, 1, N_SMALL);
    node_expect(&bob, 1, N_SMALL);
    peer_order(&peer, PEER_SAYS, 0, "");
    emit_all(&ann, N_SMALL + 1, N_SMALL + n, BYTES);
    peer_order(&peer, PEER_PASSES, 0, "");
    node_expect(&bob, N_SMALL + 1, N_SMALL + n);
    ck_assert_uint_eq(bob.n_missed, 1);
    node_close(&bob);
    peer_end(&peer);
    end();
}

START_TEST(a_process_comes_back)
{
    come_back(narrow, 200);
}
END_TEST

START_TEST(a_process_comes_back_by_single_events)
{
    come_back(narrower, 40);
}
END_TEST

/* A new process begins with the events that there are, and a client that comes back to it receives
 * the missing ones. */
static void begin_late(const char *const *options, int n, uint32_t preload_events)
{
    struct client back = {.host = &bob.host, .name = "back", .hook_data = &bob};
    ws_connect_options connect;
    char after[64];

    begin(options);
    ck_assert_int_eq(node_emit_asking(&ann, 1, NULL, 0), WS_OK);
    node_expect(&ann, 1, 1);
    UNTIL(ann.n_stored == 1);
    emit_all(&ann, 2, n, BYTES);
    node_init(&bob, "bob", server.uri);
    bob.options.preload_events = preload_events;
    node_open(&bob);
    UNTIL(bob.connected && node_stat(&bob, "position") == (uint64_t)n);
    client_options(&back, &connect);
    snprintf(after, sizeof after, "%.10s.1", ann.stored_id);
    connect.after = after;
    ck_assert_int_eq(ws_manager_connect(bob.host.manager, bob.host.loop, &connect, &back.id),
                     WS_OK);
    UNTIL(back.n_messages == 1 + (size_t)n - 1 + 1);
    ck_assert_ptr_nonnull(strstr(back.messages[n], "\"complete\":true"));
    ck_assert_uint_eq(node_stat(&bob, "fetched") > 0, preload_events < (uint32_t)n);
    node_close(&bob);
    client_free(&back);
    end();
}

START_TEST(a_process_starts_late)
{
    begin_late(narrow, 200, 10000);
}
END_TEST

START_TEST(a_process_starts_late_by_single_events)
{
    begin_late(narrower, 40, 10000);
}
END_TEST

START_TEST(clients_come_back)
{
    begin_late(narrow, 200, 1);
}
END_TEST

START_TEST(clients_come_back_by_single_events)
{
    begin_late(narrower, 40, 1);
}
END_TEST

/* The event is left out, and clients are notified; a new process begins without any event. */
START_TEST(an_event_never_arrives)
{
    begin(narrower);
    emit_all(&ann, 1, 10, 100);
    emit_long(&ann, 11, 5 * BYTES);
    for (int i = 12; i <= 20; i++)
        emit_long(&ann, i, 100);
    node_expect(&ann, 12, 20);
    ck_assert_uint_eq(ann.n_missed, 2);
    node_start(&bob, "bob", server.uri);
    UNTIL(bob.connected && node_stat(&bob, "position") == 20);
    emit_all(&ann, 21, 30, 100);
    node_expect(&bob, 21, 30);
    ck_assert_uint_eq(bob.n_missed, 1);
    node_close(&bob);
    end();
}
END_TEST

static bool knows(const struct node *node, int n)
{
    char name[24];
    char *text;
    bool found;

    snprintf(name, sizeof name, "\"n%d\":{", n);
    ck_assert_int_eq(ws_redis_get_nodes(node->redis, &text, NULL), WS_OK);
    found = strstr(text, name) != NULL;
    ws_redis_free_text(node->redis, text);
    return found;
}

/* n processes publish their rooms, so many bytes each; repeated, because that expires. */
static bool tell(int n, size_t bytes)
{
    static char rooms[LARGE_BYTES];
    size_t length = 0;

    for (int i = 0; length + 300 < bytes; i++)
        length += (size_t)snprintf(rooms + length, sizeof rooms - length, "%s\"%0250d\":1",
                                   i > 0 ? "," : "", i);
    for (int i = 0; i < n; i++)
        server_do(&server, "HSET {wsmanager}:nodes n%d {\"rooms\":{%s}}", i, rooms);
    return true;
}

/* Published data expires after three heartbeats, so a long test needs long ones. */
static void begin_telling(uint32_t heartbeat_ms)
{
    server_start(&server, narrower);
    node_init(&ann, "ann", server.uri);
    ann.options.heartbeat_interval_ms = heartbeat_ms;
    node_open(&ann);
}

/* The data of all processes is more than can arrive at once. */
START_TEST(many_processes_publish_rooms)
{
    enum { N = 20 };

    begin_telling(20);
    for (int i = 0; i < N; i++)
        UNTIL(tell(N, BYTES / 2) && knows(&ann, i));
    ck_assert_uint_le(node_stat(&ann, "failures"), 10);
    end();
}
END_TEST

/* One process's data alone is more than that: everything else continues. */
START_TEST(a_process_with_too_many_rooms)
{
    enum { HALVINGS = 9, N = 10 };
    uint64_t failures = HALVINGS + BATCH_LIMIT_ATTEMPTS;

    begin_telling(300);
    UNTIL(tell(2, 4 * BYTES) && node_stat(&ann, "failures") >= failures);
    UNTIL(ann.connected);
    for (int i = 1; i <= N; i++) {
        ck_assert_int_eq(node_emit(&ann, i), WS_OK);
        tell(2, 4 * BYTES);
        node_expect(&ann, i, i);
    }
    ck_assert_uint_eq(node_stat(&ann, "failures"), failures);
    end();
}
END_TEST

/* --- writing ---------------------------------------------------------------------------------- */

/* Many events wait; then one event alone is more than Redis accepts, and is given up. */
static void write_much(const char *const *options)
{
    enum { N = 40 };

    begin(options);
    server_do(&server, "CLIENT PAUSE 300 ALL");
    for (int i = 1; i <= N; i++)
        emit_long(&ann, i, i % 10 == 0 ? 10 * BYTES : BYTES);
    node_expect(&ann, 1, N);
    ann.expected_state = "discarded an event of ";
    emit_long(&ann, N + 1, LARGE_BYTES);
    for (int i = N + 2; i <= N + 10; i++)
        emit_long(&ann, i, BYTES);
    node_expect(&ann, N + 2, N + 10);
    ck_assert_uint_eq(node_stat(&ann, "refused"), 1);
    ck_assert_uint_eq(ann.n_expected, 1);
    UNTIL(node_stat(&ann, "pending_events") == 0); /* the reply may come after the event */
    ck_assert_uint_eq(ann.n_missed, 1);
    end();
}

START_TEST(commands_are_limited)
{
    static const char *const options[] = {"--client-query-buffer-limit", "1mb", NULL};

    write_much(options);
}
END_TEST

START_TEST(arguments_are_limited)
{
    static const char *const options[] = {"--proto-max-bulk-len", "1mb", NULL};

    write_much(options);
}
END_TEST

int main(void)
{
    return suite_run(
        "redis-narrow",
        (const TTest *const[]){a_process_comes_back, a_process_comes_back_by_single_events,
                               a_process_starts_late, a_process_starts_late_by_single_events,
                               clients_come_back, clients_come_back_by_single_events,
                               an_event_never_arrives, many_processes_publish_rooms,
                               a_process_with_too_many_rooms, commands_are_limited,
                               arguments_are_limited, NULL});
}
