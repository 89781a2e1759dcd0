/* echo.c: a server for stock clients of Socket.IO and Engine.IO, which answers what they send: for
 * the test suites of the two protocols, and as an example of ws_manager/socketio.h.
 *
 *   socketio-echo [--listen ADDRESS:PORT]   default 127.0.0.1:3000; port 0: any free port
 *
 * Engine.IO, at /engine.io/, echoes every message. Socket.IO, at /socket.io/ and there in the
 * namespaces "/" and "/custom":
 *
 *   on connection                       emits "auth" with the client's auth, AUTH_DELAY_MS later
 *   "message", ...args                  emits "message-back" with the same arguments
 *   "message-with-ack", ...args         acknowledges with the same arguments
 *
 * Both are served over HTTP long-polling and WebSocket. The sockets and the loop are in
 * examples/http-host. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

enum { PING_INTERVAL_MS = 300, PING_TIMEOUT_MS = 200, CONNECT_TIMEOUT_MS = 1000 };
enum { MAX_PAYLOAD = 1000000 };

/* --- Socket.IO: "auth" ---------------------------------------------------------------------- */

/* The clients of the test suite miss a message that arrives together with the one before it: here,
 * with the packet that connects the socket. A server without such clients emits at once. */
enum { AUTH_DELAY_MS = 100 };

/* A client's auth, which is emitted to it when it is due. */
struct greeting {
    struct greeting *next; /* is due later */
    ws_conn_id id;
    uint64_t due_ms;
    char args[]; /* of the event: the auth in brackets */
};

static struct {
    struct greeting *first;
    struct greeting **end;
} greetings = {NULL, &greetings.first};

/* Keeps the client's auth until its socket is connected. */
static int accept_handshake(ws_handshake *handshake, void *user_data)
{
    const char *auth = ws_handshake_auth(handshake);
    struct greeting *greeting;

    (void)user_data;
    if (auth == NULL) /* of Engine.IO alone */
        return WS_OK;
    greeting = malloc(sizeof *greeting + strlen(auth) + 3);
    if (greeting == NULL)
        return WS_ERR_NO_MEMORY;
    sprintf(greeting->args, "[%s]", auth);
    ws_handshake_set_user_data(handshake, greeting);
    return WS_OK;
}

static void on_connect(ws_manager *manager, const ws_connection_info *connection,
                       void *user_data)
{
    struct greeting *greeting = connection->user_data;

    (void)user_data;
    if (greeting == NULL)
        return;
    ws_manager_set_user_data(manager, connection->id, NULL);
    greeting->id = connection->id;
    greeting->due_ms = host_now_ms() + AUTH_DELAY_MS;
    greeting->next = NULL;
    *greetings.end = greeting;
    greetings.end = &greeting->next;
}

static struct greeting *take_greeting(void)
{
    struct greeting *greeting = greetings.first;

    greetings.first = greeting->next;
    if (greetings.first == NULL)
        greetings.end = &greetings.first;
    return greeting;
}

/* Emits what is due; returns as a host_turn. A client that has left is not found. */
static uint64_t greet(ws_manager *manager, uint64_t now_ms)
{
    bool has_emitted = false;

    while (greetings.first != NULL && greetings.first->due_ms <= now_ms) {
        struct greeting *greeting = take_greeting();
        ws_socketio_message message;

        ws_socketio_message_init(&message);
        message.name = "auth";
        message.args = greeting->args;
        message.args_length = strlen(greeting->args);
        ws_socketio_emit(manager, greeting->id, &message);
        free(greeting);
        has_emitted = true;
    }
    if (has_emitted)
        return now_ms;
    return greetings.first != NULL ? greetings.first->due_ms : WS_NO_DEADLINE;
}

static void forget_greetings(void)
{
    while (greetings.first != NULL)
        free(take_greeting());
}

/* --- Socket.IO: events ---------------------------------------------------------------------- */

static void on_event(ws_manager *manager, const ws_connection_info *connection,
                     const ws_socketio_event *event, void *user_data)
{
    ws_socketio_message message;

    (void)user_data;
    ws_socketio_message_init(&message);
    message.args = event->args;
    message.args_length = event->args_length;
    message.attachments = event->attachments;
    message.n_attachments = event->n_attachments;
    if (strcmp(event->name, "message") == 0) {
        message.name = "message-back";
        ws_socketio_emit(manager, connection->id, &message);
    } else if (strcmp(event->name, "message-with-ack") == 0 &&
               event->ack_id != WS_SOCKETIO_NO_ACK) {
        ws_socketio_ack(manager, connection->id, event->ack_id, &message);
    }
}

/* --- Engine.IO ------------------------------------------------------------------------------ */

static void on_raw(ws_manager *manager, const ws_connection_info *connection, const void *data,
                   size_t length, int is_text, void *user_data)
{
    (void)user_data;
    if (is_text)
        ws_manager_send_text(manager, connection->id, data, length);
    else
        ws_manager_send_binary(manager, connection->id, data, length);
}

/* --- origins -------------------------------------------------------------------------------- */

/* Pages of any origin, as the test suites want it. A server with cookies must not do this. */
static int allow_origin(ws_handshake *handshake, void *user_data)
{
    (void)handshake;
    (void)user_data;
    return WS_OK;
}

/* --- the program ---------------------------------------------------------------------------- */

static int make_manager(ws_manager **manager)
{
    ws_manager_options options;

    ws_manager_options_init(&options);
    options.on_connect = on_connect;
    options.on_raw = on_raw;
    options.presence_events = WS_PRESENCE_OFF;
    return ws_manager_new(&options, manager);
}

static int make_endpoints(ws_manager *manager, ws_endpoint **for_socketio,
                          ws_endpoint **for_engineio)
{
    static const char *const namespaces[] = {"/custom"};
    ws_endpoint_options options;
    ws_socketio_options socketio;
    int result;

    ws_socketio_options_init(&socketio);
    socketio.on_event = on_event;
    socketio.namespaces = namespaces;
    socketio.n_namespaces = 1;
    socketio.connect_timeout_ms = CONNECT_TIMEOUT_MS;
    socketio.recovery_ms = 0; /* the suites know no `pid` and no offsets */
    ws_endpoint_options_init(&options);
    options.accept_handshake = accept_handshake;
    options.allow_origin = allow_origin;
    options.ping_interval_ms = PING_INTERVAL_MS;
    options.pong_timeout_ms = PING_TIMEOUT_MS;
    options.max_message_bytes = MAX_PAYLOAD;
    options.protocol = WS_PROTOCOL_SOCKETIO;
    options.socketio = &socketio;
    result = ws_endpoint_new(manager, &options, for_socketio);
    if (result != WS_OK)
        return result;
    options.protocol = WS_PROTOCOL_ENGINEIO;
    options.socketio = NULL;
    return ws_endpoint_new(manager, &options, for_engineio);
}

int main(int argc, char **argv)
{
    const char *address = "127.0.0.1:3000";
    struct host_endpoint endpoints[] = {{"/socket.io/", NULL}, {"/engine.io/", NULL}};
    ws_manager *manager = NULL;
    int result;
    int status = 1;

    if (argc == 3 && strcmp(argv[1], "--listen") == 0) {
        address = argv[2];
    } else if (argc != 1) {
        fprintf(stderr, "usage: socketio-echo [--listen ADDRESS:PORT]\n");
        return 2;
    }
    result = make_manager(&manager);
    if (result == WS_OK)
        result = make_endpoints(manager, &endpoints[0].endpoint, &endpoints[1].endpoint);
    if (result == WS_OK)
        status = host_run(address, manager, endpoints, 2, greet);
    else
        fprintf(stderr, "socketio-echo: %s\n", ws_strerror(result));
    forget_greetings();
    ws_endpoint_free(endpoints[0].endpoint);
    ws_endpoint_free(endpoints[1].endpoint);
    ws_manager_free(manager);
    return status;
}
