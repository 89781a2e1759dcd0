/* realtime.c: the backend's ws_manager: its options, endpoints and callbacks.
 * Sockets are the server's, admission is in admission.c; the API emits the events. */
#include "realtime.h"

#include <string.h>

#include "admission.h"
#include "log.h"
#include "relay.h"
#include "thread.h"
#include <ws_manager/server.h>

enum {
    SOCKETIO_PING_MS = 25000 /* with --ping-interval 0: clients of Socket.IO wait for pings */
};

static void on_log(int level, const char *line, void *user_data)
{
    (void)user_data;
    log_line(level, "%s", line);
}

/* Answers with what the client sent. */
static int echo_request(ws_manager *manager, const ws_connection_info *connection,
                        const ws_client_message *request, void *user_data)
{
    (void)connection;
    (void)user_data;
    return ws_manager_answer(manager, request->answer, request->data, request->length);
}

static int refuse_message(ws_manager *manager, const ws_connection_info *connection,
                          const ws_client_message *message, void *user_data)
{
    (void)message;
    (void)manager;
    (void)connection;
    (void)user_data;
    return WS_ERR_FORBIDDEN;
}

/* Only /echo has WS_PROTOCOL_RAW. */
static void echo_message(ws_manager *manager, const ws_connection_info *connection,
                         const void *data, size_t length, int is_text, void *user_data)
{
    int result = is_text ? ws_manager_send_text(manager, connection->id, data, length)
                         : ws_manager_send_binary(manager, connection->id, data, length);

    (void)user_data;
    if (result != WS_OK && result != WS_ERR_NOT_FOUND) {
        static struct log_pause pause;

        if (log_pause_take(&pause))
            log_line(WS_LOG_WARN,
                     "an echo to %s cannot be sent, so the connection is closed: %s",
                     connection->user_id != NULL ? connection->user_id : "a client",
                     ws_strerror(result));
        thread_disconnect(manager, connection->id, WS_CLOSE_INTERNAL_ERROR, NULL);
    }
}

static int make_manager(struct realtime *realtime, const struct options *options,
                        struct access *access)
{
    ws_manager_options manager_options;
    int result;

    ws_manager_options_init(&manager_options);
    manager_options.user_data = access;
    manager_options.authorize_join = admission_join;
    manager_options.authorize_presence = admission_presence;
    if (access_needs_token(access)) {
        manager_options.authenticate = admission_authenticate;
        manager_options.on_connect = admission_connected;
        manager_options.on_disconnect = admission_disconnected;
    }
    manager_options.accept_message = options->relay ? relay_message : refuse_message;
    manager_options.on_raw = echo_message;
    manager_options.log = on_log;
    manager_options.presence_events =
        options->no_presence ? WS_PRESENCE_OFF : WS_PRESENCE_EVERYONE;
    manager_options.max_connections = options->max_connections;
    manager_options.max_rooms_per_connection = options->max_rooms;
    manager_options.message_rate = options->message_rate;
    manager_options.history_events = options->history_events;
    result = ws_manager_new(&manager_options, &realtime->manager);
    if (result == WS_OK)
        result = ws_manager_register_method(realtime->manager, "echo", echo_request, NULL);
    return result;
}

/* `options` are those of /ws. */
static int make_socketio(struct realtime *realtime, ws_endpoint_options options,
                         uint32_t max_per_address)
{
    options.max_sessions_per_client = max_per_address;
    options.accept_handshake = admission_socketio_handshake;
    options.protocol = WS_PROTOCOL_SOCKETIO;
    if (options.ping_interval_ms == 0)
        options.ping_interval_ms = SOCKETIO_PING_MS;
    return ws_endpoint_new(realtime->manager, &options, &realtime->socketio);
}

static int make_endpoints(struct realtime *realtime, const struct options *options,
                          struct access *access)
{
    static const char *const subprotocols[] = {admission_subprotocol};
    ws_endpoint_options endpoint_options;
    int result;

    ws_endpoint_options_init(&endpoint_options);
    endpoint_options.max_head_bytes = WS_SERVER_HEAD_MAX;
    endpoint_options.max_message_bytes = options->max_message_bytes;
    endpoint_options.max_fragments = options->max_fragments;
    endpoint_options.max_continuation_frames = options->max_continuation_frames;
    endpoint_options.max_queue_bytes = options->max_queue_bytes;
    endpoint_options.ping_interval_ms = options->ping_interval_ms;
    endpoint_options.deflate = !options->no_deflate;
    endpoint_options.subprotocols = subprotocols;
    endpoint_options.n_subprotocols = 1;
    endpoint_options.accept_handshake = admission_handshake;
    endpoint_options.allow_origin = admission_allow_origin;
    endpoint_options.user_data = access;
    result = ws_endpoint_new(realtime->manager, &endpoint_options, &realtime->events);
    if (result == WS_OK)
        result = make_socketio(realtime, endpoint_options, options->max_per_address);
    if (result != WS_OK || !options->echo)
        return result;
    endpoint_options.accept_handshake = admission_echo_handshake;
    endpoint_options.protocol = WS_PROTOCOL_RAW;
    return ws_endpoint_new(realtime->manager, &endpoint_options, &realtime->echo);
}

static int route_topics(ws_manager *manager)
{
    static const struct {
        const char *type;
        const char *room;
    } routes[] = {
        {"order_created", "orders"},        {"order_updated", "orders"},
        {"order_status_changed", "orders"}, {"inventory_updated", "inventory"},
        {"stock_low", "inventory"},         {"client_created", "clients"},
        {"client_updated", "clients"},
    };
    int result = WS_OK;

    for (size_t i = 0; result == WS_OK && i < sizeof routes / sizeof routes[0]; i++)
        result = ws_manager_route_event_type(manager, routes[i].type, routes[i].room);
    return result;
}

/* A client that enters these rooms with `state` receives every order, or every product, as it
 * is now. Each event of an order has the whole order, so the last one replaces those before it,
 * whatever its type. stock_low is an alarm: it would replace its product's state, and be
 * repeated when the stock has long been filled up. */
static int keep_states(ws_manager *manager)
{
    static const struct {
        const char *room;
        const char *type;
    } kept[] = {{"orders", NULL}, {"inventory", "inventory_updated"}};
    int result = WS_OK;

    for (size_t i = 0; result == WS_OK && i < sizeof kept / sizeof kept[0]; i++) {
        ws_last_values_options options;

        ws_last_values_options_init(&options);
        options.room = kept[i].room;
        options.type = kept[i].type;
        result = ws_manager_keep_last_values(manager, &options);
    }
    return result;
}

/* Clients that enter these rooms with `last` or `since` receive the newest events, the alarms
 * included. */
static int keep_histories(ws_manager *manager)
{
    static const char *const rooms[] = {"orders", "inventory"};
    int result = WS_OK;

    for (size_t i = 0; result == WS_OK && i < sizeof rooms / sizeof rooms[0]; i++) {
        ws_room_history_options options;

        ws_room_history_options_init(&options);
        options.room = rooms[i];
        result = ws_manager_keep_room_history(manager, &options);
    }
    return result;
}

int realtime_open(struct realtime *realtime, const struct options *options,
                  struct access *access)
{
    int result = make_manager(realtime, options, access);

    if (result != WS_OK)
        return result;
    result = make_endpoints(realtime, options, access);
    if (result == WS_OK && options->relay)
        result = ws_manager_register_event_type(realtime->manager, "message");
    if (result == WS_OK && options->topic_rooms)
        result = route_topics(realtime->manager);
    if (result == WS_OK && options->topic_rooms)
        result = keep_states(realtime->manager);
    if (result == WS_OK && options->topic_rooms)
        result = keep_histories(realtime->manager);
    if (result != WS_OK) {
        realtime_close(realtime);
        return result;
    }
    ws_manager_set_default(realtime->manager);
    return WS_OK;
}

void realtime_close(struct realtime *realtime)
{
    ws_endpoint_free(realtime->echo);
    ws_endpoint_free(realtime->socketio);
    ws_endpoint_free(realtime->events);
    ws_manager_free(realtime->manager);
    *realtime = (struct realtime){0};
}

size_t realtime_routes(const struct realtime *realtime, ws_server_route routes[REALTIME_ROUTES])
{
    size_t n = 0;

    routes[n++] = (ws_server_route){"/ws", realtime->events, WS_SERVER_WEBSOCKET};
    routes[n++] = (ws_server_route){"/events", realtime->events, WS_SERVER_EVENTS};
    routes[n++] = (ws_server_route){"/socket.io/", realtime->socketio, WS_SERVER_SOCKETIO};
    routes[n++] = (ws_server_route){"/socket.io", realtime->socketio, WS_SERVER_SOCKETIO};
    if (realtime->echo != NULL)
        routes[n++] = (ws_server_route){"/echo", realtime->echo, WS_SERVER_WEBSOCKET_PACED};
    return n;
}

bool realtime_serves_http(const char *path)
{
    return realtime_serves_events(path) || realtime_serves_socketio(path);
}

bool realtime_serves_events(const char *path)
{
    return strcmp(path, "/events") == 0;
}

bool realtime_serves_socketio(const char *path)
{
    return strcmp(path, "/socket.io/") == 0 || strcmp(path, "/socket.io") == 0;
}
