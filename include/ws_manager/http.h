/** @file
 * Server-Sent Events (the `EventSource` of browsers), and HTTP long-polling of Engine.IO and
 * Socket.IO, for a host that has its own sockets and loop.
 *
 * A ws_http is one HTTP request and its response. As in websocket.h, the library does no I/O:
 * the host parses the request, hands in its body, and writes the bytes of the response. The
 * life of a request in the host:
 *
 * @code
 * ws_http_request_init(&request);                              // the head was read and parsed
 * request.method = "GET";
 * request.target = "/events?rooms=orders";
 * request.headers = headers;
 * request.n_headers = n_headers;
 * ws_http_new(loop, endpoint, socket, &request, &http);
 * ws_http_receive(http, body, n);                              // if there is a body, decoded
 * ws_http_end(http);                                           // the request is complete
 *
 * n_pieces = ws_http_output(http, pieces, MAX);                // of ws_loop_next_http()
 * n = writev(fd, pieces, n_pieces);
 * if (ws_http_sent(http, n) == WS_ERR_CLOSED) {                // or ws_http_ended()
 *     may_go_on = ws_http_keeps_alive(http);                   // else close the socket
 *     ws_http_free(http);
 * }
 * @endcode
 *
 * Run the loop after ws_http_new(), ws_http_receive(), ws_http_end(), ws_http_eof() and
 * ws_http_close().
 *
 * @par Endpoints
 * The endpoint (ws_endpoint_new()) may serve WebSockets too, with one set of options and one
 * ws_accept_handshake_callback() for both. Its protocol must not be
 * #WS_PROTOCOL_RAW. `allow_origin` lets pages of other origins use it (CORS). In the callbacks
 * ws_handshake_method() distinguishes the requests, ws_handshake_host_data() is the host's
 * pointer, and ws_handshake_websocket() is NULL. ws_handshake_set_subprotocol() has no effect;
 * ws_handshake_decline_deflate() declines gzip for a stream.
 *
 * @par GET with WS_PROTOCOL_JSON
 * A GET request opens a stream of events, which is a connection of the manager: it has an id, a
 * user and rooms, and ws_connect_callback() is called. The parameters of the query, and the header
 * Last-Event-ID, name the rooms to enter and the last event that the client has received. Each
 * message is one event of the stream, without a name, so that `onmessage` receives it.
 *
 * Every `ping_interval_ms` a comment is sent, unless something still waits for the client. The
 * first comment is sent after half of the interval or more. If `ping_interval_ms` is 0, no comments
 * are sent.
 *
 * A stream ends with #WS_CLOSE_ABNORMAL when something waits for the client and its socket has
 * taken nothing for `pong_timeout_ms`. If that is 0, there is no limit; it may be 0 only if
 * `ping_interval_ms` is 0, too.
 *
 * Binary messages cannot be sent: they are dropped and counted. In a message from
 * ws_manager_send_text(), the line ends CR and CRLF arrive as LF. lib/protocol/README.md describes
 * the stream for authors of clients.
 *
 * @par POST with WS_PROTOCOL_JSON
 * A POST request sends one message of a client. The parameter `session` of its query names the
 * client's stream. The response is 204 when the message was carried out; the client receives the
 * answer to its message in the stream.
 *
 * @par WS_PROTOCOL_SOCKETIO and WS_PROTOCOL_ENGINEIO
 * Clients of Engine.IO 4 poll: a GET opens a session, further GETs wait for its packets, and
 * POSTs bring the packets of the client. A session is not a ws_http: it outlives its requests. Its
 * sockets are connections of the manager, with the callbacks and limits of those on a WebSocket.
 * ws_http_close() does nothing: end a socket with ws_manager_disconnect(). When a client connects a
 * socket of Socket.IO, ws_handshake_host_data() is NULL.
 *
 * A POST is answered after its packets were carried out, so a client that sends too fast has to
 * wait. As on other servers of Engine.IO, a session ends when its client gives up a poll, sends a
 * second poll before the first one is answered, does not take a whole response, or does not
 * complete a POST. Therefore report each end of a client's connection at once, with ws_http_eof()
 * or ws_http_free(). A session also ends when its client sends no pong for `pong_timeout_ms`, and
 * when not all packets of a POST are carried out within `handshake_timeout_ms`: then the POST is
 * answered with 503. The messages that wait for a client are limited by `max_queue_bytes`, and a
 * response by `max_message_bytes`, unless one message is larger.
 *
 * A request may arrive on any loop of the manager. ws_manager_session_loop() returns the session's
 * own loop, where the request need not be handed over.
 *
 * Stock clients upgrade to a WebSocket that names the session (`sid` in its query). This WebSocket
 * must be made on the session's loop: on another one it is refused with 400, and the client goes on
 * polling. When the WebSocket takes over, the session's connections keep their ids, and the
 * WebSocket sends what waits for the client. From then on, requests with the session's id are
 * answered with 400, and further WebSockets are closed with #WS_CLOSE_PROTOCOL_ERROR. A WebSocket
 * that does not take over within `handshake_timeout_ms` is ended, and polling goes on.
 *
 * At most 4096 sessions of a loop may be without a connection, each for `connect_timeout_ms`. When
 * there would be more, the oldest one ends. An idle session with a socket takes about 400 bytes,
 * and a poll that waits about 350 more. Between its polls a session needs no TCP connection of its
 * client, so the number of connections does not limit the number of sessions:
 * `max_sessions_per_client` does.
 *
 * @par Time limits
 * The library limits how long a client may take to send a posted body, how long a posted message
 * may wait, and how long the client of a stream may take nothing. The host limits how many requests
 * there are at a time, and how long a client may take to read a response that is not a stream.
 *
 * @par Threads
 * A ws_http belongs to its loop's thread.
 */
#ifndef WS_MANAGER_HTTP_H
#define WS_MANAGER_HTTP_H

#include <stdint.h>
#include <sys/uio.h>

#include <ws_manager/error.h>
#include <ws_manager/export.h>
#include <ws_manager/types.h>
#include <ws_manager/websocket.h>

WS_BEGIN_DECLS

/** One HTTP request and its response. */
typedef struct ws_http ws_http;

/** The head of a request, set up by ws_http_request_init(). */
typedef struct ws_http_request {
    size_t size; /**< set by ws_http_request_init() */

    const char *method; /**< the method, as it was sent; required */
    const char *target; /**< the path and the query, as they were sent; required */

    const ws_header *headers; /**< in the order in which they were sent; NULL: none */
    size_t n_headers;         /**< how many there are in `headers` */

    uint32_t http_major; /**< the major version of HTTP; default 1 */
    uint32_t http_minor; /**< the minor version of HTTP; default 1 */

    /** 0, the default: ws_http_output() returns the complete response. 1: ws_http_output() returns
     * only the content of the body; the host's HTTP server writes the head (ws_http_response())
     * and the framing of the body. */
    int32_t body_only;

    /** The host's name for the client, usually the text of its address: at most 63 bytes. Sessions
     * are counted by this name for ws_endpoint_options::max_sessions_per_client. NULL (the default)
     * or empty: the session is not counted. */
    const char *client;
} ws_http_request;

/** Fills in the defaults for a struct of a given size: use ws_http_request_init().
 *
 * @param[out] request  the struct
 * @param size          the size of the caller's struct, in bytes; no more is written
 *
 * @threads Any thread.
 */
WS_EXPORT void ws_http_request_init_size(ws_http_request *request, size_t size);

/** Fills in the defaults.
 *
 * @param[out] request  the struct
 *
 * @threads Any thread.
 */
static inline void ws_http_request_init(ws_http_request *request)
{
    ws_http_request_init_size(request, sizeof *request);
}

/** The loop that has the session which a request's target names.
 *
 * A client of Engine.IO or Socket.IO names its session by `sid` in the query, and the POST of an
 * event stream by `session`. A host with several loops can hand the client's socket to the thread
 * of the returned loop, and call ws_http_new() or ws_websocket_new() there. If a ws_http is made on
 * another loop, the library hands the request over.
 *
 * The function looks up only the loop: the session may have ended, or may never have existed.
 *
 * @param manager  the manager
 * @param target   the target as it was sent: path and query
 *
 * @return the loop; NULL if the target names no session of this process, or its loop was freed
 *
 * @threads Any thread. The loop that is returned must not be freed meanwhile.
 * @ownership The loop is the host's, as before.
 */
WS_EXPORT ws_loop *ws_manager_session_loop(ws_manager *manager, const char *target);

/** The number of a loop's sessions that have ended and whose clients have not fetched the rest of
 * their messages.
 *
 * Clients that poll receive what was queued for them, and the end of their session, with their
 * next poll. They have `close_timeout_ms` for it, and are no longer counted by
 * ws_manager_connection_count(). A host that shuts down after ws_manager_drain() can
 * keep their sockets open until this is 0, for as long as it wants to wait.
 *
 * @param loop  the loop
 *
 * @return the number; 0 if `loop` is NULL
 *
 * @threads The loop's thread.
 */
WS_EXPORT uint32_t ws_loop_unfetched_sessions(ws_loop *loop);

/** The head of a response, set up by ws_http_response_head_init(). */
typedef struct ws_http_response_head {
    size_t size; /**< set by ws_http_response_head_init() */

    int32_t status; /**< the HTTP status; 0 before ws_http_response() */

    /** The fields, except those about the connection and the length. */
    const ws_header *headers;

    size_t n_headers; /**< how many there are in `headers` */
} ws_http_response_head;

/** Makes a struct of a given size empty: use ws_http_response_head_init().
 *
 * @param[out] head  the struct
 * @param size       the size of the caller's struct, in bytes; no more is written
 *
 * @threads Any thread.
 */
WS_EXPORT void ws_http_response_head_init_size(ws_http_response_head *head, size_t size);

/** Makes a struct empty.
 *
 * @param[out] head  the struct
 *
 * @threads Any thread.
 */
static inline void ws_http_response_head_init(ws_http_response_head *head)
{
    ws_http_response_head_init_size(head, sizeof *head);
}

/** Begins a request whose head the host has read.
 *
 * The limits of ws_websocket_upgrade() apply. ws_accept_handshake_callback() is called within
 * this call. A refused request has its response at once. The host still hands in the body of
 * such a request, or closes the socket after the response.
 *
 * @param loop       the loop
 * @param endpoint   an endpoint of the loop's manager, not with #WS_PROTOCOL_RAW
 * @param user_data  the host's pointer, usually on its socket; may be NULL
 * @param request    the head; not kept
 * @param[out] http  the request; set on success only
 *
 * @retval WS_OK             the request is made, even if it is refused
 * @retval WS_ERR_INVALID    an option is not acceptable, the endpoint is another manager's or
 *                           has #WS_PROTOCOL_RAW
 * @retval WS_ERR_NO_MEMORY  an allocation failed
 *
 * @threads The loop's thread.
 * @ownership The caller owns `*http`: ws_http_free() frees it, before the loop is freed.
 */
WS_EXPORT int ws_http_new(ws_loop *loop, ws_endpoint *endpoint, void *user_data,
                          const ws_http_request *request, ws_http **http);

/** The host's pointer on a request.
 *
 * @param http  the request
 *
 * @return that of ws_http_new()
 *
 * @threads The loop's thread.
 * @ownership What it points to is the host's; the library never follows it.
 */
WS_EXPORT void *ws_http_user_data(const ws_http *http);

/** The id of the connection that the response is for.
 *
 * @param http  the request
 *
 * @return for a stream, its id until it ends; for a poll that waits on the loop of its session, the
 * id of the session's socket in the namespace "/"; otherwise 0
 *
 * @threads The loop's thread.
 */
WS_EXPORT ws_conn_id ws_http_id(const ws_http *http);

/** Whether the request's body is awaited.
 *
 * @param http  the request
 *
 * @return 1 until ws_http_end() for a request whose body is used; otherwise 0, and the bytes of the
 * body are discarded
 *
 * @threads The loop's thread.
 */
WS_EXPORT int ws_http_wants_read(const ws_http *http);

/** Hands in a part of the request's body, without the framing of chunks.
 *
 * A body of more than `max_message_bytes` is answered with 413.
 *
 * @param http    the request
 * @param data    the bytes; copied; may be NULL if `length` is 0
 * @param length  of `data`, in bytes
 *
 * @retval WS_OK           the bytes are taken, or discarded
 * @retval WS_ERR_CLOSED   the response has ended and all was written: call
 *                         ws_http_keeps_alive() and ws_http_free()
 * @retval WS_ERR_INVALID  ws_http_end() was called
 *
 * @threads The loop's thread.
 */
WS_EXPORT int ws_http_receive(ws_http *http, const void *data, size_t length);

/** Notifies that the request is complete: its body, or its head if it has no body.
 *
 * @param http  the request
 *
 * @retval WS_OK           the request is taken
 * @retval WS_ERR_CLOSED   the response has ended and all was written: call
 *                         ws_http_keeps_alive() and ws_http_free()
 * @retval WS_ERR_INVALID  it was called before
 *
 * @threads The loop's thread.
 */
WS_EXPORT int ws_http_end(ws_http *http);

/** Notifies that the client has closed the connection.
 *
 * A stream ends with #WS_CLOSE_NO_STATUS, and the session of a poll that waits ends. A request
 * that is not complete has no response; the response to a complete one can still be written.
 *
 * @param http  the request
 *
 * @threads The loop's thread.
 */
WS_EXPORT void ws_http_eof(ws_http *http);

/** The head of the response, for a host that writes it itself (`body_only`).
 *
 * @param http          the request
 * @param[in,out] head  set up by ws_http_response_head_init(); filled in on success only
 *
 * @retval WS_OK             the head is set
 * @retval WS_ERR_NOT_FOUND  there is no response yet: ws_loop_next_http() returns the request
 *                           when there is one
 * @retval WS_ERR_INVALID    the request is not `body_only`, or the head is not
 *                           set up
 *
 * @threads The loop's thread.
 * @ownership The texts are the request's and valid until ws_http_free().
 */
WS_EXPORT int ws_http_response(const ws_http *http, ws_http_response_head *head);

/** Returns the next request for which the host has something to do.
 *
 * The request has bytes to write (ws_http_output()), or its response has ended (ws_http_ended()).
 * Each request is returned once in a turn, however many events it received.
 *
 * @param loop  the loop
 *
 * @return the request; NULL when there is none
 *
 * @threads The loop's thread, after ws_loop_run().
 * @ownership The request is the host's, as before.
 */
WS_EXPORT ws_http *ws_loop_next_http(ws_loop *loop);

/** The bytes of the response to write now.
 *
 * A second call without ws_http_sent() gives the same bytes.
 *
 * @param http      the request
 * @param[out] iov  room for `max` pieces
 * @param max       how many pieces at most
 *
 * @return how many pieces there are; 0 when nothing waits
 *
 * @threads The loop's thread.
 * @ownership The pieces are the request's and valid until ws_http_sent(), ws_http_eof() or
 * ws_http_free().
 */
WS_EXPORT int ws_http_output(ws_http *http, struct iovec *iov, int max);

/** Notifies that bytes of ws_http_output() were written.
 *
 * If `n` is less than ws_http_output() returned, the socket is full. Call ws_http_output() again
 * when the socket is writable: ws_loop_next_http() does not return the request before that.
 *
 * @param http  the request
 * @param n     how many bytes were written
 *
 * @retval WS_OK           the bytes are taken out of the queue
 * @retval WS_ERR_CLOSED   the response has ended and all was written: call
 *                         ws_http_keeps_alive() and ws_http_free()
 * @retval WS_ERR_INVALID  `http` is NULL
 *
 * @threads The loop's thread.
 */
WS_EXPORT int ws_http_sent(ws_http *http, size_t n);

/** Whether the response has ended and all was written.
 *
 * @param http  the request
 *
 * @return 1: call ws_http_keeps_alive() and ws_http_free(); otherwise 0
 *
 * @threads The loop's thread.
 */
WS_EXPORT int ws_http_ended(const ws_http *http);

/** Whether the socket may be used for the client's next request.
 *
 * @param http  a request that has ended
 *
 * @return 1 if both sides agreed on it and the request and the response are complete; 0: close
 * the socket
 *
 * @threads The loop's thread.
 */
WS_EXPORT int ws_http_keeps_alive(const ws_http *http);

/** Ends a stream, at once: the client receives the code and the reason as an event `close`.
 *
 * @param http    the request
 * @param code    why: 1000 to 1003, 1007 to 1014 or 3000 to 4999 (enum ws_close_code, RFC 6455
 *                §7.4)
 * @param reason  a text for the code, at most 123 bytes; NULL for none; copied
 *
 * @retval WS_OK           the stream is ending
 * @retval WS_ERR_INVALID  the code or the reason is not acceptable
 * @retval WS_ERR_CLOSED   there is no stream, or it has ended
 *
 * @threads The loop's thread.
 */
WS_EXPORT int ws_http_close(ws_http *http, uint16_t code, const char *reason);

/** Frees a request, at any time, also within a callback of its own stream.
 *
 * A stream that is open ends with #WS_CLOSE_ABNORMAL. The socket is the host's to close.
 *
 * @param http  the request; NULL does nothing
 *
 * @threads The loop's thread.
 */
WS_EXPORT void ws_http_free(ws_http *http);

WS_END_DECLS

#endif
