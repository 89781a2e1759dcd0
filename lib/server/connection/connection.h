/* connection.h: one client's socket, from accept to close: first HTTP, then perhaps WebSocket or
 * server-sent events. connection.c has what they share, connection_http.c, connection_websocket.c
 * and connection_events.c the rest.
 *
 * Each deadline has one owner at any time. In PHASE_HTTP it is `timer`, in the queue of what
 * the client must do next: send a request, finish the handshake of TLS, continue a head or a
 * body, read an answer, or only wait for its turn. The timer keeps running while the connection
 * waits for its turn, and begins anew when a complete request is put behind others. A WebSocket
 * begins when the answers before it are written. Then the library has the deadlines (ping,
 * pong, close, queue) until ws_websocket_ended(), and `timer` is stopped. Only a client of
 * Socket.IO that is not admitted yet keeps it, so that it can give way to new connections; the
 * library's deadline for it is shorter. In PHASE_LINGER it is `timer` again, to the end. */
#ifndef WS_SERVER_CONNECTION_H
#define WS_SERVER_CONNECTION_H

#include <sys/socket.h>

#include "server/connection/state.h"

/* Takes over an accepted socket; closes it when memory is short. */
void connection_open(struct loop *loop, int fd, bool is_admin,
                     const struct sockaddr_storage *peer);

/* Closes the loop's least useful connection that is not a WebSocket. False if there is none, or all
 * came in by admin_listen. */
bool connection_make_room(struct loop *loop);

/* Closes such connections while the clients of all loops have more descriptors than they may, for
 * files of answers, too. */
void connection_limit_descriptors(struct loop *loop);

/* The queue's first connection that did not come in by admin_listen; NULL if there is none. */
struct connection *connection_first_of_strangers(const struct timer_queue *queue);

/* The reason of a refusal by max_per_address. */
extern const char connection_refusal[];

/* Makes the connections that leave the loop known to those that they go to. Call it at the end of a
 * turn, when nothing in the loop points to them. */
void connection_send_departing(struct loop *loop);

/* Takes the connections that other loops have sent. */
void connection_take_arrivals(struct loop *loop);

/* Handles what epoll reported. */
void connection_event(struct connection *connection, uint32_t events);

/* Closes at once. The memory is freed at the end of the turn. */
void connection_close(struct connection *connection);

/* Call it when TIMEOUT_WRITE or TIMEOUT_READ has passed. False if the client has read too
 * little of its answers; else the timeout starts again. */
bool connection_http_reads_on(struct connection *connection);

/* --- between the connection's own files ---------------------------------------------- */

enum connection_write { WRITE_DONE, WRITE_BLOCKED, WRITE_BROKEN };

/* Adds the connection to its loop's list, or removes it. */
void connection_link(struct connection *connection);
void connection_unlink(struct connection *connection);

/* Whether the loop has too many connections that are no WebSockets, even after closing one. */
bool connection_is_one_too_many(struct loop *loop);

/* Writes HTTP responses, as much as the socket takes. */
enum connection_write connection_write_http(struct connection *connection);

/* Writes what the library has queued, which `output` gets and of which `sent` tells the library:
 * ws_websocket_output() and ws_websocket_sent(), or those of ws_http. WRITE_DONE when nothing is
 * left. */
enum connection_write connection_write_output(struct connection *connection,
                                              int (*output)(struct connection *connection,
                                                            struct iovec *iov, int max),
                                              int (*sent)(struct connection *connection,
                                                          size_t n));

/* Writes what the stream has buffered. */
enum connection_write connection_flush(struct connection *connection);

/* Waits for input (EPOLLIN), for room to write (EPOLLOUT) or both from now on. */
void connection_watch(struct connection *connection, uint32_t events);

/* Shuts down our side and waits a little for the client's, so that no RST overtakes the last
 * bytes. */
void connection_linger(struct connection *connection);

/* Answers a connection that is sending a body or has sent no request, and ends it. */
void connection_http_refuse(struct connection *connection, int status, const char *message);

/* With max_per_address, counts the connection for its peer, and refuses it if there are too
 * many. */
void connection_count(struct connection *connection);

/* --- connection_proxy.c: who the client is --- */

/* Prepares a connection whose peer is a trusted proxy. False when memory is short. */
bool connection_proxy_open(struct connection *connection);
void connection_proxy_close(struct connection *connection);

/* Looks for a PROXY header. True if there is none: what was received is the client's. */
bool connection_proxy_receive(struct connection *connection);

/* --- connection_move.c: the loop that serves a request --- */

/* Call it once a request's head is complete, and nothing of its body is received: sets
 * `placing`. */
void connection_place(struct connection *connection);

/* Takes the connection out of its loop, at the end of the turn. No answers may be left to write. */
void connection_depart(struct connection *connection);

/* Takes the connection out of the sums and queues of its loop, or adds it to those of the loop
 * that it has come to. */
void connection_http_leave(struct connection *connection);
void connection_http_arrive(struct connection *connection);

void connection_http_readable(struct connection *connection);
void connection_http_writable(struct connection *connection);

/* Continues a connection whose turn has come. It has left the queue. */
void connection_http_go_on(struct connection *connection);

/* The application has answered a deferred request: the connection waits for its turn. */
void connection_http_answered(struct connection *connection);

/* Frees the application's data. */
void connection_forget_data(struct connection *connection);

/* The route of the current request, whose head is complete; NULL: there is none. */
static inline const struct route *connection_route(const struct connection *connection)
{
    return connection->is_admin ? NULL
                                : routes_find(&connection->loop->server->routes,
                                              http_request_path(&connection->http->request));
}

/* Drops what was received of a request that is handed over; connection_http_resume() continues. */
void connection_http_drop_request(struct connection *connection);

/* Drops the request, what was received of the next one, and the place in the queue. */
void connection_http_end(struct connection *connection);

/* Hands a request's head to the WebSocket endpoint of its path, then the bytes received after it.
 * No answers may be left to write. False when memory is short; then nothing has changed. */
bool connection_websocket_start(struct connection *connection);
void connection_websocket_readable(struct connection *connection);

/* The client of a WebSocket has been admitted. Of Socket.IO this happens after the WebSocket was
 * opened, perhaps several times. */
static inline void connection_websocket_admitted(struct connection *connection)
{
    if (!connection->is_unadmitted)
        return;
    connection->is_unadmitted = false;
    connection->loop->n_websockets++;
    timer_stop(&connection->timer); /* the library has its own from here on */
}

/* Writes what the library has queued, even if the WebSocket has ended. */
void connection_websocket_write(struct connection *connection);

/* Continues with HTTP after a response that the library has made. */
void connection_http_resume(struct connection *connection, bool keep_alive);

/* Hands a complete request to the endpoint of event streams. No answers may be left to write. False
 * when memory is short; then nothing has changed. */
bool connection_events_start(struct connection *connection);
void connection_events_readable(struct connection *connection);

/* Writes what the library has queued, even if the response has ended. */
void connection_events_write(struct connection *connection);

/* Frees the library's part of the request, if there is one. */
void connection_events_free(struct connection *connection);

#endif
