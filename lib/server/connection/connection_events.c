/* connection_events.c: a request that the library answers: to /events, a stream of server-sent
 * events or a message from the client of a stream; to /socket.io/, a poll or the packets of a
 * client that polls. The protocols are the library's. */
#include "server/connection/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "server/connection/http_unread.h"
#include "server/parts/address.h"
#include "server/parts/server_log.h"

enum {
    /* Of what a client sends after its request for a stream, which has no meaning. */
    IGNORED_MAX_BYTES = 64 * 1024,
    /* Of what one sends behind a poll, before it is no longer read from. */
    HELD_MAX_BYTES = HTTP_HEAD_LIMIT
};

static bool is_stream(const struct connection *connection)
{
    return connection->http == NULL;
}

/* A poll waits as long as a stream does, so the end of its client must be noticed. Other
 * requests are answered soon, and a client may have ended its side before. */
static bool is_poll(const struct connection *connection)
{
    return connection->http != NULL && connection->http->is_poll;
}

/* EPOLLIN if the client is read from while the response is written. */
static uint32_t reading(const struct connection *connection)
{
    return is_stream(connection) ||
                   (is_poll(connection) &&
                    byte_buffer_length(&connection->http->held) < HELD_MAX_BYTES)
               ? EPOLLIN
               : 0;
}

/* Sessions that poll need no connection in between, and are counted by the library for that. */
static void name_client(const struct connection *connection, char text[INET6_ADDRSTRLEN])
{
    struct in6_addr client = address_of_client(connection_client(connection));

    address_format(&client, text);
}

static int make_request(struct connection *connection, ws_header *headers)
{
    struct loop *loop = connection->loop;
    const struct http_request *received = &connection->http->request;
    char client[INET6_ADDRSTRLEN];
    ws_http_request request;

    name_client(connection, client);
    ws_http_request_init(&request);
    request.method = http_method_str((enum http_method)received->parser.method);
    request.target = http_request_target(received);
    request.http_major = received->parser.http_major;
    request.http_minor = received->parser.http_minor;
    request.headers = headers;
    request.n_headers = received->n_fields;
    request.client = client;
    for (size_t i = 0; i < received->n_fields; i++) {
        headers[i].name = http_request_field_name(received, i);
        headers[i].value = http_request_field_value(received, i);
    }
    return ws_http_new(loop->ws, connection_route(connection)->endpoint, connection, &request,
                       &connection->events);
}

static void log_request(const struct connection *connection)
{
    const struct http_request *request = &connection->http->request;
    const struct server_log *log = &connection->loop->server->log;
    char client[INET6_ADDRSTRLEN];

    if (!server_log_has(log, WS_LOG_DEBUG))
        return;
    address_format(connection_client(connection), client);
    server_log_line(log, WS_LOG_DEBUG, "%s %s to the library for %s",
                    http_method_str((enum http_method)request->parser.method),
                    http_request_path(request), client);
}

/* Whether a poll waits for a session that has no client yet, or that another loop has, which
 * could not take the connection: a stranger may name any session, with as many polls as
 * connections. */
static bool lacks_client(const struct connection *connection)
{
    return is_poll(connection) && ws_http_id(connection->events) == 0;
}

/* Counts the request as one of a client. The poll of one that has not been admitted may give way to
 * others, and its time is limited by the library, too. */
static void count(struct connection *connection)
{
    struct loop *loop = connection->loop;

    connection->is_unadmitted = lacks_client(connection);
    if (connection->is_unadmitted)
        timer_start(&connection->timer, &loop->timeouts[TIMEOUT_UNADMITTED], loop->now_ms);
    else
        loop->n_websockets++;
}

/* What waits behind a poll, which may take long, counts as input behind answers that are not
 * read. */
static void note_held(struct connection *connection)
{
    http_unread_note(connection,
                     is_poll(connection) && byte_buffer_length(&connection->http->held) > 0);
}

/* A stream needs nothing of HTTP any more. Other requests may be followed by the next one, but the
 * library has copied what it needs of them: thousands of polls wait at a time. */
static void settle_in(struct connection *connection, bool is_socketio)
{
    byte_buffer_trim(&connection->http->out);
    if (is_socketio || ws_http_id(connection->events) == 0) {
        connection_http_drop_request(connection);
        connection_forget_data(connection); /* its stream was refused after all */
        byte_buffer_trim(&connection->http->held);
        note_held(connection);
        return;
    }
    connection_http_end(connection);
    connection_watch(connection, EPOLLIN);
}

bool connection_events_start(struct connection *connection)
{
    const struct http_request *request = &connection->http->request;
    const struct byte_buffer *body = &request->body;
    bool is_socketio = route_is_socketio(connection_route(connection));
    ws_header *headers = malloc((request->n_fields + 1) * sizeof *headers);

    if (headers == NULL || make_request(connection, headers) != WS_OK) {
        free(headers);
        connection_forget_data(connection);
        return false;
    }
    free(headers);
    log_request(connection);
    connection->phase = PHASE_EVENTS;
    connection->http->is_poll = is_socketio && request->parser.method == HTTP_GET;
    timer_stop(&connection->timer); /* the library has its own from here on */
    if (byte_buffer_length(body) > 0)
        ws_http_receive(connection->events, byte_buffer_bytes(body), byte_buffer_length(body));
    ws_http_end(connection->events);
    count(connection);
    connection_watch(connection, reading(connection));
    settle_in(connection, is_socketio);
    return true;
}

void connection_events_free(struct connection *connection)
{
    ws_http *events = connection->events;

    if (events == NULL)
        return;
    connection->events = NULL;
    ws_http_free(events);
    if (!connection->is_unadmitted)
        connection->loop->n_websockets--;
    connection->is_unadmitted = false;
    connection->loop->run_again = true; /* others are notified that it has left */
}

/* Keeps what follows a poll until that is answered. False when memory is short. */
static bool hold(struct connection *connection, size_t length)
{
    if (!byte_buffer_append(&connection->http->held, connection->loop->received, length))
        return false;
    note_held(connection);
    connection_watch(connection, (connection->interest & EPOLLOUT) | reading(connection));
    return true;
}

/* Whether a client may send these bytes while its response is not complete. */
static bool may_send(struct connection *connection, size_t length)
{
    if (!is_stream(connection))
        return hold(connection, length);
    connection->discarded += (uint32_t)length;
    return connection->discarded <= IGNORED_MAX_BYTES;
}

void connection_events_readable(struct connection *connection)
{
    struct loop *loop = connection->loop;
    size_t size = is_stream(connection) ? sizeof loop->received : HELD_MAX_BYTES;
    ssize_t length = stream_read(&connection->stream, loop->received, size);

    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (length > 0 && may_send(connection, (size_t)length))
        return;
    ws_http_eof(connection->events);
    connection_close(connection);
}

/* The response has ended: the next request of the connection may follow. */
static void finish(struct connection *connection)
{
    bool keep_alive = ws_http_keeps_alive(connection->events) != 0;

    connection_events_free(connection);
    if (is_stream(connection))
        connection_linger(connection);
    else
        connection_http_resume(connection, keep_alive);
}

static int next_output(struct connection *connection, struct iovec *iov, int max)
{
    return ws_http_output(connection->events, iov, max);
}

static int note_sent(struct connection *connection, size_t n)
{
    return ws_http_sent(connection->events, n);
}

/* The client of a poll may have been admitted while that waited. The library does not know it
 * any more when the poll is answered. */
static void look_for_client(struct connection *connection)
{
    if (connection->is_unadmitted && is_poll(connection) && ws_http_id(connection->events) != 0)
        connection_websocket_admitted(connection);
}

/* The response is not read. That of a client's poll goes on counting as one of a client. Others
 * count, and give way, as answers to other requests do: a stranger can have as many of them as
 * connections. */
static void wait_for_reader(struct connection *connection)
{
    struct loop *loop = connection->loop;
    bool is_client = is_poll(connection) && !connection->is_unadmitted;
    struct timer_queue *timeout = &loop->timeouts[is_client ? TIMEOUT_READ : TIMEOUT_WRITE];

    if (connection->timer.queue == timeout)
        return;
    timer_start(&connection->timer, timeout, loop->now_ms);
    connection->http->unread.written = 0;
    if (is_client)
        return;
    if (!connection->is_unadmitted)
        loop->n_websockets--;
    connection->is_unadmitted = true;
    http_unread_note(connection, true);
    connection_is_one_too_many(loop); /* if so, that has closed one, perhaps this one */
}

void connection_events_write(struct connection *connection)
{
    enum connection_write result;

    look_for_client(connection);
    result = connection_write_output(connection, next_output, note_sent);
    /* When the response has ended, the library's deadline for the client no longer applies.
     * What TLS still holds is then flushed with a deadline of the connection. */
    if (result == WRITE_DONE && !ws_http_ended(connection->events))
        result = connection_flush(connection);
    switch (result) {
    case WRITE_DONE:
        if (ws_http_ended(connection->events))
            finish(connection);
        else
            connection_watch(connection, reading(connection));
        break;
    case WRITE_BLOCKED:
        connection_watch(connection, EPOLLOUT | reading(connection));
        if (!is_stream(connection)) /* whose client has the library's time */
            wait_for_reader(connection);
        break;
    case WRITE_BROKEN:
        connection_close(connection);
        break;
    }
}
