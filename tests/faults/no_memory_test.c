/* no_memory_test.c: a life of the public API in which the n-th allocation of the whole process fails,
 * in a process of its own for each n: nothing crashes or leaks, and the next life is as it should be.
 *
 * The unit tests of the same name look closer, but only at what goes through the library's allocator. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include <ws_manager/cjson.h>
#include <ws_manager/ws_manager.h>

#include "faults/fault_memory.h"
#include "support/drain.h"
#include "websocket/client.h"
#include "websocket/zlib_peer.h"

enum { N_CLIENTS = 2, ROOM = 1 << 16 };

struct client {
    ws_websocket *websocket;
    char got[ROOM];
    size_t length;
};

/* What clients send, made before anything fails. */
static struct bytes request;
static struct bytes messages;
static struct bytes closing;

static ws_manager *manager;
static ws_loop *loop;
static ws_endpoint *endpoint;
static struct client clients[N_CLIENTS];

static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    abort();
}

static void expect(bool is_so, const char *what)
{
    if (!is_so)
        fail(what);
}

static void make_messages(void)
{
    static const char ping[] = "{\"type\":\"ping\",\"ref\":4}";
    uint8_t packed[200];
    size_t length = zlib_deflate(15, 6, ping, sizeof ping - 1, packed, sizeof packed);

    client_request(&request, "/ws?user_id=ann%20b",
                   "Sec-WebSocket-Extensions: permessage-deflate\r\n"
                   "Sec-WebSocket-Protocol: chat\r\n");
    client_text(&messages, FIN | TEXT,
                "{\"type\":\"join_room\",\"room\":\"caf\\u00e9\",\"ref\":1}");
    client_text(&messages, TEXT, "{\"type\":");
    client_text(&messages, FIN | PING, "between");
    client_text(&messages, FIN | CONTINUATION, "\"ping\",\"ref\":2}");
    client_text(&messages, FIN | TEXT, "{\"type\":\"message\",\"data\":[1],\"ref\":3}");
    client_frame(&messages, FIN | RSV1 | TEXT, packed, length);
    client_close(&closing, 1000, "");
}

/* --- the host -------------------------------------------------------------------------------- */

static int on_handshake(ws_handshake *handshake, void *user_data)
{
    const char *user;

    (void)user_data;
    ws_handshake_header(handshake, "Host");
    if (ws_handshake_query_parameter(handshake, "user_id", &user, NULL) == WS_OK)
        ws_handshake_set_user_id(handshake, user);
    return WS_OK;
}

static int on_message(ws_manager *of, const ws_connection_info *connection, const char *room,
                      const char *data, size_t length, void *user_data)
{
    (void)room;
    (void)user_data;
    ws_manager_send_text(of, connection->id, data, length);
    return WS_OK;
}

static void write_output(struct client *client)
{
    struct iovec pieces[16];
    size_t sent = 0;
    int n = ws_websocket_output(client->websocket, pieces, 16);

    for (int i = 0; i < n; i++) {
        expect(client->length + pieces[i].iov_len <= ROOM, "too much comes out");
        memcpy(client->got + client->length, pieces[i].iov_base, pieces[i].iov_len);
        client->length += pieces[i].iov_len;
        sent += pieces[i].iov_len;
    }
    if (n > 0)
        ws_websocket_sent(client->websocket, sent);
}

static void turn(void)
{
    ws_websocket *websocket;

    for (int i = 0; i < 1000 && ws_loop_run(loop, 0) == 0; i++)
        ;
    while ((websocket = ws_loop_next_output(loop)) != NULL)
        write_output(ws_websocket_user_data(websocket));
}

static void feed(const struct bytes *bytes)
{
    for (size_t i = 0; i < N_CLIENTS; i++)
        if (clients[i].websocket != NULL)
            ws_websocket_receive(clients[i].websocket, bytes->data, bytes->length);
    turn();
}

static bool open_all(void)
{
    static const char *const subprotocols[] = {"chat"};
    ws_endpoint_options endpoint_options;
    ws_manager_options options;

    ws_manager_options_init(&options);
    options.on_message = on_message;
    ws_endpoint_options_init(&endpoint_options);
    endpoint_options.on_handshake = on_handshake;
    endpoint_options.subprotocols = subprotocols;
    endpoint_options.n_subprotocols = 1;
    if (ws_manager_new(&options, &manager) != WS_OK ||
        ws_loop_new(manager, NULL, 0, &loop) != WS_OK ||
        ws_endpoint_new(manager, &endpoint_options, &endpoint) != WS_OK)
        return false;
    for (size_t i = 0; i < N_CLIENTS; i++)
        ws_websocket_new(loop, endpoint, &clients[i], &clients[i].websocket);
    return true;
}

static void close_all(void)
{
    for (size_t i = 0; i < N_CLIENTS; i++)
        ws_websocket_free(clients[i].websocket);
    ws_endpoint_free(endpoint);
    ws_loop_free(loop);
    ws_manager_free(manager);
    endpoint = NULL;
    loop = NULL;
    manager = NULL;
}

/* --- a life ---------------------------------------------------------------------------------- */

static void emit_all(void)
{
    static char large[2000];
    cJSON *tree = cJSON_CreateObject();

    memset(large, 'l', sizeof large);
    large[0] = large[sizeof large - 1] = '"';
    if (tree != NULL && cJSON_AddNumberToObject(tree, "n", 1) != NULL)
        ws_manager_emit_cjson(manager, "order_created", tree);
    cJSON_Delete(tree);
    ws_manager_emit(manager, "stock_low", large, sizeof large);
    turn();
    ws_manager_emit_notification(manager, "hello \"you\"", "ann b", "info");
    ws_manager_register_event_type(manager, "paid");
    ws_manager_route_event_type(manager, "paid", "caf\xc3\xa9");
    ws_manager_emit(manager, "paid", "[]", 2);
    turn();
}

static int go_on(ws_conn_id connection, void *user_data)
{
    (void)connection;
    (void)user_data;
    return 0;
}

static void look_around(void)
{
    char *text;

    if (ws_manager_get_stats(manager, &text, NULL) == WS_OK)
        ws_manager_free_text(manager, text);
    if (ws_manager_get_metrics(manager, &text, NULL) == WS_OK)
        ws_manager_free_text(manager, text);
    ws_manager_for_each_member(manager, "caf\xc3\xa9", go_on, NULL);
    ws_manager_for_each_connection_of_user(manager, "ann b", go_on, NULL);
}

static void live(void)
{
    for (size_t i = 0; i < N_CLIENTS; i++) {
        clients[i].websocket = NULL;
        clients[i].length = 0;
    }
    if (open_all()) {
        feed(&request);
        feed(&messages);
        emit_all();
        look_around();
        drain_with(manager, 1001, "restart");
        turn();
        feed(&closing);
    }
    close_all();
}

static bool got(const struct client *client, const char *text)
{
    return memmem(client->got, client->length, text, strlen(text)) != NULL;
}

static void expect_whole_life(void)
{
    static const char *const texts[] = {"HTTP/1.1 101 ", "\"welcome\"",       "\"ref\":1",
                                        "\"ref\":2",     "\"ref\":4",         "\"n\":1",
                                        "hello",         "\"type\":\"paid\"", "restart"};

    for (size_t i = 0; i < N_CLIENTS; i++)
        for (size_t j = 0; j < sizeof texts / sizeof *texts; j++)
            expect(got(&clients[i], texts[j]), texts[j]);
}

/* --- each failure ---------------------------------------------------------------------------- */

enum outcome { NOTHING_FAILED = 0, SURVIVED = 1 };

/* Without what OpenSSL keeps for this thread, such as its errors. */
static long blocks_that_live(void)
{
    OPENSSL_thread_stop();
    return fault_memory_blocks();
}

static enum outcome live_with_failure(long n, bool after)
{
    long blocks = blocks_that_live();
    bool failed;

    fault_memory_fail(n, after);
    live();
    failed = fault_memory_failed();
    fault_memory_fail(NEVER_FAIL, false);
    expect(blocks_that_live() == blocks, "memory has leaked");
    live();
    expect_whole_life();
    return failed ? SURVIVED : NOTHING_FAILED;
}

static enum outcome in_own_process(long n, bool after)
{
    int status;
    pid_t child = fork();

    expect(child >= 0, "fork() failed");
    if (child == 0)
        _exit(live_with_failure(n, after));
    waitpid(child, &status, 0);
    if (!WIFEXITED(status)) {
        fprintf(stderr, "allocation %ld, %s: died\n", n, after ? "and all after" : "once");
        exit(1);
    }
    return (enum outcome)WEXITSTATUS(status);
}

static void fail_each(void)
{
    long n = 0;

    for (; in_own_process(n, false) == SURVIVED; n++)
        in_own_process(n, true);
    printf("each of %ld allocations failed, and all after it\n", n);
    expect(n > 100, "hardly anything was allocated");
}

/* The first life is without a failure: OpenSSL's own setup, at its first use in a process, crashes
 * in want of memory; and what libraries keep from then on is no leak. */
int main(void)
{
    make_messages();
    live();
    expect_whole_life();
    fail_each();
    return 0;
}
