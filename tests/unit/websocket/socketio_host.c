/* socketio_host.c: the host of host.h as a server of Socket.IO. */
#include "websocket/socketio_host.h"

#include <stdio.h>
#include <string.h>

struct host host;
struct socketio_seen seen;
void (*on_event_hook)(ws_conn_id connection, const ws_socketio_event *event);

static void on_event(ws_manager *manager, const ws_connection_info *connection,
                     const ws_socketio_event *event, void *user_data)
{
    char *to = seen.attachments;

    ck_assert_ptr_eq(manager, host.manager);
    ck_assert_ptr_eq(user_data, &seen);
    ck_assert_uint_eq(event->size, sizeof *event);
    ck_assert_uint_eq(event->args_length, strlen(event->args));
    seen.n_events++;
    seen.connection = connection->id;
    snprintf(seen.name_space, sizeof seen.name_space, "%s", event->name_space);
    snprintf(seen.name, sizeof seen.name, "%s", event->name);
    snprintf(seen.args, sizeof seen.args, "%s", event->args);
    *to = '\0';
    for (size_t i = 0; i < event->n_attachments; i++)
        to += snprintf(
            to, sizeof seen.attachments - (size_t)(to - seen.attachments), "%.*s|",
            (int)event->attachments[i].length,
            event->attachments[i].length > 0 ? (const char *)event->attachments[i].data : "");
    seen.ack_id = event->ack_id;
    if (on_event_hook != NULL)
        on_event_hook(connection->id, event);
}

void socketio_options_init(struct host_options *options)
{
    static const char *const namespaces[] = {"/custom"};
    static ws_socketio_options socketio;

    ws_socketio_options_init(&socketio);
    socketio.on_event = on_event;
    socketio.user_data = &seen;
    socketio.namespaces = namespaces;
    socketio.n_namespaces = 1;
    socketio.max_attachments = 2;
    socketio.recovery_ms = 0;
    host_options_init(options);
    options->endpoint.protocol = WS_PROTOCOL_SOCKETIO;
    options->endpoint.socketio = &socketio;
    options->endpoint.ping_interval_ms = 10000;
    options->endpoint.pong_timeout_ms = 2000;
    options->endpoint.max_message_bytes = 1000;
}

void socketio_open(struct host_options *options)
{
    struct host_options defaults;

    socketio_options_init(&defaults);
    host_open(&host, options != NULL ? options : &defaults);
}

void socketio_close(void)
{
    host_close(&host);
    memset(&seen, 0, sizeof seen);
    on_event_hook = NULL;
}

struct peer *socketio_session(const char *headers)
{
    struct peer *peer = host_peer(&host);
    struct bytes request = {NULL, 0, 0};

    client_request(&request, SOCKETIO_TARGET, headers);
    peer_send(peer, &request);
    bytes_free(&request);
    ck_assert_int_eq(peer_head(peer), 101);
    socketio_expect_prefix(peer, "0{\"sid\":\"");
    return peer;
}

struct peer *socketio_client(void)
{
    struct peer *peer = socketio_session("");

    socketio_send(peer, "40");
    socketio_expect_prefix(peer, "40{\"sid\":\"");
    return peer;
}

ws_conn_id socketio_id(const struct peer *peer)
{
    return ws_websocket_id(peer->websocket);
}

ws_socketio_message socketio_message(const char *name, const char *args)
{
    ws_socketio_message message;

    ws_socketio_message_init(&message);
    message.name = name;
    message.args = args;
    message.args_length = args != NULL ? strlen(args) : 0;
    return message;
}

int socketio_emit(ws_conn_id connection, const char *name, const char *args)
{
    ws_socketio_message message = socketio_message(name, args);

    return ws_socketio_emit(host.manager, connection, &message);
}

void socketio_send(struct peer *peer, const char *packet)
{
    peer_send_frame(peer, FIN | TEXT, packet, strlen(packet));
}

void socketio_expect(struct peer *peer, const char *packet)
{
    peer_expect_text(peer, packet);
}

void socketio_expect_prefix(struct peer *peer, const char *prefix)
{
    struct frame frame;

    ck_assert(peer_next(peer, &frame));
    ck_assert_uint_eq(frame.opcode, TEXT);
    ck_assert_uint_ge(frame.length, strlen(prefix));
    ck_assert_msg(memcmp(frame.payload, prefix, strlen(prefix)) == 0, "%.*s", (int)frame.length,
                  (const char *)frame.payload);
}
