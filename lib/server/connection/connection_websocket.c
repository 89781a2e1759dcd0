/* connection_websocket.c: a connection that speaks WebSocket: its bytes to and from the
 * library. The protocol is the library's. */
#include "server/connection/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>

#include "server/parts/address.h"
#include "server/parts/server_log.h"
#include "server/parts/user_agent.h"

enum {
    READS_PER_TURN = 4,
    PACED_READS_PER_TURN =
        1 /* what was read is answered before more is read, so the queue stays short */
};

static void upgrade(struct connection *connection, const ws_header *headers, size_t n_headers)
{
    const struct byte_buffer *rest = &connection->http->held;
    const struct http_request *request = &connection->http->request;
    const http_parser *parser = &request->parser;
    int result = ws_websocket_upgrade(connection->websocket,
                                      http_method_str((enum http_method)parser->method),
                                      parser->http_major, parser->http_minor,
                                      http_request_target(request), headers, n_headers);

    if (result == WS_OK && byte_buffer_length(rest) > 0)
        result = ws_websocket_receive(connection->websocket, byte_buffer_bytes(rest),
                                      byte_buffer_length(rest));
    if (result == WS_ERR_CLOSED) {
        connection_websocket_write(connection);
    } else if (result != WS_OK) {
        struct server_log *log = &connection->loop->server->log;

        if (log_pause_take(&log->upgrading)) {
            char client[INET6_ADDRSTRLEN];

            address_format(connection_client(connection), client);
            server_log_line(log, WS_LOG_WARN,
                            "a WebSocket for %s cannot be opened and is closed: %s", client,
                            ws_strerror(result));
        }
        connection_close(connection);
    }
}

/* Safari 15.0 to 15.3 break what they agree on. ws_handshake_decline_deflate() would be too late
 * for Socket.IO, which asks who the client is when the WebSocket is open. */
static bool offers_broken_deflate(const struct http_request *request, size_t field)
{
    return strcasecmp(http_request_field_name(request, field), "Sec-WebSocket-Extensions") ==
               0 &&
           user_agent_keeps_deflate_context(http_request_header(request, "User-Agent"));
}

static enum client_scheme scheme_of(const struct http_request *request)
{
    if (request->scheme == NULL)
        return SCHEME_UNKNOWN;
    return strcmp(request->scheme, "https") == 0 ? SCHEME_HTTPS : SCHEME_HTTP;
}

bool connection_websocket_start(struct connection *connection)
{
    struct loop *loop = connection->loop;
    const struct http_request *request = &connection->http->request;
    const struct server_log *log = &loop->server->log;
    const struct route *route = connection_route(connection);
    ws_header *headers = malloc((request->n_fields + 1) * sizeof *headers);
    size_t n_headers = 0;
    char client[INET6_ADDRSTRLEN];

    if (headers == NULL || ws_websocket_new(loop->ws, route->endpoint, connection,
                                            &connection->websocket) != WS_OK) {
        free(headers);
        return false;
    }
    for (size_t i = 0; i < request->n_fields; i++)
        if (!offers_broken_deflate(request, i))
            headers[n_headers++] = (ws_header){.name = http_request_field_name(request, i),
                                               .value = http_request_field_value(request, i)};
    if (server_log_has(log, WS_LOG_DEBUG)) {
        address_format(connection_client(connection), client);
        server_log_line(log, WS_LOG_DEBUG, "%s %s to the WebSocket endpoint for %s",
                        http_method_str((enum http_method)request->parser.method),
                        http_request_path(request), client);
    }
    connection->phase = PHASE_WEBSOCKET;
    connection->is_paced = route->kind == WS_SERVER_WEBSOCKET_PACED;
    connection->scheme = scheme_of(request);
    connection->is_unadmitted = true;
    if (route_is_socketio(route))
        timer_start(&connection->timer, &loop->timeouts[TIMEOUT_UNADMITTED], loop->now_ms);
    else
        connection_websocket_admitted(connection); /* in upgrade(), or it ends */
    connection_watch(connection, EPOLLIN);

    upgrade(connection, headers, n_headers);

    free(headers);
    connection_http_end(connection);
    return true;
}

/* A client that polled before was admitted then; its WebSocket takes it over when it has said
 * so. */
static void look_for_client(struct connection *connection)
{
    if (connection->is_unadmitted && ws_websocket_id(connection->websocket) != 0)
        connection_websocket_admitted(connection);
}

/* Whether to read from the client. While the library has enough input, the socket is left alone,
 * so that TCP slows the client down. When the library wants more, ws_loop_next_output() returns
 * the connection. */
static bool wants_read(const struct connection *connection)
{
    return !connection->eof && ws_websocket_wants_read(connection->websocket);
}

/* The client sends no more, but may still read. The library says when the connection has ended,
 * which is mostly in this turn. Only if the socket is full must it be watched until then. */
static void end_of_input(struct connection *connection)
{
    connection->eof = true;
    if ((connection->interest & EPOLLOUT) != 0)
        connection_watch(connection, EPOLLOUT);
    ws_websocket_eof(connection->websocket);
}

void connection_websocket_readable(struct connection *connection)
{
    struct loop *loop = connection->loop;
    int reads = connection->is_paced ? PACED_READS_PER_TURN : READS_PER_TURN;

    if (!wants_read(connection)) {
        connection_watch(connection, connection->interest & ~(uint32_t)EPOLLIN);
        return;
    }
    for (int i = 0; i < reads && wants_read(connection); i++) {
        ssize_t length =
            stream_read(&connection->stream, loop->received, sizeof loop->received);

        if (length < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (length <= 0) {
            end_of_input(connection);
            return;
        }
        if (ws_websocket_receive(connection->websocket, loop->received, (size_t)length) ==
            WS_ERR_CLOSED) {
            connection_linger(connection);
            return;
        }
        look_for_client(connection);
        if (!stream_may_have_more(&connection->stream, (size_t)length, sizeof loop->received))
            return;
    }
}

/* Waits until the socket is writable. A paced client that does not read is not read from
 * either: it is slowed down, not disconnected. */
static void wait_writable(struct connection *connection)
{
    bool reading = !connection->is_paced && wants_read(connection);

    connection_watch(connection, reading ? EPOLLIN | EPOLLOUT : EPOLLOUT);
}

static int next_output(struct connection *connection, struct iovec *iov, int max)
{
    return ws_websocket_output(connection->websocket, iov, max);
}

static int note_sent(struct connection *connection, size_t n)
{
    return ws_websocket_sent(connection->websocket, n);
}

void connection_websocket_write(struct connection *connection)
{
    enum connection_write result = connection_write_output(connection, next_output, note_sent);

    look_for_client(connection);
    if (result == WRITE_DONE && !ws_websocket_ended(connection->websocket))
        result = connection_flush(connection);
    switch (result) {
    case WRITE_DONE:
        if (ws_websocket_ended(connection->websocket))
            connection_linger(connection);
        else
            connection_watch(connection, wants_read(connection) ? EPOLLIN : 0);
        break;
    case WRITE_BLOCKED:
        wait_writable(connection);
        break;
    case WRITE_BROKEN:
        connection_close(connection);
        break;
    }
}
