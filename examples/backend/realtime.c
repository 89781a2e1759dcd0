/* realtime.c: the backend's ws_manager: its options, endpoints and callbacks.
 * Sockets are in connection.c, admission in admission.c; the API emits the events. */
#include "realtime.h"

#include <string.h>

#include "admission.h"
#include "http_request.h"
#include "log.h"

enum { RETRY_SPREAD_MS = 5000 /* over which clients spread their return after a restart */ };

static void on_log(int level, const char *line, void *user_data)
{
    (void)user_data;
    log_line(level, "%s", line);
}

/* --relay: a member's message to a room is sent to all its members, including the sender. */
static int relay_message(ws_manager *manager, const ws_connection_info *connection,
                         const char *room, const char *data, size_t length, void *user_data)
{
    ws_event *event;
    int result;

    (void)user_data;
    if (room == NULL)
        return WS_ERR_INVALID;
    if (!ws_manager_is_member(manager, connection->id, room))
        return WS_ERR_NOT_MEMBER;
    result = ws_event_new(manager, "message", data, length, &event);
    if (result != WS_OK)
        return result;
    if (connection->user_id != NULL)
        result = ws_event_set_user_id(event, connection->user_id);
    if (result == WS_OK)
        result = ws_manager_broadcast_to_room(manager, room, event, NULL, 0);
    ws_event_free(event);
    return result;
}

static int refuse_message(ws_manager *manager, const ws_connection_info *connection,
                          const char *room, const char *data, size_t length, void *user_data)
{
    (void)manager;
    (void)connection;
    (void)room;
    (void)data;
    (void)length;
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

        if (log_may(&pause))
            log_line(WS_LOG_WARN, "an echo cannot be sent: %s", ws_strerror(result));
        ws_manager_disconnect(manager, connection->id, WS_CLOSE_INTERNAL_ERROR, NULL);
    }
}

static int make_manager(struct realtime *realtime, const struct options *options,
                        struct access *access)
{
    ws_manager_options manager_options;

    ws_manager_options_init(&manager_options);
    manager_options.user_data = access;
    manager_options.authorize_join = admission_join;
    if (access_needs_token(access))
        manager_options.authenticate = admission_authenticate;
    manager_options.accept_message = options->relay ? relay_message : refuse_message;
    manager_options.on_raw = echo_message;
    manager_options.log = on_log;
    manager_options.presence_events =
        options->no_presence ? WS_PRESENCE_OFF : WS_PRESENCE_EVERYONE;
    manager_options.max_connections = options->max_connections;
    manager_options.max_rooms_per_connection = options->max_rooms;
    manager_options.message_rate = options->message_rate;
    manager_options.history_events = options->history_events;
    return ws_manager_new(&manager_options, &realtime->manager);
}

static int make_endpoints(struct realtime *realtime, const struct options *options,
                          struct access *access)
{
    static const char *const subprotocols[] = {admission_subprotocol};
    ws_endpoint_options endpoint_options;
    int result;

    ws_endpoint_options_init(&endpoint_options);
    endpoint_options.max_head_bytes = HTTP_HEAD_LIMIT;
    endpoint_options.max_message_bytes = options->max_message_bytes;
    endpoint_options.max_fragments = options->max_fragments;
    endpoint_options.max_continuation_frames = options->max_continuation_frames;
    endpoint_options.max_queue_bytes = options->max_queue_bytes;
    endpoint_options.ping_interval_ms = options->ping_interval_ms;
    endpoint_options.deflate = !options->no_deflate;
    endpoint_options.subprotocols = subprotocols;
    endpoint_options.n_subprotocols = 1;
    endpoint_options.accept_handshake = admission_handshake;
    endpoint_options.user_data = access;
    result = ws_endpoint_new(realtime->manager, &endpoint_options, &realtime->events);
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
    if (result != WS_OK) {
        realtime_close(realtime);
        return result;
    }
    ws_manager_set_default(realtime->manager);
    return WS_OK;
}

void realtime_drain(struct realtime *realtime)
{
    ws_drain_options options;
    int result;

    ws_drain_options_init(&options);
    options.reason = "the server restarts";
    options.retry_spread_ms = RETRY_SPREAD_MS;
    result = ws_manager_drain(realtime->manager, &options);
    if (result != WS_OK)
        log_line(WS_LOG_ERROR, "connections cannot be drained: %s", ws_strerror(result));
}

void realtime_close(struct realtime *realtime)
{
    ws_endpoint_free(realtime->echo);
    ws_endpoint_free(realtime->events);
    ws_manager_free(realtime->manager);
    *realtime = (struct realtime){0};
}

ws_endpoint *realtime_endpoint(const struct realtime *realtime, const char *path)
{
    if (strcmp(path, "/ws") == 0)
        return realtime->events;
    if (strcmp(path, "/echo") == 0)
        return realtime->echo;
    return NULL;
}
