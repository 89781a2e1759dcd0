/* http_answer.c: what a request costs, and its answer, put behind those before it.
 * Which answer it is, and when, is decided in connection_http.c. */
#include "server/connection/http_answer.h"

#include <unistd.h>

#include "server/connection/http_turns.h"
#include "server/connection/request_client.h"
#include "server/parts/address.h"
#include "server/parts/answers.h"
#include "server/parts/refusal_log.h"
#include "server/parts/server_log.h"

void http_spend(struct connection *connection, size_t cost)
{
    connection->http->spent += cost;
    http_turns_charge(&connection->loop->turns, cost);
}

/* Replaces a connection's part of a sum. */
static void count_bytes(size_t *sum, size_t *part, size_t bytes)
{
    *sum += bytes - *part;
    *part = bytes;
}

void http_count_request(struct connection *connection)
{
    struct http_exchange *http = connection->http;
    struct loop *loop = connection->loop;

    count_bytes(&loop->body_bytes, &http->body_bytes, http->request.body.capacity);
    count_bytes(&loop->head_bytes, &http->head_bytes, http_request_head_bytes(&http->request));
}

void http_forget_request(struct connection *connection)
{
    struct http_exchange *http = connection->http;
    struct loop *loop = connection->loop;

    count_bytes(&loop->body_bytes, &http->body_bytes, 0);
    count_bytes(&loop->head_bytes, &http->head_bytes, 0);
}

void http_drop_ticket(struct http_exchange *http)
{
    struct ws_server_ticket *ticket = http->ticket;

    http->ticket = NULL;
    if (ticket == NULL)
        return;
    ticket->connection = NULL;
    if (ticket->is_answered)
        answers_end(ticket);
}

/* Prepares for the next request. One that waits for an answer may have been refused. */
void http_end_request(struct connection *connection)
{
    if (connection->http->place.queue == &connection->loop->turns.later)
        http_queue_remove(connection);
    http_drop_ticket(connection->http);
    http_request_reset(&connection->http->request);
    http_count_request(connection);
    connection->http->has_acted = true;
    connection->http->has_queued = false;
    connection->http->has_arrived = false;
    connection->http->placing = PLACING_UNKNOWN;
    request_client_forget(connection);
}

/* Queues a response to the current request and prepares for the next one. */
static void queue_response(struct connection *connection, struct response *response)
{
    struct http_request *request = &connection->http->request;
    bool is_head = first_line_is_head(&request->first_line);
    bool keep_alive = request->keep_alive && request->state == HTTP_COMPLETE &&
                      !connection->is_refused &&
                      !atomic_load(&connection->loop->server->stopping);

    if (!response_write(response, is_head, keep_alive, request->parser.http_minor == 0,
                        &connection->http->out)) {
        connection->last = true;
    } else {
        connection->last = !keep_alive;
        /* One without bytes would only keep back what is before it (MSG_MORE). */
        if (response->file >= 0 && response->file_length > 0 && !is_head) {
            connection->http->file = response->file;
            connection->http->file_offset = 0;
            connection->http->file_left = response->file_length;
            atomic_fetch_add(&connection->loop->server->n_files, 1);
            response->file = -1;
        }
    }
    http_end_request(connection);
}

void http_close_file(struct connection *connection)
{
    struct http_exchange *http = connection->http;

    if (http->file < 0)
        return;
    close(http->file);
    http->file = -1;
    atomic_fetch_sub(&connection->loop->server->n_files, 1);
}

static bool changes_something(const struct http_request *request)
{
    return request->parser.method != HTTP_GET && request->parser.method != HTTP_HEAD;
}

size_t http_cost_of_right(const struct connection *connection)
{
    return connection->loop->server->options.accept_cost;
}

void http_answer_request(struct connection *connection, struct response *response)
{
    const struct http_request *request = &connection->http->request;
    struct server_log *log = &connection->loop->server->log;
    char client[INET6_ADDRSTRLEN];

    if (refusal_is_handshake(request)) {
        refusal_log_request(log, request, response->status,
                            "this path has no WebSocket endpoint");
    } else if (server_log_has(log, WS_LOG_DEBUG)) {
        address_format(connection_client(connection), client);
        server_log_line(log, WS_LOG_DEBUG, "%s %s %d for %s",
                        http_method_str((enum http_method)request->parser.method),
                        http_request_path(request), response->status, client);
    }
    http_spend(connection, HTTP_COST_REQUEST + http_cost_of_right(connection) + response->cost +
                               response->body_length + byte_buffer_length(&request->body) +
                               (changes_something(request) ? HTTP_COST_CHANGE : 0));
    queue_response(connection, response);
}

void http_answer_error(struct connection *connection, int status, const char *message)
{
    struct response response;

    http_spend(connection, HTTP_COST_REQUEST);
    response_begin(&response);
    response_set_error(&response, status, message);
    queue_response(connection, &response);
    response_free(&response);
}

void http_answer_failure(struct connection *connection, int status, const char *message)
{
    refusal_log_request(&connection->loop->server->log, &connection->http->request, status,
                        message);
    http_answer_error(connection, status, message);
}
