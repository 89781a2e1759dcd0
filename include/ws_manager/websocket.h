/** @file
 * WebSocket (RFC 6455) for a host that has its own sockets and loop.
 *
 * The library does no I/O: the host hands in the bytes that it read, and asks for the bytes to
 * write. No function here touches a descriptor. The life of a connection in the host:
 *
 * @code
 * ws_websocket_new(loop, endpoint, socket, &websocket);        // accepted; then run the loop
 *
 * n = read(fd, bytes, sizeof bytes);                           // if ws_websocket_wants_read()
 * if (n > 0)
 *     result = ws_websocket_receive(websocket, bytes, n);
 * else
 *     ws_websocket_eof(websocket);                             // not for EAGAIN
 *
 * n_pieces = ws_websocket_output(websocket, pieces, MAX);      // of ws_loop_next_output()
 * n = writev(fd, pieces, n_pieces);
 * if (ws_websocket_sent(websocket, n) == WS_ERR_CLOSED) {      // or ws_websocket_ended()
 *     close(fd);
 *     ws_websocket_free(websocket);
 * }
 * @endcode
 *
 * @par Threads
 * A WebSocket belongs to its loop's thread. An endpoint may be used by any thread.
 */
#ifndef WS_MANAGER_WEBSOCKET_H
#define WS_MANAGER_WEBSOCKET_H

#include <sys/uio.h>

#include <ws_manager/close_code.h>
#include <ws_manager/connection.h>
#include <ws_manager/error.h>
#include <ws_manager/export.h>
#include <ws_manager/handshake.h>
#include <ws_manager/socketio.h>
#include <ws_manager/types.h>

WS_BEGIN_DECLS

/** The options that the connections of one path share. */
typedef struct ws_endpoint ws_endpoint;

/** The options of an endpoint, set up by ws_endpoint_options_init() with the defaults named
 * here. */
typedef struct ws_endpoint_options {
    size_t size; /**< set by ws_endpoint_options_init() */

    /* --- callbacks --- */

    ws_accept_handshake_callback *accept_handshake; /**< NULL accepts everyone as anonymous */

    /** Called for each request of http.h that has a header Origin. NULL, the default: scripts of
     * other origins cannot read the responses. Requests with the method OPTIONS are answered
     * without calling `accept_handshake`. */
    ws_allow_origin_callback *allow_origin;

    /** With `allow_origin`: headers that pages of other origins may send in addition to
     * Authorization, Cache-Control, Content-Type and Last-Event-ID; at most 64 names of at most
     * 128 bytes; NULL: none; copied. Stock clients of Socket.IO send such headers with
     * `extraHeaders`. */
    const char *const *allowed_headers;

    size_t n_allowed_headers; /**< how many there are in `allowed_headers` */

    /** Passed to `accept_handshake` and `allow_origin`; must outlive the endpoint's
     * connections; may be NULL. */
    void *user_data;

    /* --- protocol --- */

    int32_t protocol; /**< enum ws_protocol; default #WS_PROTOCOL_JSON */

    /** With #WS_PROTOCOL_SOCKETIO: its options; NULL: the defaults; copied. */
    const ws_socketio_options *socketio;

    /** The subprotocols that the server speaks, best first (RFC 6455 §4.2.2): at most 64 tokens
     * of at most 128 bytes; NULL: none; copied. The first one that the client offers is
     * chosen; it is not an error if there is none. */
    const char *const *subprotocols;

    size_t n_subprotocols; /**< how many there are in `subprotocols` */

    /* --- compression --- */

    /** 1: permessage-deflate (RFC 7692) is agreed on with clients that offer it, the default;
     * 0: not.
     *
     * A message is compressed once for all clients. No compression state is kept between messages:
     * the server agrees with server_no_context_takeover and client_no_context_takeover. What a
     * client sends is inflated to at most `max_message_bytes`. `accept_handshake` can decline the
     * offer of a single client with ws_handshake_decline_deflate().
     */
    int32_t deflate;

    uint32_t deflate_min_bytes; /**< smaller messages are not compressed; default 200 */

    /* --- timeouts --- */

    /** How long a client may take to send the head of its request, from ws_websocket_new() on. For
     * a POST request (http.h): to send the body, from ws_http_new() on; and then, how long the body
     * may wait to be carried out. Default 10000. */
    uint32_t handshake_timeout_ms;

    /** The time between two pings; 0: no pings; default 25000. The first ping is sent after half of
     * the interval or more, so that clients that connect together are not all pinged at once. */
    uint32_t ping_interval_ms;

    /** How long the client may send nothing after a ping was written; default 20000. After this
     * time the connection ends with #WS_CLOSE_ABNORMAL. */
    uint32_t pong_timeout_ms;

    /** How long the peer may take to answer a close frame; default 3000. */
    uint32_t close_timeout_ms;

    /* --- limits of what a client sends --- */

    /** The largest head of a request; 256 to 81920, default 16384. A larger head, or one with more
     * than 256 headers, is answered with 431. */
    uint32_t max_head_bytes;

    /** The largest message of a client, after inflating; default 65536. A larger one ends the
     * connection with #WS_CLOSE_MESSAGE_TOO_BIG. */
    uint32_t max_message_bytes;

    /** How many frames a message may have, or one for each 64 bytes of it, as they were sent, if
     * that is more; 0: no limit; default 1024. A message with more frames ends the connection with
     * #WS_CLOSE_MESSAGE_TOO_BIG. */
    uint32_t max_fragments;

    /** How many pings and pongs a client may send per second; 0: no limit; default 10000. More of
     * them end the connection with #WS_CLOSE_POLICY_VIOLATION. */
    uint32_t max_control_frames;

    /** How many continuation frames, and data frames without payload, a client may send per second;
     * 0: no limit; default 10000. A further frame of these kinds ends the connection with
     * #WS_CLOSE_POLICY_VIOLATION.
     *
     * There are two exceptions:
     *
     * - A continuation frame does not count while its message has at most one of them for each 64
     *   bytes received, as they were sent. So a client may cut its messages into pieces of 64 bytes
     *   or more.
     * - A message that had a second frame before the limit was reached may be continued to its end,
     *   because `max_fragments` limits it. If `max_fragments` is 0, it may not.
     */
    uint32_t max_continuation_frames;

    /* --- slow clients --- */

    /** How many bytes may wait for a client; default 1048576. If more wait when a message is to be
     * queued, the client counts as slow (`slow_policy`). A message for this client alone (an
     * answer, a pong, a personal message) counts with its memory, some 110 bytes more. */
    uint32_t max_queue_bytes;

    /** How many bytes may wait for all clients of a loop; 0: no limit; default 1 GiB. Above it,
     * each client whose queue exceeds an equal share of the limit (the limit divided by the number
     * of clients with queued bytes) counts as slow (`slow_policy`). All queues together may reach
     * twice the limit. */
    uint64_t max_loop_queue_bytes;

    /** The length of a client's queue, in bytes, at which `on_backpressure` receives 1; 0, the
     * default: half of `max_queue_bytes`. */
    uint32_t queue_high_bytes;

    /** The length to which the queue must shrink, in bytes, before `on_backpressure` receives 0; at
     * most `queue_high_bytes`; 0, the default: a quarter of that. */
    uint32_t queue_low_bytes;

    /* --- sessions of Engine.IO --- */

    /** How many sessions of Engine.IO that poll one client (ws_http_request::client) may have; 0,
     * the default: no limit. A request for another session is answered with 429. A session that has
     * moved to a WebSocket does not count. */
    uint32_t max_sessions_per_client;
} ws_endpoint_options;

/** Fills in the defaults for a struct of a given size: use ws_endpoint_options_init().
 *
 * @param[out] options  the struct
 * @param size          the size of the caller's struct, in bytes; no more is written
 *
 * @threads Any thread.
 */
WS_EXPORT void ws_endpoint_options_init_size(ws_endpoint_options *options, size_t size);

/** Fills in the defaults.
 *
 * @param[out] options  the struct
 *
 * @threads Any thread.
 */
static inline void ws_endpoint_options_init(ws_endpoint_options *options)
{
    ws_endpoint_options_init_size(options, sizeof *options);
}

/** Makes an endpoint.
 *
 * @param manager        the manager; the endpoint keeps it in memory
 * @param options        copied; NULL for the defaults
 * @param[out] endpoint  the endpoint; set on success only
 *
 * @retval WS_OK             the endpoint is made
 * @retval WS_ERR_INVALID    an option is not acceptable
 * @retval WS_ERR_SYSTEM     OpenSSL has no SHA-1, which handshakes need
 * @retval WS_ERR_NO_MEMORY  an allocation failed
 *
 * @threads Any thread.
 * @ownership The caller owns `*endpoint`: ws_endpoint_free() frees it.
 */
WS_EXPORT int ws_endpoint_new(ws_manager *manager, const ws_endpoint_options *options,
                              ws_endpoint **endpoint);

/** Releases an endpoint. Its memory is freed with its last connection.
 *
 * @param endpoint  the endpoint; NULL does nothing
 *
 * @threads Any thread.
 */
WS_EXPORT void ws_endpoint_free(ws_endpoint *endpoint);

/** The manager of an endpoint.
 *
 * @param endpoint  the endpoint
 *
 * @return the manager; NULL if `endpoint` is NULL
 *
 * @threads Any thread.
 * @ownership The manager is not the caller's to free.
 */
WS_EXPORT ws_manager *ws_endpoint_manager(const ws_endpoint *endpoint);

/** @name One connection
 * @{
 */

/** Makes a connection, before its first byte.
 *
 * Run the loop afterwards: its next deadline may be that of the handshake.
 *
 * @param loop            the loop
 * @param endpoint        an endpoint of the loop's manager
 * @param user_data       the host's pointer, usually on its socket; may be NULL
 * @param[out] websocket  the connection; set on success only
 *
 * @retval WS_OK             the connection is made
 * @retval WS_ERR_NO_MEMORY  an allocation failed
 * @retval WS_ERR_INVALID    the endpoint belongs to another manager
 *
 * @threads The loop's thread.
 * @ownership The caller owns `*websocket`: ws_websocket_free() frees it, before the loop is
 * freed.
 */
WS_EXPORT int ws_websocket_new(ws_loop *loop, ws_endpoint *endpoint, void *user_data,
                               ws_websocket **websocket);

/** The host's pointer on a connection.
 *
 * @param websocket  the connection
 *
 * @return that of ws_websocket_new()
 *
 * @threads The loop's thread.
 * @ownership What it points to is the host's; the library never dereferences it.
 */
WS_EXPORT void *ws_websocket_user_data(const ws_websocket *websocket);

/** The connection's id.
 *
 * @param websocket  the connection
 *
 * @return the id; 0 before the handshake is done and after the end
 *
 * @threads The loop's thread.
 */
WS_EXPORT ws_conn_id ws_websocket_id(const ws_websocket *websocket);

/** A header of a request that the host has parsed. */
typedef struct ws_header {
    const char *name;  /**< NUL-terminated */
    const char *value; /**< NUL-terminated */
} ws_header;

/** Hands in the request, for a host that has parsed it itself.
 *
 * Pass bytes that followed the head to ws_websocket_receive() afterwards. The limits are those of
 * a head that comes in as bytes: `max_head_bytes` in total, each header counted as "NAME:VALUE"
 * and the end of a line, and 256 headers. A request beyond these limits is answered with 431. A
 * target or value with a control character, or a name that is not a token (RFC 9110 §5.6.2), is
 * answered with 400, another method than GET with 405, and another major version than 1 with 505.
 *
 * @param websocket   the connection
 * @param method      "GET"
 * @param http_major  1
 * @param http_minor  of the request's version
 * @param target      as it was sent; not kept
 * @param headers     in the order in which they were sent; not kept; may be NULL if `n_headers`
 *                    is 0
 * @param n_headers   how many there are in `headers`
 *
 * @retval WS_OK           it is answered: run the loop and write
 * @retval WS_ERR_CLOSED   the connection has ended and all was written: close the socket and
 *                         call ws_websocket_free()
 * @retval WS_ERR_INVALID  bytes came in before, or the handshake is done
 *
 * @threads The loop's thread.
 */
WS_EXPORT int ws_websocket_upgrade(ws_websocket *websocket, const char *method,
                                   uint32_t http_major, uint32_t http_minor, const char *target,
                                   const ws_header *headers, size_t n_headers);

/** Whether the host should read from the client.
 *
 * Ask before each read, and leave the socket out of those that the loop watches for reading
 * while it is 0. When it becomes 1 again, ws_loop_next_output() returns the connection.
 *
 * @param websocket  the connection
 *
 * @return 0 while the client's input queue is full, after ws_websocket_eof(), and when only the end
 * of the connection is still to be written; otherwise 1
 *
 * @threads The loop's thread.
 */
WS_EXPORT int ws_websocket_wants_read(const ws_websocket *websocket);

/** Hands in bytes that came from the client.
 *
 * The opening handshake is answered within this call. Frames are carried out by ws_loop_run(),
 * in which the clients take turns, so run the loop afterwards.
 *
 * Unprocessed input is bounded. When 16 KiB wait, ws_websocket_wants_read() returns 0, and further
 * calls take nothing until the loop was run. A host that calls ws_websocket_wants_read() before
 * each read, and reads at most 64 KiB at a time, has at most 80 KiB of a client's input waiting.
 * TCP then slows the client down.
 *
 * @param websocket  the connection
 * @param data       the bytes; copied; may be NULL if `length` is 0
 * @param length     of `data`, in bytes
 *
 * @retval WS_OK                the bytes are taken; those after the end are thrown away
 * @retval WS_ERR_BACKPRESSURE  the bytes are not taken: hand them in again after ws_loop_run()
 * @retval WS_ERR_CLOSED        the connection has ended and all was written: close the socket
 *                              and call ws_websocket_free()
 * @retval WS_ERR_INVALID       a pointer is NULL
 *
 * @threads The loop's thread.
 */
WS_EXPORT int ws_websocket_receive(ws_websocket *websocket, const void *data, size_t length);

/** Notifies that the client will send no more, or that reading failed.
 *
 * Input that was handed in before is still carried out by ws_loop_run(). Then the connection ends
 * with #WS_CLOSE_ABNORMAL, unless it was closing already, and ws_loop_next_output() returns it.
 * Do not read from the socket any more. Freeing the connection at once drops pending input.
 *
 * @param websocket  the connection
 *
 * @threads The loop's thread.
 */
WS_EXPORT void ws_websocket_eof(ws_websocket *websocket);

/** Returns the next connection for which the host has something to do.
 *
 * The connection has bytes to write, can be read from again (ws_websocket_wants_read()), or has
 * ended (ws_websocket_ended()). Each connection is returned once in a turn, however many events it
 * received. A host with many clients may stop after some hundreds, read the sockets that are
 * ready, and go on in its next turn, which begins with the connections that were not returned.
 *
 * @param loop  the loop
 *
 * @return the connection; NULL when there is none
 *
 * @threads The loop's thread, after ws_loop_run().
 * @ownership The connection is the host's, as before.
 */
WS_EXPORT ws_websocket *ws_loop_next_output(ws_loop *loop);

/** The bytes to write now.
 *
 * A second call without ws_websocket_sent() gives the same bytes.
 *
 * @param websocket  the connection
 * @param[out] iov   room for `max` pieces
 * @param max        how many pieces at most
 *
 * @return how many pieces there are; 0 when nothing waits
 *
 * @threads The loop's thread.
 * @ownership The pieces are the connection's and valid until ws_websocket_sent(),
 * ws_websocket_eof() or ws_websocket_free().
 */
WS_EXPORT int ws_websocket_output(ws_websocket *websocket, struct iovec *iov, int max);

/** Notifies that bytes of ws_websocket_output() were written.
 *
 * If `n` is less than ws_websocket_output() returned, the socket is full. Call
 * ws_websocket_output() again when the socket is writable: ws_loop_next_output() does not return
 * the connection before that.
 *
 * @param websocket  the connection
 * @param n          how many bytes were written
 *
 * @retval WS_OK           the bytes are taken out of the queue
 * @retval WS_ERR_CLOSED   the connection has ended and all was written: close the socket and
 *                         call ws_websocket_free()
 * @retval WS_ERR_INVALID  `websocket` is NULL
 *
 * @threads The loop's thread.
 */
WS_EXPORT int ws_websocket_sent(ws_websocket *websocket, size_t n);

/** Whether the connection has ended and all was written.
 *
 * Call it after writing to a connection that ws_loop_next_output() returned. That function also
 * returns connections that a timer has ended.
 *
 * @param websocket  the connection
 *
 * @return 1: close the socket and call ws_websocket_free(); otherwise 0
 *
 * @threads The loop's thread.
 */
WS_EXPORT int ws_websocket_ended(const ws_websocket *websocket);

/** Starts the closing handshake (RFC 6455 §7.1.2), at once; before the opening handshake is
 * done it ends the connection.
 *
 * Run the loop and write its output afterwards.
 *
 * @param websocket  the connection
 * @param code       why: 1000 to 1003, 1007 to 1014 or 3000 to 4999 (enum ws_close_code, RFC
 *                   6455 §7.4)
 * @param reason     a text for the code, at most 123 bytes (RFC 6455 §5.5); NULL for none;
 *                   copied
 *
 * @retval WS_OK           the connection is closing
 * @retval WS_ERR_INVALID  the code or the reason is not acceptable
 * @retval WS_ERR_CLOSED   the connection is closing already
 *
 * @threads The loop's thread.
 */
WS_EXPORT int ws_websocket_close(ws_websocket *websocket, uint16_t code, const char *reason);

/** Frees a connection, at any time, also within a callback of its own.
 *
 * If it is open, it ends with #WS_CLOSE_ABNORMAL. The socket is the host's to close.
 *
 * @param websocket  the connection; NULL does nothing
 *
 * @threads The loop's thread.
 */
WS_EXPORT void ws_websocket_free(ws_websocket *websocket);

/** @} */

WS_END_DECLS

#endif
