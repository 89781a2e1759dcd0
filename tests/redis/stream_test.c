/* stream_test.c: events between processes while nothing fails: order, recipients, the data in
 * Redis, and where a new process begins. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "redis/support/node.h"
#include "redis/support/server.h"
#include "support/suite.h"

static struct server server;
static struct node ann;
static struct node bob;

static void begin(const char *const *options)
{
    server_start(&server, options);
    node_start(&ann, "ann", server.uri);
    node_start(&bob, "bob", server.uri);
    UNTIL(ann.connected && bob.connected);
}

static void end(void)
{
    node_close(&ann);
    node_close(&bob);
    server_end(&server);
}

/* Calls of a command since CONFIG RESETSTAT. */
static int n_calls(const char *command)
{
    char name[64];
    const char *found;

    snprintf(name, sizeof name, "cmdstat_%s:calls=", command);
    found = strstr(server_do(&server, "INFO commandstats"), name);
    return found != NULL ? atoi(found + strlen(name)) : 0;
}

static int n_scripts(void)
{
    return n_calls("eval") + n_calls("evalsha");
}

START_TEST(both_processes_get_the_same_events)
{
    begin(NULL);
    server_do(&server, "CONFIG RESETSTAT");
    ck_assert_int_eq(node_emit(&ann, 1), WS_OK);
    ck_assert_uint_eq(ann.n_got, 0);
    node_expect(&ann, 1, 1);
    node_expect(&bob, 1, 1);
    ann.n_wakes = 0;
    for (int i = 2; i <= 3000; i++)
        ck_assert_int_eq(node_emit(i % 2 == 0 ? &ann : &bob, i), WS_OK);
    ck_assert_uint_eq(ann.n_wakes, 1);
    UNTIL(ann.n_got == 2999 && bob.n_got == 2999);
    ck_assert_mem_eq(ann.got, bob.got, 2999 * sizeof *ann.got);
    ck_assert_str_eq(server_do(&server, "XLEN {wsmanager}:events"), "3000");
    UNTIL(node_stat(&ann, "stored") + node_stat(&bob, "stored") == 3000);
    ck_assert_uint_eq(node_stat(&ann, "delivered"), 3000);
    ck_assert_uint_eq(node_stat(&ann, "position"), 3000);
    ck_assert_uint_eq(node_stat(&ann, "pending_events"), 0);
    ck_assert_int_lt(n_scripts(), 300);
    end();
}
END_TEST

START_TEST(rooms_users_and_exclusions)
{
    static const char *const room = "r\xc3\xb6om";
    struct client guest;
    struct client user;
    ws_event *event;

    begin(NULL);
    client_open_in(&bob.host, &guest, "guest", room);
    emit_number(&ann.host, room, 1);
    UNTIL(guest.n_messages - guest.n_read == 1);
    client_expect(&guest, number_message(1, room, 1), NULL);
    ck_assert_uint_eq(bob.n_got, 0);
    ck_assert_int_eq(ws_event_new(bob.host.manager, "notification", "{\"n\":2}", 7, &event),
                     WS_OK);
    ck_assert_int_eq(ws_manager_broadcast(bob.host.manager, event, &guest.id, 1), WS_OK);
    ws_event_free(event);
    node_expect(&ann, 2, 2);
    node_expect(&bob, 2, 2);
    client_expect(&guest, NULL);
    client_open(&bob.host, &user, "user",
                "r\xc3\xb6om"); /* the user has the same name as the room */
    ck_assert_int_eq(ws_event_new(ann.host.manager, "notification", "{\"n\":3}", 7, &event),
                     WS_OK);
    ck_assert_int_eq(ws_manager_send_to_user(ann.host.manager, room, event, NULL, 0), WS_OK);
    ws_event_free(event);
    UNTIL(user.n_messages - user.n_read == 1);
    ck_assert_uint_eq(client_count(&guest), 0);
    ck_assert_uint_eq(bob.n_got, 0);
    client_free(&user);
    end();
    client_free(&guest);
}
END_TEST

START_TEST(stored_is_called)
{
    begin(NULL);
    ck_assert_int_eq(node_emit_asking(&ann, 1, "outbox", 7), WS_OK);
    UNTIL(ann.n_stored == 1);
    ck_assert_ptr_nonnull(strstr(ann.stored_id, ".1"));
    ck_assert_int_eq(node_emit_asking(&bob, 2, "outbox", 7), WS_OK);
    UNTIL(bob.n_stored == 1);
    ck_assert_str_eq(bob.stored_id, "");
    ck_assert_uint_eq(node_stat(&bob, "duplicates"), 1);
    ck_assert_int_eq(node_emit_asking(&bob, 2, "outbox", UINT64_MAX), WS_OK);
    UNTIL(bob.n_stored == 2);
    ck_assert_int_eq(node_emit_asking(&bob, 3, "outbox", 8), WS_OK);
    UNTIL(bob.n_stored == 3);
    ck_assert_uint_eq(node_stat(&bob, "duplicates"), 2);
    node_expect(&ann, 1, 2);
    ck_assert_int_gt(atoi(server_do(&server, "TTL {wsmanager}:producer:outbox")), 80000);
    ck_assert_str_eq(server_do(&server, "GET {wsmanager}:producer:outbox"),
                     "18446744073709551615");
    end();
}
END_TEST

/* Events of a megabyte: pages shrink, and batches are split. */
START_TEST(large_events_in_pages_and_batches)
{
    enum { N = 12, BYTES = 1000000 };
    static char data[BYTES];
    ws_event *event;

    begin(NULL);
    server_do(&server, "CONFIG RESETSTAT");
    memset(data, 'x', BYTES);
    for (int i = 1; i <= N; i++) {
        data[snprintf(data, BYTES, "{\"n\":%d,\"x\":\"", i)] = 'x';
        memcpy(data + BYTES - 2, "\"}", 2);
        ck_assert_int_eq(ws_event_new(ann.host.manager, "notification", data, BYTES, &event),
                         WS_OK);
        ck_assert_int_eq(ws_manager_broadcast(ann.host.manager, event, NULL, 0), WS_OK);
        ws_event_free(event);
    }
    node_expect(&bob, 1, N);
    node_expect(&ann, 1, N);
    ck_assert_int_ge(n_scripts(), N);
    end();
}
END_TEST

/* A process that starts later loads earlier events, and clients recover there; events that the
 * manager does not keep are fetched, once for all clients. */
static void recover_on_a_third(uint32_t preload_events, size_t n_clients)
{
    enum { N = 1000, MOST_CLIENTS = 100 };
    static struct client back[MOST_CLIENTS];
    ws_connect_options options;
    struct node eve;
    char after[64];

    begin(NULL);
    for (int i = 1; i <= N; i++)
        ck_assert_int_eq(node_emit_asking(&ann, i, NULL, 0), WS_OK);
    UNTIL(ann.n_stored == N);
    node_init(&eve, "eve", server.uri);
    eve.options.preload_events = preload_events;
    node_open(&eve);
    for (size_t i = 0; i < n_clients; i++) {
        back[i] = (struct client){.host = &eve.host, .name = "back", .hook_data = &eve};
        client_options(&back[i], &options);
        snprintf(after, sizeof after, "%.10s.%zu", ann.stored_id, i);
        options.after = after;
        ck_assert_int_eq(
            ws_manager_connect(eve.host.manager, eve.host.loop, &options, &back[i].id), WS_OK);
    }
    for (size_t i = 0; i < n_clients; i++) {
        UNTIL(back[i].n_messages == 1 + N - i + 1);
        for (size_t at = 1; at <= N - i; at++)
            ck_assert_str_eq(back[i].messages[at],
                             number_message((int)(i + at), NULL, (int)(i + at)));
        ck_assert_ptr_nonnull(strstr(back[i].messages[N - i + 1], "\"complete\":true"));
    }
    ck_assert_uint_eq(node_stat(&eve, "fetched"), preload_events < N ? N : 0);
    node_close(&eve);
    for (size_t i = 0; i < n_clients; i++)
        client_free(&back[i]);
    end();
}

START_TEST(recovery_from_loaded_events)
{
    recover_on_a_third(10000, 1);
}
END_TEST

START_TEST(recovery_from_fetched_events)
{
    recover_on_a_third(1, 100);
}
END_TEST

START_TEST(a_password_and_a_database)
{
    static const char *const options[] = {"--requirepass", "p@ss:w/rd", NULL};
    struct node other;
    char uri[128];

    server_start(&server, options);
    snprintf(uri, sizeof uri, "redis://:p%%40ss:w%%2Frd@127.0.0.1:%d/3", server.port);
    node_start(&ann, "ann", uri);
    UNTIL(ann.connected);
    ck_assert_int_eq(node_emit(&ann, 1), WS_OK);
    node_expect(&ann, 1, 1);
    ck_assert_str_eq(server_do(&server, "XLEN {wsmanager}:events"), "0");

    node_start(&other, "other", server.uri);
    UNTIL(other.state[0] != '\0');
    ck_assert_int_eq(other.connected, 0);
    ck_assert_ptr_nonnull(strstr(other.state, "NOAUTH"));
    node_close(&other);
    snprintf(uri, sizeof uri, "redis://default:wrong@127.0.0.1:%d", server.port);
    node_start(&other, "other", uri);
    UNTIL(other.state[0] != '\0');
    ck_assert_ptr_nonnull(strstr(other.state, "WRONGPASS"));
    node_close(&other);
    node_close(&ann);
    server_end(&server);
}
END_TEST

START_TEST(a_unix_socket_and_another_key)
{
    char path[128];
    char uri[192];
    const char *const options[] = {"--unixsocket", path, NULL};

    snprintf(path, sizeof path, "/tmp/ws-redis-%d.sock", (int)getpid());
    server_start(&server, options);
    snprintf(uri, sizeof uri, "redis+unix://%s?timeout_ms=20000", path);
    node_init(&ann, "ann", uri);
    ann.options.key = "shop";
    node_open(&ann);
    UNTIL(ann.connected);
    ck_assert_int_eq(node_emit(&ann, 1), WS_OK);
    node_expect(&ann, 1, 1);
    ck_assert_str_eq(server_do(&server, "XLEN {shop}:events"), "1");
    node_close(&ann);
    node_start(&ann, "ann", "redis+unix:///nowhere/at/all");
    UNTIL(strstr(ann.state, "No such file") != NULL);
    node_close(&ann);
    server_end(&server);
    unlink(path);
}
END_TEST

/* A Redis that pauses now and then is asked for as much as before. */
START_TEST(pages_stay_large_after_pauses)
{
    enum { PAUSES = 8, N = 2000, TIMEOUT_MS = 50 };
    struct client back = {.name = "back", .hook_data = &bob};
    ws_connect_options options;
    char after[64];
    char uri[192];

    server_start(&server, NULL);
    snprintf(uri, sizeof uri, "%s?timeout_ms=%d", server.uri, TIMEOUT_MS);
    node_start(&ann, "ann", server.uri);
    node_init(&bob, "bob", uri);
    bob.host.options.history_events = 1;
    node_open(&bob);
    for (int i = 0; i < PAUSES; i++) {
        UNTIL(bob.connected);
        server_signal(&server, SIGSTOP);
        UNTIL(!bob.connected);
        server_signal(&server, SIGCONT);
    }
    node_emit_numbers(&ann, 1, N);
    node_expect_stored(&ann, 1, N);
    node_expect(&bob, 1, N);
    server_do(&server, "CONFIG RESETSTAT");
    back.host = &bob.host;
    client_options(&back, &options);
    snprintf(after, sizeof after, "%.10s.0", ann.stored_id);
    options.after = after;
    ck_assert_int_eq(ws_manager_connect(bob.host.manager, bob.host.loop, &options, &back.id),
                     WS_OK);
    UNTIL(back.n_messages == 1 + N + 1);
    ck_assert_int_lt(n_calls("xrange"), 2 * N / 128);
    client_free(&back);
    end();
}
END_TEST

int main(void)
{
    return suite_run(
        "redis-stream",
        (const TTest *const[]){both_processes_get_the_same_events, rooms_users_and_exclusions,
                               stored_is_called, large_events_in_pages_and_batches,
                               recovery_from_loaded_events, recovery_from_fetched_events,
                               a_password_and_a_database, a_unix_socket_and_another_key,
                               pages_stay_large_after_pauses, NULL});
}
