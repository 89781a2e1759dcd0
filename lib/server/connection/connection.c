/* connection.c: a client's socket: opening, events, lingering and closing.
 * What is spoken is in connection_http.c, connection_websocket.c and connection_events.c. */
#include "server/connection/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/connection/http_answer.h"
#include "server/connection/http_unread.h"
#include "server/parts/address.h"
#include "server/parts/refusal_log.h"
#include "server/parts/text.h"

enum {
    LINGER_READS = 4,                    /* in one turn */
    LINGER_MAX_BYTES = 16 * 1024 * 1024, /* for a client in the middle of a large message */
    FILE_BYTES_PER_TURN = 128 * 1024
};

/* Clients of Socket.IO may also ask for long-polling, which the library answers by HTTP. */
static bool asks_for_websocket(const struct http_request *request)
{
    const char *query = http_request_query(request);
    char transport[sizeof "websocket"];

    return refusal_is_handshake(request) ||
           (text_next_parameter(&query, "transport", transport, sizeof transport) ==
                TEXT_PARAMETER_FOUND &&
            strcmp(transport, "websocket") == 0);
}

static bool is_websocket_path(const struct http_request *request, void *user_data)
{
    const struct ws_server *server = user_data;
    const struct route *route = routes_find(&server->routes, http_request_path(request));

    return route_is_websocket(route) &&
           (!route_is_socketio(route) || asks_for_websocket(request));
}

static bool is_no_websocket(const struct http_request *request, void *user_data)
{
    (void)request;
    (void)user_data;
    return false;
}

void connection_link(struct connection *connection)
{
    struct loop *loop = connection->loop;

    connection->next = loop->first;
    if (loop->first != NULL)
        loop->first->previous = connection;
    loop->first = connection;
    atomic_store_explicit(&loop->n_published, ++loop->n_connections, memory_order_relaxed);
}

void connection_unlink(struct connection *connection)
{
    struct loop *loop = connection->loop;

    if (connection->previous != NULL)
        connection->previous->next = connection->next;
    else
        loop->first = connection->next;
    if (connection->next != NULL)
        connection->next->previous = connection->previous;
    atomic_store_explicit(&loop->n_published, --loop->n_connections, memory_order_relaxed);
}

static const char needed_place[] = "the server needed room for a new connection";

const char connection_refusal[] = "this address has too many connections";

/* Refuses a connection of an address that has too many. The client receives the reason, except with
 * TLS, whose handshake costs too much. Its request must begin within TIMEOUT_LINGER. */
static void refuse_address(struct connection *connection)
{
    struct loop *loop = connection->loop;

    if (loop->server->tls != NULL) {
        refusal_log_address(&loop->server->log, &connection->peer, 0, connection_refusal);
        connection_close(connection);
    } else {
        refusal_log_address(&loop->server->log, &connection->peer,
                            HTTP_STATUS_TOO_MANY_REQUESTS, connection_refusal);
        connection->is_refused = true;
        timer_start(&connection->timer, &loop->timeouts[TIMEOUT_LINGER], loop->now_ms);
    }
}

void connection_count(struct connection *connection)
{
    struct ws_server *server = connection->loop->server;

    if (server->options.max_per_address == 0 || connection->is_admin)
        return;
    switch (address_table_enter(&server->addresses, &connection->peer, &connection->address)) {
    case ADDRESS_ENTERED:
        break;
    case ADDRESS_HAS_TOO_MANY:
        refuse_address(connection);
        break;
    case ADDRESS_NO_MEMORY:
        connection_close(connection);
        break;
    }
}

struct connection *connection_first_of_strangers(const struct timer_queue *queue)
{
    struct timer *timer = timer_queue_first(queue);

    while (timer != NULL && timer != &queue->head && connection_of_timer(timer)->is_admin)
        timer = timer->next;
    return timer != NULL && timer != &queue->head ? connection_of_timer(timer) : NULL;
}

static bool make_room_among(struct loop *loop, enum timeout timeout)
{
    struct connection *connection = connection_first_of_strangers(&loop->timeouts[timeout]);

    if (connection == NULL)
        return false;
    if (timeout == TIMEOUT_HEAD || timeout == TIMEOUT_BODY || timeout == TIMEOUT_TURN)
        refusal_log_request(&loop->server->log, &connection->http->request, 0, needed_place);
    connection_close(connection);
    return true;
}

/* In this order: one that waits to be closed, is idle after an answer, has sent nothing, has
 * not finished the handshake of TLS, has opened a WebSocket without being admitted, is sending
 * a head, does not read, is sending a body, has sent a request that waits for its turn, or does
 * not read the answer to its client's poll; of these, the oldest. */
bool connection_make_room(struct loop *loop)
{
    static const enum timeout least_first[] = {TIMEOUT_LINGER,     TIMEOUT_IDLE,
                                               TIMEOUT_FRESH,      TIMEOUT_HANDSHAKE,
                                               TIMEOUT_UNADMITTED, TIMEOUT_HEAD};

    for (size_t i = 0; i < sizeof least_first / sizeof least_first[0]; i++)
        if (make_room_among(loop, least_first[i]))
            return true;
    return http_unread_close_longest(loop, needed_place) ||
           make_room_among(loop, TIMEOUT_BODY) || make_room_among(loop, TIMEOUT_TURN) ||
           make_room_among(loop, TIMEOUT_READ);
}

/* Whether clients have taken more descriptors than they may. */
static bool lacks_descriptors(const struct ws_server *server)
{
    return server->options.max_descriptors > 0 &&
           atomic_load(&server->n_sockets) + atomic_load(&server->n_files) >
               server->options.max_descriptors;
}

void connection_limit_descriptors(struct loop *loop)
{
    while (lacks_descriptors(loop->server) && connection_make_room(loop))
        continue;
}

bool connection_is_one_too_many(struct loop *loop)
{
    return loop->n_connections - loop->n_websockets > LOOP_MOST_HTTP &&
           !connection_make_room(loop);
}

void connection_open(struct loop *loop, int fd, bool is_admin,
                     const struct sockaddr_storage *peer)
{
    struct connection *connection = calloc(1, sizeof *connection);
    struct http_exchange *http = calloc(1, sizeof *http);

    if (connection != NULL) {
        connection->loop = loop;
        connection->peer = address_of_socket(peer);
    }
    if (connection == NULL || http == NULL || !connection_proxy_open(connection) ||
        !stream_begin(&connection->stream, fd, loop->server->tls, loop->epoll, connection)) {
        if (connection != NULL)
            connection_proxy_close(connection);
        free(http);
        free(connection);
        close(fd);
        return;
    }
    http_request_init(&http->request, is_admin ? is_no_websocket : is_websocket_path,
                      loop->server);
    http->request.scheme = connection_scheme(connection);
    http->view = (struct ws_server_request){.http = &http->request, .is_admin = is_admin};
    http->file = -1;
    connection->interest = EPOLLIN;
    connection->phase = PHASE_HTTP;
    connection->is_admin = is_admin;
    connection->http = http;
    connection_link(connection);
    atomic_fetch_add(&loop->server->n_sockets, 1);
    if (!is_admin && (connection_is_one_too_many(loop) ||
                      (lacks_descriptors(loop->server) && !connection_make_room(loop)))) {
        refusal_log_address(&loop->server->log, &connection->peer, 0,
                            "too many connections are busy");
        connection_close(connection);
        return;
    }
    timer_start(&connection->timer, &loop->timeouts[TIMEOUT_FRESH], loop->now_ms);
    if (connection->proxied == NULL)
        connection_count(connection);
}

void connection_forget_data(struct connection *connection)
{
    const ws_server_options *options = &connection->loop->server->options;
    void *data = connection->data;

    connection->data = NULL;
    if (data != NULL && options->free_data != NULL)
        options->free_data(data, options->user_data);
}

/* Frees the library's part of the connection. */
static void free_realtime(struct connection *connection)
{
    connection_events_free(connection);
    if (connection->websocket != NULL) {
        ws_websocket_free(connection->websocket);
        connection->websocket = NULL;
        if (!connection->is_unadmitted)
            connection->loop->n_websockets--;
        connection->loop->run_again = true; /* others are notified that it has left */
    }
    connection_forget_data(connection);
}

void connection_close(struct connection *connection)
{
    struct loop *loop = connection->loop;

    connection->phase = PHASE_DEAD;
    free_realtime(connection);
    connection_http_end(connection);
    connection_proxy_close(connection);
    if (connection->address != NULL)
        address_table_leave(&loop->server->addresses, connection->address);
    timer_stop(&connection->timer);
    stream_close(&connection->stream);
    connection_unlink(connection);
    atomic_fetch_sub(&loop->server->n_sockets, 1);
    connection->next = loop->dead;
    loop->dead = connection;
}

void connection_watch(struct connection *connection, uint32_t events)
{
    connection->interest = events;
    stream_watch(&connection->stream, connection->loop->epoll, events, connection);
}

static void end_output(struct connection *connection)
{
    if (!stream_end(&connection->stream) && errno == EAGAIN)
        connection_watch(connection, connection->eof ? EPOLLOUT : EPOLLIN | EPOLLOUT);
    else if (connection->eof || shutdown(connection->stream.fd, SHUT_WR) != 0)
        connection_close(connection);
    else
        connection_watch(connection, EPOLLIN);
}

void connection_linger(struct connection *connection)
{
    struct loop *loop = connection->loop;

    free_realtime(connection);
    connection_http_end(connection);
    connection->phase = PHASE_LINGER;
    if (!connection->is_refused) /* whose timer was started when it was refused */
        timer_start(&connection->timer, &loop->timeouts[TIMEOUT_LINGER], loop->now_ms);
    end_output(connection);
}

static void discard_input(struct connection *connection)
{
    struct loop *loop = connection->loop;

    for (int i = 0; i < LINGER_READS; i++) {
        ssize_t length =
            stream_discard(&connection->stream, loop->received, sizeof loop->received);

        if (length < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        connection->discarded += length > 0 ? (uint32_t)length : 0;
        if (length <= 0 || connection->discarded > LINGER_MAX_BYTES) {
            connection_close(connection);
            return;
        }
    }
}

static enum connection_write write_buffer(struct connection *connection)
{
    struct byte_buffer *out = &connection->http->out;
    int more = connection->http->file >= 0 ? MSG_MORE : 0;

    while (byte_buffer_length(out) > 0) {
        struct iovec piece = {byte_buffer_bytes(out), byte_buffer_length(out)};
        ssize_t sent = stream_write(&connection->stream, &piece, 1, more);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return errno == EAGAIN ? WRITE_BLOCKED : WRITE_BROKEN;
        byte_buffer_consume(out, (size_t)sent);
        http_unread_count(connection, (size_t)sent);
    }
    return WRITE_DONE;
}

static enum connection_write write_file(struct connection *connection)
{
    struct http_exchange *http = connection->http;
    size_t budget = FILE_BYTES_PER_TURN;

    while (http->file_left > 0 && budget > 0) {
        size_t wanted = (uint64_t)http->file_left < budget ? (size_t)http->file_left : budget;
        ssize_t sent =
            stream_send_file(&connection->stream, http->file, &http->file_offset, wanted);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN)
            return WRITE_BLOCKED;
        if (sent <= 0)
            return WRITE_BROKEN; /* or the file became shorter than its Content-Length */
        http->file_left -= sent;
        budget -= (size_t)sent;
        http_unread_count(connection, (size_t)sent);
    }
    if (http->file_left > 0)
        return WRITE_BLOCKED; /* others first; epoll reports the socket again in the next turn */
    http_close_file(connection);
    return WRITE_DONE;
}

enum connection_write connection_write_http(struct connection *connection)
{
    enum connection_write result = write_buffer(connection);

    if (result == WRITE_DONE && connection->http->file >= 0)
        result = write_file(connection);
    return result == WRITE_DONE ? connection_flush(connection) : result;
}

static size_t total_length(const struct iovec *iov, int count)
{
    size_t total = 0;

    for (int i = 0; i < count; i++)
        total += iov[i].iov_len;
    return total;
}

enum connection_write connection_write_output(struct connection *connection,
                                              int (*output)(struct connection *connection,
                                                            struct iovec *iov, int max),
                                              int (*sent)(struct connection *connection,
                                                          size_t n))
{
    struct iovec *iov = connection->loop->iov;

    for (;;) {
        int count = output(connection, iov, LOOP_IOVECS);
        ssize_t written;

        if (count <= 0)
            return WRITE_DONE;
        written = stream_write(&connection->stream, iov, count, 0);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0 && errno != EAGAIN)
            return WRITE_BROKEN;
        if (connection->http != NULL && written > 0)
            http_unread_count(connection, (size_t)written);
        if (sent(connection, written > 0 ? (size_t)written : 0) == WS_ERR_CLOSED)
            return WRITE_DONE;
        if (written < 0 || (size_t)written < total_length(iov, count))
            return WRITE_BLOCKED;
        if (count < LOOP_IOVECS)
            return WRITE_DONE;
    }
}

enum connection_write connection_flush(struct connection *connection)
{
    if (stream_flush(&connection->stream))
        return WRITE_DONE;
    return errno == EAGAIN ? WRITE_BLOCKED : WRITE_BROKEN;
}

static void handle_events(struct connection *connection, uint32_t events)
{
    /* Reading finds errors. A connection that is not read from has no peer left to write to. */
    if ((events & (EPOLLERR | EPOLLHUP)) != 0 && (connection->interest & EPOLLIN) == 0) {
        connection_close(connection);
        return;
    }
    if ((events & EPOLLOUT) != 0) {
        if (connection->phase == PHASE_HTTP)
            connection_http_writable(connection);
        else if (connection->phase == PHASE_WEBSOCKET)
            connection_websocket_write(connection);
        else if (connection->phase == PHASE_EVENTS)
            connection_events_write(connection);
        else if (connection->phase == PHASE_LINGER)
            end_output(connection);
    }
    if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) == 0 ||
        (connection->interest & EPOLLIN) == 0)
        return;
    switch (connection->phase) {
    case PHASE_HTTP:
        connection_http_readable(connection);
        break;
    case PHASE_WEBSOCKET:
        connection_websocket_readable(connection);
        break;
    case PHASE_EVENTS:
        connection_events_readable(connection);
        break;
    case PHASE_LINGER:
        discard_input(connection);
        break;
    case PHASE_MOVING:
    case PHASE_DEAD:
        break;
    }
}

void connection_event(struct connection *connection, uint32_t events)
{
    if (connection->proxied != NULL && connection->proxied->awaits_header &&
        !connection_proxy_receive(connection))
        return;
    handle_events(connection, stream_events(&connection->stream, events) &
                                  (connection->interest | EPOLLERR | EPOLLHUP));
    if (!connection_has_left(connection))
        connection_watch(connection, connection->interest); /* TLS may need another event now */
}
