/* connection_move.c: moves a connection to the loop that has the session of its request, which then
 * serves that request and those after it.
 * How a loop gets such connections is arrivals.c. */
#include "server/connection/connection.h"

#include "server/connection/arrivals.h"
#include "server/connection/loop.h"
#include "server/parts/address.h"
#include "server/parts/refusal_log.h"
#include "server/parts/server_log.h"

enum { ROOM_BEYOND = 64 }; /* connections that a loop takes however few there are in all */

/* The other loop of this process that has the session which the request names; NULL: there is
 * none. */
static struct loop *session_loop(const struct connection *connection)
{
    const struct http_request *request = &connection->http->request;
    const struct loop *loop = connection->loop;
    const ws_loop *wanted;

    if (!route_is_http(connection_route(connection)))
        return NULL;
    wanted = ws_manager_session_loop(loop->server->manager, http_request_target(request));
    if (wanted == NULL || wanted == loop->identity)
        return NULL;
    for (uint32_t i = 0; i < loop->server->n_loops; i++)
        if (loop->server->loops[i]->identity == wanted)
            return loop->server->loops[i];
    return NULL;
}

/* Whether a loop has not much more than its part of all connections. A client chooses the session
 * that a request names, which may be its own, a former one, or made up: with all of its
 * connections it could otherwise take one loop's places and time. */
static bool has_room(const struct loop *loop)
{
    size_t n_here = atomic_load_explicit(&loop->n_published, memory_order_relaxed);
    size_t part = atomic_load(&loop->server->n_sockets) / loop->server->n_loops;

    return n_here < part + part / 4 + ROOM_BEYOND;
}

static void log_move(const struct connection *connection)
{
    const struct server_log *log = &connection->loop->server->log;
    char client[INET6_ADDRSTRLEN];

    if (!server_log_has(log, WS_LOG_DEBUG))
        return;
    address_format(connection_client(connection), client);
    server_log_line(log, WS_LOG_DEBUG,
                    "the connection of %s moves to the thread of its session", client);
}

/* Only a request that is not answered from a session's thread has to be refused. */
static enum http_placing place_here(const struct connection *connection)
{
    return connection->http->request.state == HTTP_HANDED_OVER ? PLACING_REFUSED : PLACING_HERE;
}

void connection_place(struct connection *connection)
{
    struct http_exchange *http = connection->http;

    if (http->placing != PLACING_UNKNOWN)
        return;
    http->placing = PLACING_HERE;
    http->destination = connection->is_admin ? NULL : session_loop(connection);
    if (http->destination == NULL)
        return;
    if (atomic_load(&connection->loop->server->stopping) || !has_room(http->destination))
        http->placing = place_here(connection);
    else
        http->placing = PLACING_ELSEWHERE;
}

void connection_depart(struct connection *connection)
{
    struct loop *loop = connection->loop;

    connection_http_leave(connection);
    timer_stop(&connection->timer);
    connection_unlink(connection);
    connection->phase = PHASE_MOVING;
    connection->next = loop->departing;
    loop->departing = connection;
}

static void refuse(struct connection *connection)
{
    refusal_log_address(&connection->loop->server->log, connection_client(connection), 0,
                        "too many connections are busy");
    connection_close(connection);
}

/* Makes a connection that was on its way one of this loop's. It waits for its turn here. */
static void arrive(struct loop *loop, struct connection *connection)
{
    connection->loop = loop;
    connection->phase = PHASE_HTTP;
    connection->previous = NULL;
    connection_link(connection);
    if (!stream_enter(&connection->stream, loop->epoll, connection))
        connection_close(connection);
    else if (connection_is_one_too_many(loop))
        refuse(connection);
    else
        connection_http_arrive(connection);
}

static void send_on(struct connection *connection)
{
    struct loop *loop = connection->loop;
    struct loop *destination = connection->http->destination;

    log_move(connection);
    stream_leave(&connection->stream, loop->epoll);
    connection->http->placing = PLACING_HERE;
    switch (arrivals_add(&destination->arrivals, connection)) {
    case ARRIVALS_FIRST:
        loop_notify(destination);
        break;
    case ARRIVALS_ADDED:
        break;
    case ARRIVALS_REFUSED:
        connection->http->placing = place_here(connection);
        arrive(loop, connection);
        break;
    }
}

void connection_send_departing(struct loop *loop)
{
    while (loop->departing != NULL) {
        struct connection *connection = loop->departing;

        loop->departing = connection->next;
        send_on(connection);
    }
}

void connection_take_arrivals(struct loop *loop)
{
    struct connection *connection = arrivals_take(&loop->arrivals);

    while (connection != NULL) {
        struct connection *next = connection->next;

        arrive(loop, connection);
        connection = next;
    }
}
