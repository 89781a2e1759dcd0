/* delivery.c: what an event costs that goes to a hundred clients, from the emit to the last byte
 * taken: clients of the library's own protocol, of Socket.IO, and of event streams. A unit of the
 * input is an event. Not here: sockets, and the clients' messages (library.c). */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <ws_manager/ws_manager.h>

#include "costs.h"

enum { CLIENTS = 100, EVENTS = 8, PIECES = 16, NOW_MS = 1000 };

#define ORDER "{\"id\":1,\"client_name\":\"Ana\",\"status\":\"pending\",\"total_cents\":123456}"

struct server {
    ws_manager *manager;
    ws_loop *loop;
    ws_endpoint *endpoint;
    ws_websocket *websockets[CLIENTS];
    ws_http *streams[CLIENTS];
    size_t n_taken; /* bytes */
};

static void check(bool holds, const char *problem)
{
    if (!holds)
        cost_fail(problem);
}

/* --- the host -------------------------------------------------------------------------------- */

static void take_websocket(struct server *server, ws_websocket *websocket)
{
    struct iovec pieces[PIECES];
    int count = ws_websocket_output(websocket, pieces, PIECES);
    size_t length = 0;

    for (int i = 0; i < count; i++)
        length += pieces[i].iov_len;
    ws_websocket_sent(websocket, length);
    server->n_taken += length;
}

static void take_stream(struct server *server, ws_http *stream)
{
    struct iovec pieces[PIECES];
    int count = ws_http_output(stream, pieces, PIECES);
    size_t length = 0;

    for (int i = 0; i < count; i++)
        length += pieces[i].iov_len;
    ws_http_sent(stream, length);
    server->n_taken += length;
}

static void turn(struct server *server)
{
    ws_websocket *websocket;
    ws_http *stream;

    while (ws_loop_run(server->loop, NOW_MS) <= NOW_MS)
        continue;
    while ((websocket = ws_loop_next_output(server->loop)) != NULL)
        take_websocket(server, websocket);
    while ((stream = ws_loop_next_http(server->loop)) != NULL)
        take_stream(server, stream);
}

static void open_server(struct server *server, int protocol)
{
    ws_manager_options limits;
    ws_endpoint_options options;

    *server = (struct server){.n_taken = 0};
    ws_manager_options_init(&limits);
    limits.presence_events = WS_PRESENCE_OFF;
    limits.history_events = 0;
    ws_endpoint_options_init(&options);
    options.protocol = protocol;
    check(ws_manager_new(&limits, &server->manager) == WS_OK &&
              ws_loop_new(server->manager, NULL, NOW_MS, &server->loop) == WS_OK &&
              ws_endpoint_new(server->manager, &options, &server->endpoint) == WS_OK,
          "no server");
}

static void close_server(struct server *server)
{
    for (size_t i = 0; i < CLIENTS; i++) {
        ws_websocket_free(server->websockets[i]);
        ws_http_free(server->streams[i]);
    }
    ws_endpoint_free(server->endpoint);
    ws_loop_free(server->loop);
    ws_manager_free(server->manager);
}

/* --- the clients ----------------------------------------------------------------------------- */

static void connect_websockets(struct server *server, const char *target, const char *message)
{
    char request[512];
    int length =
        snprintf(request, sizeof request,
                 "GET %s HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n%s",
                 target, message);

    for (size_t i = 0; i < CLIENTS; i++)
        check(ws_websocket_new(server->loop, server->endpoint, NULL, &server->websockets[i]) ==
                      WS_OK &&
                  ws_websocket_receive(server->websockets[i], request, (size_t)length) == WS_OK,
              "no client");
}

static void open_streams(struct server *server)
{
    const ws_header headers[] = {{"Host", "h"}};
    ws_http_request request;

    ws_http_request_init(&request);
    request.method = "GET";
    request.target = "/events";
    request.headers = headers;
    request.n_headers = 1;
    for (size_t i = 0; i < CLIENTS; i++)
        check(ws_http_new(server->loop, server->endpoint, NULL, &request,
                          &server->streams[i]) == WS_OK,
              "no stream");
}

/* --- cases ----------------------------------------------------------------------------------- */

static void emit(struct server *server, size_t n_events)
{
    size_t before;

    turn(server);
    check(ws_manager_connection_count(server->manager) == CLIENTS, "clients are missing");
    before = server->n_taken;
    for (size_t i = 0; i < n_events; i++) {
        check(ws_manager_emit_order_created(server->manager, ORDER, sizeof ORDER - 1) == WS_OK,
              "no event");
        turn(server);
    }
    check(server->n_taken - before > n_events * CLIENTS * sizeof ORDER, "events are missing");
    close_server(server);
}

static void to_websockets(const char *input, size_t length)
{
    struct server server;

    (void)input;
    open_server(&server, WS_PROTOCOL_JSON);
    connect_websockets(&server, "/ws", "");
    emit(&server, length);
}

static void to_socketio(const char *input, size_t length)
{
    struct server server;

    (void)input;
    open_server(&server, WS_PROTOCOL_SOCKETIO);
    /* The packet "40", Socket.IO's CONNECT, under a mask of spaces. */
    connect_websockets(&server, "/socket.io/?EIO=4&transport=websocket",
                       "\x81\x82"
                       "    "
                       "\x14\x10");
    emit(&server, length);
}

static void to_streams(const char *input, size_t length)
{
    struct server server;

    (void)input;
    open_server(&server, WS_PROTOCOL_JSON);
    open_streams(&server);
    emit(&server, length);
}

#define NONE BYTES("")

/* About a tenth above what gcc 12 makes of them (-O2, x86-64). */
const struct cost_limit cost_limits[] = {
    {"delivery: to 100 WebSockets", 75000},
    {"delivery: to 100 clients of Socket.IO", 88000},
    {"delivery: to 100 event streams", 84000},
    {NULL, 0},
};

const struct cost_case cost_cases[] = {
    {"delivery: to 100 WebSockets", to_websockets, NONE, BYTES("e"), NONE, EVENTS},
    {"delivery: to 100 clients of Socket.IO", to_socketio, NONE, BYTES("e"), NONE, EVENTS},
    {"delivery: to 100 event streams", to_streams, NONE, BYTES("e"), NONE, EVENTS},
    {NULL, NULL, NONE, NONE, NONE, 0},
};
