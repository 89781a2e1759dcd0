/* connection_http.c: a connection that speaks HTTP: requests in, responses out, in order.
 * Parsing is http_request.c, the answers are the router's. */
#include "connection.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "http_response.h"
#include "log.h"
#include "router.h"

enum {
    READS_PER_TURN = 4,
    REQUESTS_PER_TURN = 32, /* then other connections have their turn */
    OUT_LIMIT = 1024 * 1024 /* while more waits, no further request is parsed */
};

static bool may_answer(const struct connection *connection)
{
    return byte_buffer_length(&connection->out) <= OUT_LIMIT && connection->file < 0;
}

/* Queues a response to the current request, and makes ready for the next. */
static void queue_response(struct connection *connection, struct http_response *response)
{
    struct http_request *request = connection->request;
    bool is_head = request->parser.method == HTTP_HEAD && request->state == HTTP_COMPLETE;
    bool keep_alive = request->keep_alive && request->state == HTTP_COMPLETE &&
                      !atomic_load(&connection->loop->app->stopping);

    if (!http_response_write(response, is_head, keep_alive, request->parser.http_minor == 0,
                             &connection->out)) {
        connection->last = true;
    } else {
        connection->last = !keep_alive;
        if (response->file >= 0 && !is_head) {
            connection->file = response->file;
            connection->file_offset = 0;
            connection->file_left = response->file_length;
            response->file = -1;
        }
    }
    http_request_reset(request);
}

static void answer_request(struct connection *connection)
{
    struct http_request *request = connection->request;
    struct http_response response;

    http_response_init(&response);
    router_answer(connection->loop->app, request, connection->is_admin, &response);
    log_line(WS_LOG_DEBUG, "%s %s %d",
             http_method_str((enum http_method)request->parser.method),
             http_request_path(request), response.status);
    queue_response(connection, &response);
    http_response_free(&response);
}

static void answer_failure(struct connection *connection, int status, const char *message)
{
    struct http_response response;

    log_line(WS_LOG_DEBUG, "refused: %s", message);
    http_response_init(&response);
    http_response_set_status_error(&response, status, message);
    queue_response(connection, &response);
    http_response_free(&response);
}

/* The client waits before it sends the body. If this can't be said, it goes on after a while.
 */
static void answer_expectation(struct connection *connection)
{
    static const char answer[] = "HTTP/1.1 100 Continue\r\n\r\n";

    connection->request->expects_continue = false;
    if (byte_buffer_length(&connection->request->body) == 0) {
        byte_buffer_append(&connection->out, answer, strlen(answer));
    }
}

static void use_request(struct connection *connection, const char *rest, size_t length)
{
    struct http_request *request = connection->request;

    switch (request->state) {
    case HTTP_COMPLETE:
        answer_request(connection);
        break;
    case HTTP_FAILED:
        answer_failure(connection, request->failure_status, request->failure_message);
        break;
    case HTTP_HANDED_OVER:
        if (!connection_websocket_start(connection, rest, length)) {
            answer_failure(connection, HTTP_STATUS_SERVICE_UNAVAILABLE, "out of memory");
        }
        break;
    case HTTP_IN_BODY:
        if (request->expects_continue) {
            answer_expectation(connection);
        }
        break;
    case HTTP_AWAITING:
    case HTTP_IN_HEAD:
        break;
    }
}

/* Uses received bytes and counts the requests; returns how many bytes are done with. The rest
 * has to wait until responses have gone, or until the next turn. */
static size_t use_input(struct connection *connection, const char *data, size_t length,
                        unsigned *requests)
{
    size_t used = 0;

    while (used < length && may_answer(connection) && *requests < REQUESTS_PER_TURN) {
        used += http_request_feed(connection->request, data + used, length - used);
        *requests += connection->request->state >= HTTP_COMPLETE;
        use_request(connection, data + used, length - used);
        if (connection->last || connection->phase != PHASE_HTTP) {
            return length;
        }
    }
    return used;
}

static void set_timer(struct connection *connection, enum timeout timeout, bool restart)
{
    struct loop *loop = connection->loop;
    struct timer_queue *queue = &loop->timeouts[timeout];

    if (restart || connection->timer.queue != queue) {
        timer_start(&connection->timer, queue, loop->now_ms);
    }
}

/* What the connection waits for next. */
static enum timeout next_timeout(const struct connection *connection, bool blocked)
{
    const struct loop *loop = connection->loop;

    if (blocked) {
        return TIMEOUT_WRITE;
    }
    switch (connection->request->state) {
    case HTTP_IN_HEAD:
        return TIMEOUT_HEAD;
    case HTTP_IN_BODY:
        return TIMEOUT_BODY;
    default:
        /* Line ends before the first request make no new connection an old one. */
        return connection->timer.queue == &loop->timeouts[TIMEOUT_FRESH] ? TIMEOUT_FRESH
                                                                         : TIMEOUT_IDLE;
    }
}

/* Writes what can be written and settles what comes next. `progress` tells whether a request
 * was answered or bytes were written before. */
static void settle(struct connection *connection, bool answered, bool progress)
{
    enum connection_write result = connection_write_http(connection, &progress);
    bool blocked = result == WRITE_BLOCKED;
    bool holds = byte_buffer_length(&connection->held) > 0;
    uint32_t events = 0;

    if (result == WRITE_BROKEN) {
        connection_close(connection);
        return;
    }
    if (result == WRITE_DONE && connection->last) {
        connection_linger(connection);
        return;
    }
    if (answered) {
        timer_stop(&connection->timer);
    }
    set_timer(connection, next_timeout(connection, blocked), blocked && progress);
    if (blocked || holds) {
        events |= EPOLLOUT;
    }
    if (!holds && !connection->last) {
        events |= EPOLLIN;
    }
    connection_watch(connection, events);
}

void connection_http_refuse(struct connection *connection, int status, const char *message)
{
    answer_failure(connection, status, message);
    settle(connection, true, false);
}

void connection_http_readable(struct connection *connection)
{
    struct loop *loop = connection->loop;
    unsigned requests = 0;

    for (int i = 0; i < READS_PER_TURN; i++) {
        ssize_t length =
            stream_read(&connection->stream, loop->received, sizeof loop->received);
        size_t used;

        if (length < 0) {
            if (errno == EAGAIN || errno == EINTR) {
                break;
            }
            connection_close(connection);
            return;
        }
        if (length == 0) {
            connection->eof = true;
            connection->last = true;
            break;
        }
        used = use_input(connection, loop->received, (size_t)length, &requests);
        if (connection->phase != PHASE_HTTP) {
            return;
        }
        if (!byte_buffer_append(&connection->held, loop->received + used,
                                (size_t)length - used)) {
            connection_close(connection);
            return;
        }
        if (connection->last || byte_buffer_length(&connection->held) > 0 ||
            !stream_may_have_more(&connection->stream, (size_t)length, sizeof loop->received)) {
            break;
        }
    }
    settle(connection, requests > 0, false);
}

void connection_http_writable(struct connection *connection)
{
    unsigned requests = 0;
    bool progress = false;

    if (connection_write_http(connection, &progress) == WRITE_BROKEN) {
        connection_close(connection);
        return;
    }
    if (byte_buffer_length(&connection->held) > 0) {
        size_t used = use_input(connection, byte_buffer_bytes(&connection->held),
                                byte_buffer_length(&connection->held), &requests);

        if (connection->phase != PHASE_HTTP) {
            return;
        }
        byte_buffer_consume(&connection->held, used);
    }
    settle(connection, requests > 0, progress);
}
