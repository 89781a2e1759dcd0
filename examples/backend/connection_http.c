/* connection_http.c: a connection that speaks HTTP: requests in, responses out, in order.
 * Parsing is in http_request.c, answering in router.c. */
#include "connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "address.h"
#include "http_response.h"
#include "log.h"
#include "refusal_log.h"
#include "router.h"

enum {
    READS_PER_TURN = 4,
    OUT_LIMIT = 64 * 1024,    /* above it, the client is neither answered nor read from */
    RECEIVED_PER_COST = 8,    /* bytes parsed or copied, per byte of an answer */
    LEAST_WRITTEN = 20 * 1024 /* within TIMEOUT_WRITE: 1 KiB a second */
};

static bool may_answer(const struct connection *connection)
{
    return !connection->last && connection->file < 0 &&
           connection->http->request.state < HTTP_COMPLETE &&
           byte_buffer_length(&connection->out) <= OUT_LIMIT;
}

static void spend(struct connection *connection, size_t cost)
{
    connection->http->spent += cost;
    http_turns_charge(&connection->loop->turns, cost);
}

/* A connection whose turn has come may always do one piece of work. */
static bool may_spend(const struct connection *connection)
{
    size_t spent = connection->http->spent;

    return spent == 0 || (spent < HTTP_CONNECTION_COST && connection->loop->turns.left > 0);
}

/* Call it after anything that may have changed the memory of the request's body. */
static void count_body(struct connection *connection)
{
    struct http_exchange *http = connection->http;
    size_t bytes = http->request.body.capacity;

    connection->loop->body_bytes += bytes - http->body_bytes;
    http->body_bytes = bytes;
}

/* Queues a response to the current request and prepares for the next one. */
static void queue_response(struct connection *connection, struct http_response *response)
{
    struct http_request *request = &connection->http->request;
    bool is_head = first_line_is_head(&request->first_line);
    bool keep_alive = request->keep_alive && request->state == HTTP_COMPLETE &&
                      !connection->is_refused && !atomic_load(&connection->loop->app->stopping);

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
    count_body(connection);
    connection->http->answered = true;
    connection->http->has_queued = false;
    connection_forget_client(connection);
}

static bool changes_something(const struct http_request *request)
{
    return request->parser.method != HTTP_GET && request->parser.method != HTTP_HEAD;
}

static size_t cost_of_right(const struct connection *connection)
{
    return access_needs_token(&connection->loop->app->access) ? HTTP_COST_TOKEN : 0;
}

static void answer_request(struct connection *connection, struct http_response *response)
{
    const struct http_request *request = &connection->http->request;
    char client[INET6_ADDRSTRLEN];

    if (refusal_is_handshake(request)) {
        refusal_log(request, response->status, "there is no WebSocket here");
    } else if (log_has(WS_LOG_DEBUG)) {
        address_format(connection_client(connection), client);
        log_line(WS_LOG_DEBUG, "%s %s %d for %s",
                 http_method_str((enum http_method)request->parser.method),
                 http_request_path(request), response->status, client);
    }
    spend(connection, HTTP_COST_REQUEST + cost_of_right(connection) + response->body_length +
                          byte_buffer_length(&request->body) +
                          (changes_something(request) ? HTTP_COST_CHANGE : 0));
    queue_response(connection, response);
}

static void answer_error(struct connection *connection, int status, const char *message)
{
    struct http_response response;

    spend(connection, HTTP_COST_REQUEST);
    http_response_init(&response);
    http_response_set_status_error(&response, status, message);
    queue_response(connection, &response);
    http_response_free(&response);
}

static void answer_failure(struct connection *connection, int status, const char *message)
{
    refusal_log(&connection->http->request, status, message);
    answer_error(connection, status, message);
}

/* Waits for the method, which decides whether the answer has a body. */
static void answer_refused(struct connection *connection)
{
    const struct http_request *request = &connection->http->request;

    if (first_line_has_method(&request->first_line) || request->state == HTTP_FAILED)
        answer_error(connection, HTTP_STATUS_TOO_MANY_REQUESTS, connection_refusal);
}

/* The client waits for this before it sends the body. Without memory nothing is sent, and the
 * client continues after a while. */
static void answer_expectation(struct connection *connection)
{
    static const char answer[] = "HTTP/1.1 100 Continue\r\n\r\n";

    connection->http->request.expects_continue = false;
    byte_buffer_append(&connection->out, answer, strlen(answer));
}

/* False after answering a request whose client is refused. */
static bool admit_client(struct connection *connection)
{
    switch (connection_identify(connection)) {
    case CLIENT_KNOWN:
        return true;
    case CLIENT_CONTRADICTED:
        answer_failure(connection, HTTP_STATUS_BAD_REQUEST,
                       "Forwarded and X-Forwarded-For name different clients");
        break;
    case CLIENT_UNREADABLE:
        answer_failure(connection, HTTP_STATUS_BAD_REQUEST,
                       "a quoted string in Forwarded is not terminated");
        break;
    case CLIENT_HAS_TOO_MANY:
        answer_failure(connection, HTTP_STATUS_TOO_MANY_REQUESTS, connection_refusal);
        break;
    case CLIENT_NO_MEMORY:
        answer_failure(connection, HTTP_STATUS_SERVICE_UNAVAILABLE, "out of memory");
        break;
    }
    return false;
}

/* The head is complete. The body is received only if a handler wants it from this client. */
static void begin_body(struct connection *connection)
{
    struct http_request *request = &connection->http->request;
    struct http_response response;

    http_response_init(&response);
    if (!router_takes_body(connection->loop->app, request, connection->is_admin, &response)) {
        answer_request(connection, &response);
    } else {
        request->is_admitted = true;
        spend(connection, cost_of_right(connection));
        if (request->expects_continue)
            answer_expectation(connection);
    }
    http_response_free(&response);
}

/* Puts a request for a long list behind the others of its kind, once. Otherwise a client's first
 * list would delay cheap requests: 40 clients that begin at once delayed them by 200 ms. */
static bool must_queue(struct connection *connection)
{
    struct http_exchange *http = connection->http;

    if (http->has_queued || !router_makes_long_list(&http->request))
        return false;
    http->has_queued = true;
    http_queue_add(&connection->loop->turns.heavy, connection);
    return true;
}

static void answer_complete(struct connection *connection)
{
    struct http_response response;

    http_response_init(&response);
    router_answer(connection->loop->app, &connection->http->request, connection->is_admin,
                  &response);
    if (response.later) {
        spend(connection, HTTP_COST_REQUEST + cost_of_right(connection));
        http_queue_add(&connection->loop->turns.later, connection);
    } else {
        answer_request(connection, &response);
    }
    http_response_free(&response);
}

static void use_request(struct connection *connection)
{
    struct http_request *request = &connection->http->request;

    if (request->state >= HTTP_HEAD_DONE && request->state != HTTP_FAILED &&
        !admit_client(connection))
        return;
    switch (request->state) {
    case HTTP_HEAD_DONE:
        begin_body(connection);
        break;
    case HTTP_COMPLETE:
        if (!must_queue(connection))
            answer_complete(connection);
        break;
    case HTTP_FAILED:
        answer_failure(connection, request->failure_status, request->failure_message);
        break;
    case HTTP_HANDED_OVER:
        spend(connection, HTTP_COST_REQUEST + cost_of_right(connection));
        break;
    case HTTP_AWAITING:
    case HTTP_IN_HEAD:
    case HTTP_IN_BODY:
        break;
    }
}

/* The other connection that has been sending its body for the longest time; NULL if there is
 * none. */
static struct connection *oldest_body(const struct connection *connection)
{
    const struct timer_queue *queue = &connection->loop->timeouts[TIMEOUT_BODY];
    struct timer *timer = timer_queue_first(queue);

    if (timer == &connection->timer)
        timer = timer->next;
    return timer != NULL && timer != &queue->head ? connection_of_timer(timer) : NULL;
}

/* While there are too many bodies, refuses those that take longest: a client that completes its
 * body usually does so soon. */
static void limit_bodies(struct connection *connection)
{
    static const char message[] = "too many request bodies at once; try again";

    while (connection->loop->body_bytes > LOOP_BODY_BYTES && !connection->last) {
        struct connection *oldest = oldest_body(connection);

        if (oldest != NULL)
            connection_http_refuse(oldest, HTTP_STATUS_SERVICE_UNAVAILABLE, message);
        else
            answer_failure(connection, HTTP_STATUS_SERVICE_UNAVAILABLE, message);
    }
}

/* Uses received bytes; returns how many. The rest must wait until responses are written, or for
 * the next turn. */
static size_t use_input(struct connection *connection, const char *data, size_t length)
{
    size_t used = 0;

    while (used < length && may_answer(connection) && may_spend(connection)) {
        size_t part = http_request_feed(&connection->http->request, data + used, length - used);

        used += part;
        spend(connection, part / RECEIVED_PER_COST);
        count_body(connection);
        if (connection->is_refused)
            answer_refused(connection);
        else
            use_request(connection);
        if (connection->http->request.state == HTTP_IN_BODY)
            limit_bodies(connection);
    }
    return connection->last ? length : used;
}

/* Starts the timer, unless one of the same kind is running. */
static void set_timer(struct connection *connection, enum timeout timeout)
{
    struct loop *loop = connection->loop;
    struct timer_queue *queue = &loop->timeouts[timeout];

    if (connection->timer.queue != queue) {
        timer_start(&connection->timer, queue, loop->now_ms);
        connection->http->unread.written = 0;
    }
}

bool connection_http_reads_on(struct connection *connection)
{
    struct loop *loop = connection->loop;
    struct http_unread *unread = &connection->http->unread;

    if (unread->written < LEAST_WRITTEN)
        return false;
    unread->written = 0;
    timer_start(&connection->timer, &loop->timeouts[TIMEOUT_WRITE], loop->now_ms);
    return true;
}

/* What the connection waits for next. */
static enum timeout next_timeout(const struct connection *connection, bool blocked)
{
    const struct loop *loop = connection->loop;

    if (connection->is_refused)
        return TIMEOUT_LINGER;
    switch (connection->http->request.state) {
    case HTTP_HEAD_DONE:
    case HTTP_IN_BODY:
        return TIMEOUT_BODY; /* also when blocked: limit_bodies() looks in this queue */
    case HTTP_IN_HEAD:
        return blocked ? TIMEOUT_WRITE : TIMEOUT_HEAD;
    default:
        break;
    }
    if (blocked)
        return TIMEOUT_WRITE;
    /* Empty lines before the first request do not end TIMEOUT_FRESH. */
    return connection->timer.queue == &loop->timeouts[TIMEOUT_FRESH] ? TIMEOUT_FRESH
                                                                     : TIMEOUT_IDLE;
}

static bool start_websocket(struct connection *connection)
{
    if (connection_websocket_start(connection))
        return true;
    answer_failure(connection, HTTP_STATUS_SERVICE_UNAVAILABLE, "out of memory");
    return false;
}

/* Waits for the client, for its own turn, or for both. */
static void wait_for_more(struct connection *connection, bool blocked)
{
    struct http_exchange *http = connection->http;
    uint32_t events = blocked ? EPOLLOUT : 0;

    if (may_answer(connection) && byte_buffer_length(&http->held) > 0)
        http_turns_wait(&connection->loop->turns, connection);
    else if (may_answer(connection))
        events |= EPOLLIN;
    connection_watch(connection, events);
}

/* Records whether the answers are being read, and sets the timer for what comes next. For a
 * client that still does not read, or is refused, the timer keeps running. */
static void account(struct connection *connection, bool blocked)
{
    struct http_exchange *http = connection->http;
    bool runs_on =
        connection->is_refused ||
        (blocked && connection->timer.queue == &connection->loop->timeouts[TIMEOUT_WRITE]);

    http_unread_note(connection, blocked);
    if (http->answered && !runs_on)
        timer_stop(&connection->timer);
    http->answered = false;
    set_timer(connection, next_timeout(connection, blocked));
}

/* Writes what can be written and decides what comes next. */
static void settle(struct connection *connection)
{
    struct http_exchange *http = connection->http;
    enum connection_write result = connection_write_http(connection);
    bool blocked;

    if (result == WRITE_DONE && http->request.state == HTTP_HANDED_OVER) {
        if (start_websocket(connection))
            return;
        result = connection_write_http(connection);
    }
    blocked = result == WRITE_BLOCKED;
    if (result == WRITE_BROKEN) {
        connection_close(connection);
        return;
    }
    if (result == WRITE_DONE && connection->last) {
        connection_linger(connection);
        return;
    }
    account(connection, blocked);
    wait_for_more(connection, blocked);
}

void connection_http_refuse(struct connection *connection, int status, const char *message)
{
    answer_failure(connection, status, message);
    settle(connection);
}

/* Uses the held bytes; false if some are left. */
static bool use_held(struct connection *connection)
{
    struct byte_buffer *held = &connection->http->held;

    if (byte_buffer_length(held) > 0) {
        size_t used = use_input(connection, byte_buffer_bytes(held), byte_buffer_length(held));

        byte_buffer_consume(held, used);
    }
    return byte_buffer_length(held) == 0;
}

/* How much to read at once. What cannot be used now is held: when much is, one request's head is
 * enough, so that all connections of a loop together hold at most 16 KiB each. */
static size_t receive_size(const struct connection *connection)
{
    const struct loop *loop = connection->loop;

    return loop->blocked.bytes < HTTP_UNREAD_BYTES / 4 ? sizeof loop->received
                                                       : HTTP_HEAD_LIMIT;
}

/* As stream_read(); the handshake of TLS is part of it. */
static ssize_t receive(struct connection *connection, size_t size)
{
    if (stream_in_handshake(&connection->stream))
        spend(connection, HTTP_COST_HANDSHAKE);
    return stream_read(&connection->stream, connection->loop->received, size);
}

/* Reads and uses input while it may; false if the connection was closed. */
static bool use_received(struct connection *connection)
{
    struct loop *loop = connection->loop;

    for (int i = 0; i < READS_PER_TURN && may_answer(connection) && may_spend(connection);
         i++) {
        size_t size = receive_size(connection);
        ssize_t length = receive(connection, size);
        size_t used;

        if (length < 0) {
            if (errno == EAGAIN || errno == EINTR)
                return true;
            connection_close(connection);
            return false;
        }
        if (length == 0) {
            connection->eof = true;
            connection->last = true;
            return true;
        }
        used = use_input(connection, loop->received, (size_t)length);
        if (!byte_buffer_append(&connection->http->held, loop->received + used,
                                (size_t)length - used)) {
            connection_close(connection);
            return false;
        }
        if (used < (size_t)length ||
            !stream_may_have_more(&connection->stream, (size_t)length, size))
            return true;
    }
    return true;
}

void connection_http_go_on(struct connection *connection)
{
    connection->http->spent = 0;
    if (connection->http->request.state == HTTP_COMPLETE)
        use_request(connection);
    if (!use_held(connection) || use_received(connection))
        settle(connection);
}

/* The connection is read from when its turn comes. If it waits already, epoll must not report it
 * again. */
void connection_http_readable(struct connection *connection)
{
    if (connection->http->place.queue != NULL)
        connection_watch(connection, connection->interest & ~(uint32_t)EPOLLIN);
    else
        http_turns_wait(&connection->loop->turns, connection);
}

/* Writes at once, because writing is cheap and frees memory. */
void connection_http_writable(struct connection *connection)
{
    settle(connection);
}

void connection_http_end(struct connection *connection)
{
    struct http_exchange *http = connection->http;

    if (http == NULL)
        return;
    http_queue_remove(connection);
    http_unread_forget(connection);
    connection->loop->body_bytes -= http->body_bytes;
    http_request_free(&http->request);
    byte_buffer_free(&http->held);
    free(http);
    connection->http = NULL;
}
