/* connection_http.c: a connection that speaks HTTP: requests in, responses out, in order.
 * Parsing is in http_request.c, the end of a request in http_answer.c; the application answers. */
#include "server/connection/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "server/connection/http_answer.h"
#include "server/connection/http_turns.h"
#include "server/connection/http_unread.h"
#include "server/connection/request_client.h"
#include "server/parts/answers.h"
#include "server/parts/http_feed.h"
#include "server/parts/page.h"
#include "server/parts/refusal_log.h"
#include "server/parts/response.h"
#include "server/parts/status.h"

enum {
    READS_PER_TURN = 4,
    OUT_LIMIT = 64 * 1024,     /* above it, the client is neither answered nor read from */
    RECEIVED_PER_COST = 8,     /* bytes parsed or copied, per byte of an answer */
    COST_OF_LOOK = 8,          /* at a connection that was not in use: 100 ns */
    LEAST_WRITTEN = 20 * 1024, /* within TIMEOUT_WRITE: 1 KiB a second */
    MOST_REFUSED = HTTP_TURN_COST / HTTP_COST_REQUEST /* at once; each costs an answer */
};

static const char too_many_requests[] = "too many requests at once; try again";

static bool may_answer(const struct connection *connection)
{
    return !connection->last && connection->http->file < 0 &&
           connection->http->request.state < HTTP_COMPLETE &&
           connection->http->placing != PLACING_ELSEWHERE &&
           byte_buffer_length(&connection->http->out) <= OUT_LIMIT;
}

/* Whether answers are still to be written. */
static bool has_unsent(const struct connection *connection)
{
    return byte_buffer_length(&connection->http->out) > 0 || connection->http->file >= 0;
}

/* A connection whose turn has come may always do one piece of work. */
static bool may_spend(const struct connection *connection)
{
    size_t spent = connection->http->spent;

    return spent == 0 || (spent < HTTP_CONNECTION_COST && connection->loop->turns.left > 0);
}

/* Waits for the method, which decides whether the answer has a body. */
static void answer_refused(struct connection *connection)
{
    const struct http_request *request = &connection->http->request;

    if (first_line_has_method(&request->first_line) || request->state == HTTP_FAILED)
        http_answer_error(connection, HTTP_STATUS_TOO_MANY_REQUESTS, connection_refusal);
}

/* The client waits for this before it sends the body. Without memory nothing is sent, and the
 * client continues after a while. */
static void answer_expectation(struct connection *connection)
{
    static const char answer[] = "HTTP/1.1 100 Continue\r\n\r\n";

    connection->http->request.expects_continue = false;
    byte_buffer_append(&connection->http->out, answer, strlen(answer));
}

/* False after answering a request whose client is refused. */
static bool admit_client(struct connection *connection)
{
    switch (request_client_identify(connection)) {
    case CLIENT_KNOWN:
        return true;
    case CLIENT_CONTRADICTED:
        http_answer_failure(connection, HTTP_STATUS_BAD_REQUEST,
                            "Forwarded and X-Forwarded-For name different clients");
        break;
    case CLIENT_UNREADABLE:
        http_answer_failure(connection, HTTP_STATUS_BAD_REQUEST,
                            "a quoted string in Forwarded is not terminated");
        break;
    case CLIENT_HAS_TOO_MANY:
        http_answer_failure(connection, HTTP_STATUS_TOO_MANY_REQUESTS, connection_refusal);
        break;
    case CLIENT_NO_MEMORY:
        http_answer_failure(connection, HTTP_STATUS_SERVICE_UNAVAILABLE, "out of memory");
        break;
    }
    return false;
}

/* The request as the application sees it; its answer goes to `response`. */
static struct ws_server_request *show(struct connection *connection, struct response *response)
{
    struct ws_server_request *view = &connection->http->view;

    view->client = connection_client(connection);
    view->response = response;
    view->answers = NULL;
    view->ticket = NULL;
    return view;
}

/* False after filling in the answer to a request that the application refuses. */
static bool is_accepted(struct connection *connection, struct response *response)
{
    const ws_server_options *options = &connection->loop->server->options;
    struct http_request *request = &connection->http->request;
    struct ws_server_request *view;

    if (request->is_admitted || options->accept_request == NULL) {
        request->is_admitted = true;
        return true;
    }
    view = show(connection, response);
    request->is_admitted = options->accept_request(view, options->user_data) == WS_OK;
    if (request->is_admitted && view->response == NULL) {
        response_free(response);
        response_begin(response);
    }
    if (!request->is_admitted && view->response != NULL)
        response_set_error(response, HTTP_STATUS_FORBIDDEN,
                           "the application refused the request");
    return request->is_admitted;
}

/* The head is complete. The body is received only if the application wants it from this client. */
static void begin_body(struct connection *connection)
{
    struct http_request *request = &connection->http->request;
    struct response response;

    response_begin(&response);
    if (!is_accepted(connection, &response)) {
        http_answer_request(connection, &response);
    } else {
        http_spend(connection, http_cost_of_right(connection));
        if (request->expects_continue)
            answer_expectation(connection);
    }
    response_free(&response);
}

/* The other connection that has been sending its head, or its body, for the longest time; NULL if
 * there is none. */
static struct connection *oldest_sender(const struct connection *connection,
                                        enum timeout timeout)
{
    const struct timer_queue *queue = &connection->loop->timeouts[timeout];
    struct timer *timer = timer_queue_first(queue);

    if (timer == &connection->timer)
        timer = timer->next;
    return timer != NULL && timer != &queue->head ? connection_of_timer(timer) : NULL;
}

/* The other connection that has not read its answers for the longest time, of those with a part of
 * the sum: its next request, whole or not, waits behind these answers. NULL if there is none. */
static struct connection *oldest_unread(struct connection *connection, const size_t *sum)
{
    const struct loop *loop = connection->loop;
    struct connection *other = loop->blocked.first;
    size_t n_passed = 0;

    for (; other != NULL; other = other->http->unread.next, n_passed++) {
        const struct http_exchange *http = other->http;
        size_t bytes = sum == &loop->head_bytes ? http->head_bytes : http->body_bytes;

        if (bytes > 0 && other != connection)
            break;
    }
    http_spend(connection, n_passed * COST_OF_LOOK);
    return other;
}

/* The other connection with a part of the sum that takes longest; NULL if there is none. A client
 * that completes its request usually does so soon. */
static struct connection *slowest(struct connection *connection, const size_t *sum)
{
    struct connection *oldest = NULL;

    if (sum == &connection->loop->head_bytes)
        oldest = oldest_sender(connection, TIMEOUT_HEAD);
    if (oldest == NULL)
        oldest = oldest_sender(connection, TIMEOUT_BODY);
    return oldest != NULL ? oldest : oldest_unread(connection, sum);
}

/* While a sum of all connections is above its limit, refuses those that take longest, and the given
 * one when there are no others. Thousands of small ones would take 30 ms: those beyond MOST_REFUSED
 * give way to what is done next, and until then the sum may stay above its limit. */
static void limit_sum(struct connection *connection, const size_t *sum, size_t limit,
                      const char *message)
{
    int left = MOST_REFUSED;

    while (left-- > 0 && *sum > limit && !connection->last) {
        struct connection *other = slowest(connection, sum);

        if (other == NULL) {
            http_answer_failure(connection, HTTP_STATUS_SERVICE_UNAVAILABLE, message);
            return;
        }
        connection_http_refuse(other, HTTP_STATUS_SERVICE_UNAVAILABLE, message);
        http_spend(connection, HTTP_COST_REQUEST);
    }
}

/* False after refusing a complete request that would wait although too many wait. Clients that have
 * not completed theirs, or do not read, give way to it. */
static bool may_wait(struct connection *connection)
{
    if (connection->is_admin)
        return true;
    limit_sum(connection, &connection->loop->head_bytes, LOOP_HEAD_BYTES_WAITING,
              too_many_requests);
    return connection->http->request.state >= HTTP_COMPLETE;
}

/* Makes a complete request wait for its turn. The client has done its part: the timer begins
 * anew. */
static void queue_request(struct connection *connection, struct http_queue *queue)
{
    if (!may_wait(connection))
        return;
    connection->http->has_acted = true;
    http_queue_add(queue, connection);
}

static bool is_costly(struct connection *connection)
{
    const ws_server_options *options = &connection->loop->server->options;

    return options->classify_request != NULL &&
           options->classify_request(show(connection, NULL), options->user_data) != 0;
}

/* Puts a costly request behind the others of its kind, once. Otherwise a client's first list would
 * delay cheap requests: 40 clients that begin at once delayed them by 200 ms. */
static bool must_queue(struct connection *connection)
{
    struct http_exchange *http = connection->http;
    struct loop *loop = connection->loop;

    if (http->has_queued || !is_costly(connection))
        return false;
    limit_sum(connection, &loop->body_bytes, LOOP_BODY_BYTES, too_many_requests);
    if (http->request.state == HTTP_COMPLETE) { /* else it was just refused */
        http->has_queued = true;
        queue_request(connection, &loop->turns.heavy);
    }
    return true;
}

/* Fills in the answer of the application, unless that is deferred. */
static void ask_application(struct connection *connection, struct response *response)
{
    const ws_server_options *options = &connection->loop->server->options;
    struct ws_server_request *view = show(connection, response);

    if (options->on_request == NULL) {
        response_set_error(response, HTTP_STATUS_NOT_FOUND, "nothing exists at this path");
        return;
    }
    view->answers = connection->loop->answers;
    options->on_request(view, options->user_data);
    if (view->response != NULL)
        response_set_error(response, HTTP_STATUS_INTERNAL_SERVER_ERROR,
                           "the application did not respond to the request");
    connection->http->ticket = view->ticket;
    if (view->ticket != NULL)
        view->ticket->connection = connection;
}

/* A deferred request may wait for long, so its body is not kept: the application's view of it has
 * ended. */
static void wait_for_answer(struct connection *connection)
{
    struct http_request *request = &connection->http->request;

    http_spend(connection, HTTP_COST_REQUEST + http_cost_of_right(connection) +
                               byte_buffer_length(&request->body));
    byte_buffer_free(&request->body);
    http_count_request(connection);
    queue_request(connection, &connection->loop->turns.later);
}

static void answer_complete(struct connection *connection)
{
    struct ws_server *server = connection->loop->server;
    struct response response;

    response_begin(&response);
    if (!status_answer_health(server, show(connection, NULL), &response) &&
        is_accepted(connection, &response) &&
        !status_answer_metrics(server, show(connection, NULL), &response))
        ask_application(connection, &response);
    if (connection->http->ticket != NULL) {
        wait_for_answer(connection);
    } else {
        http_answer_request(connection, &response);
    }
    response_free(&response);
}

/* A request whose answer was deferred, and which waits or has got it. */
static void answer_deferred(struct connection *connection)
{
    struct ws_server_ticket *ticket = connection->http->ticket;

    if (ticket->is_answered)
        http_answer_request(connection, &ticket->response); /* and drops the ticket */
    else
        queue_request(connection, &connection->loop->turns.later);
}

void connection_http_answered(struct connection *connection)
{
    struct http_exchange *http = connection->http;

    http->ticket->is_answered = true;
    http_queue_remove(connection);
    http_turns_wait(&connection->loop->turns, connection);
}

/* Whether the request is for the library: an event stream's, or a poll of Socket.IO. It is
 * handed over once the answers before it are written. */
static bool is_for_events(const struct connection *connection)
{
    return connection->http->request.state == HTTP_COMPLETE &&
           route_is_http(connection_route(connection));
}

/* Whether a page may use Socket.IO with the server's own endpoint. */
static bool may_page_poll(const struct connection *connection)
{
    const struct ws_server *server = connection->loop->server;
    const struct http_request *request = &connection->http->request;
    const struct origin_request page = {
        .origin = http_request_header(request, "Origin"),
        .host = http_request_header(request, "Host"),
        .scheme = request->scheme,
    };

    return !server->routes.are_default || page_is_allowed(&server->origins, &page, false);
}

/* False after answering a request for Socket.IO that is refused. The library asks about the
 * others of its requests. */
static bool may_poll(struct connection *connection)
{
    struct response response;
    bool may;

    if (!route_is_socketio(connection_route(connection)))
        return true;
    response_begin(&response);
    may = may_page_poll(connection);
    if (!may)
        response_set_error(&response, HTTP_STATUS_FORBIDDEN,
                           "pages of this origin may not connect");
    may = may && is_accepted(connection, &response);
    if (!may)
        http_answer_request(connection, &response);
    response_free(&response);
    return may;
}

/* The token of Socket.IO is checked by the library's turns. */
static size_t cost_for_events(const struct connection *connection)
{
    const struct http_request *request = &connection->http->request;

    if (!route_is_socketio(connection_route(connection)))
        return HTTP_COST_REQUEST + http_cost_of_right(connection);
    return HTTP_COST_REQUEST + byte_buffer_length(&request->body);
}

/* False after refusing a request for events that would wait until its client reads the answers
 * before it, although too many requests wait. */
static bool may_wait_for_reader(struct connection *connection)
{
    struct loop *loop = connection->loop;

    if (!has_unsent(connection))
        return true;
    limit_sum(connection, &loop->body_bytes, LOOP_BODY_BYTES, too_many_requests);
    return connection->http->request.state == HTTP_COMPLETE && may_wait(connection);
}

/* A complete request for the library. */
static void use_for_events(struct connection *connection)
{
    if (may_poll(connection) && may_wait_for_reader(connection))
        http_spend(connection, cost_for_events(connection));
}

/* The head of a request is complete, or all of it. False after answering one whose client is
 * refused, or that another loop must serve but cannot take. */
static bool admit_request(struct connection *connection)
{
    if (!admit_client(connection))
        return false;
    connection_place(connection);
    if (connection->http->placing != PLACING_REFUSED)
        return true;
    http_answer_failure(connection, HTTP_STATUS_SERVICE_UNAVAILABLE,
                        "the thread of this session is busy; try again");
    return false;
}

/* Another loop will use the request. Until the answers before it are written it waits here,
 * where one whose body is still to come counts among those. */
static void spend_on_move(struct connection *connection)
{
    if (has_unsent(connection) && connection->http->request.state != HTTP_HEAD_DONE &&
        !may_wait(connection))
        return;
    http_spend(connection, HTTP_COST_REQUEST);
}

static void use_request(struct connection *connection)
{
    struct http_request *request = &connection->http->request;

    connection->http->has_arrived = false;
    if (request->state >= HTTP_HEAD_DONE && request->state != HTTP_FAILED &&
        !admit_request(connection))
        return;
    if (connection->http->placing == PLACING_ELSEWHERE) {
        spend_on_move(connection);
        return;
    }
    switch (request->state) {
    case HTTP_HEAD_DONE:
        begin_body(connection);
        break;
    case HTTP_COMPLETE:
        if (connection->http->ticket != NULL)
            answer_deferred(connection);
        else if (is_for_events(connection))
            use_for_events(connection);
        else if (!must_queue(connection))
            answer_complete(connection);
        break;
    case HTTP_FAILED:
        http_answer_failure(connection, request->failure_status, request->failure_message);
        break;
    case HTTP_HANDED_OVER:
        if (has_unsent(connection) && !may_wait(connection))
            break;
        http_spend(connection, HTTP_COST_REQUEST + http_cost_of_right(connection));
        break;
    case HTTP_AWAITING:
    case HTTP_IN_HEAD:
    case HTTP_IN_BODY:
        break;
    }
}

static void limit_requests(struct connection *connection)
{
    const struct loop *loop = connection->loop;
    const enum http_request_state *state = &connection->http->request.state;

    if (*state == HTTP_IN_BODY)
        limit_sum(connection, &loop->body_bytes, LOOP_BODY_BYTES,
                  "too many request bodies at once; try again");
    if (*state == HTTP_IN_HEAD || *state == HTTP_HEAD_DONE || *state == HTTP_IN_BODY)
        limit_sum(connection, &loop->head_bytes, LOOP_HEAD_BYTES, too_many_requests);
}

/* Uses received bytes; returns how many. The rest must wait until responses are written, or for
 * the next turn. */
static size_t use_input(struct connection *connection, const char *data, size_t length)
{
    size_t used = 0;

    while (used < length && may_answer(connection) && may_spend(connection)) {
        size_t part = http_request_feed(&connection->http->request, data + used, length - used);

        used += part;
        http_spend(connection, part / RECEIVED_PER_COST);
        http_count_request(connection);
        if (connection->is_refused)
            answer_refused(connection);
        else
            use_request(connection);
        limit_requests(connection);
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
    timer_start(&connection->timer, connection->timer.queue, loop->now_ms);
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
        return TIMEOUT_BODY; /* also when blocked: limit_requests() looks in this queue */
    case HTTP_IN_HEAD:
        return blocked ? TIMEOUT_WRITE : TIMEOUT_HEAD;
    default:
        break;
    }
    if (blocked)
        return TIMEOUT_WRITE;
    if (connection->http->request.state >= HTTP_COMPLETE)
        return TIMEOUT_TURN;
    /* Empty lines before the first request do not end TIMEOUT_FRESH. */
    if (connection->timer.queue != &loop->timeouts[TIMEOUT_FRESH] &&
        connection->timer.queue != &loop->timeouts[TIMEOUT_HANDSHAKE])
        return TIMEOUT_IDLE;
    return stream_in_handshake(&connection->stream) ? TIMEOUT_HANDSHAKE : TIMEOUT_FRESH;
}

static bool start_websocket(struct connection *connection)
{
    if (connection_websocket_start(connection))
        return true;
    http_answer_failure(connection, HTTP_STATUS_SERVICE_UNAVAILABLE, "out of memory");
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
    if (http->has_acted && !runs_on)
        timer_stop(&connection->timer);
    http->has_acted = false;
    set_timer(connection, next_timeout(connection, blocked));
}

/* Writes what can be written and decides what comes next. */
static void settle(struct connection *connection)
{
    struct http_exchange *http = connection->http;
    enum connection_write result = connection_write_http(connection);
    bool blocked;

    if (result == WRITE_DONE && http->placing == PLACING_ELSEWHERE) {
        connection_depart(connection);
        return;
    }
    if (result == WRITE_DONE && http->request.state == HTTP_HANDED_OVER) {
        if (start_websocket(connection))
            return;
        result = connection_write_http(connection);
    }
    if (result == WRITE_DONE && is_for_events(connection)) {
        if (connection_events_start(connection))
            return;
        http_answer_failure(connection, HTTP_STATUS_SERVICE_UNAVAILABLE, "out of memory");
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
    http_answer_failure(connection, status, message);
    settle(connection);
}

void connection_http_drop_request(struct connection *connection)
{
    http_request_free(&connection->http->request);
    http_count_request(connection);
}

/* Also while the backend stops: a client that polls may need several polls to fetch what is
 * queued for it, and no new connection is accepted. */
void connection_http_resume(struct connection *connection, bool keep_alive)
{
    connection->phase = PHASE_HTTP;
    connection->last = !keep_alive || connection->eof;
    connection->loop->resumed_ms = connection->loop->now_ms;
    http_end_request(connection);
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
        http_spend(connection, HTTP_COST_HANDSHAKE);
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
    struct http_exchange *http = connection->http;

    http->spent = 0;
    if (http->request.state == HTTP_COMPLETE || http->has_arrived) {
        use_request(connection);
        limit_requests(connection);
    }
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

void connection_http_leave(struct connection *connection)
{
    http_queue_remove(connection);
    http_unread_forget(connection);
    http_forget_request(connection);
}

/* The client has done its part, unless its request has a body: the timer begins anew. */
void connection_http_arrive(struct connection *connection)
{
    struct http_exchange *http = connection->http;

    http_count_request(connection);
    http_unread_note(connection, false);
    http->spent = 0;
    http->has_acted = true;
    http->has_arrived = true;
    set_timer(connection, next_timeout(connection, false));
    connection_watch(connection, 0);
    http_queue_add(&connection->loop->turns.light, connection);
}

void connection_http_end(struct connection *connection)
{
    struct http_exchange *http = connection->http;

    if (http == NULL)
        return;
    http_queue_remove(connection);
    http_unread_forget(connection);
    http_drop_ticket(http);
    http_request_free(&http->request);
    http_count_request(connection);
    byte_buffer_free(&http->held);
    byte_buffer_free(&http->out);
    http_close_file(connection);
    free(http);
    connection->http = NULL;
}
