/** @file
 * Socket.IO: stock clients of Socket.IO 3 and 4 (protocol 5, over Engine.IO 4).
 *
 * An endpoint with #WS_PROTOCOL_SOCKETIO serves them, at the path that the host chose, usually
 * `/socket.io/`. Each socket of a client is a connection of the manager: it has an id, a user
 * and rooms, and receives the manager's events beside the clients of the other protocols.
 *
 * @code
 * const socket = io("https://example.com", {auth: {token}});
 * socket.on("order_created", (event) => …);                // event.id, event.data, …
 * socket.emit("join_room", "orders", (answer) => …);       // {type: "room_joined", data: …}
 * socket.emit("rename", 7, "Ann", (answer) => …);          // ws_socketio_event_callback()
 * @endcode
 *
 * @par Connecting
 * The WebSocket, or the session that polls (http.h), is opened for everyone.
 * ws_accept_handshake_callback() is called when the client's CONNECT packet has arrived, so
 * that it sees the request and ws_handshake_auth(). A client that is refused receives
 * `connect_error`, with the text of ws_handshake_refuse() as its message and `{"status":403}`
 * as its data. Because the WebSocket is open by then, ws_handshake_set_subprotocol() and
 * ws_handshake_decline_deflate() have no effect. A client that has no socket for
 * `connect_timeout_ms` is disconnected.
 *
 * @par Events of the manager
 * An event of type `order_created` is emitted as "order_created". Its argument is the whole JSON
 * message, with `id`, `data` and so on. If the event has an id, the id is also its second argument.
 * It is encoded once for all clients. Socket.IO reserves the names connect,
 * connect_error, disconnect, disconnecting, newListener and removeListener: an event of one of
 * these types is emitted as "message".
 *
 * @par Requests of clients
 * In the namespace "/" the library answers these events:
 *
 * - `join_room` and `leave_room`, with the room's name. `join_room` may have a second argument: an
 *   object with the members `presence`, `state`, `last` and `since` of the JSON protocol
 * - `authenticate`, with a token, if the manager has `authenticate`
 * - `presence`, `set_state`, `watch_presence` and `unwatch_presence`, if the manager has
 *   `authorize_presence`: with the name of a room, or with none (for `set_state`: null) for the
 *   whole service. `set_state` has the state as its second argument
 *
 * The acknowledgement has one argument: the answer of the JSON protocol, for example
 * `{"type":"room_joined","data":{"room":"orders","id":"…"}}` or
 * `{"type":"error","data":{"code":"forbidden","message":"…"}}`. Without an acknowledgement the
 * answer is emitted as an event named by its type.
 *
 * The handlers that the application has for all clients take these events of the namespace "/",
 * with the same limits, and their answers are acknowledgements, too:
 *
 * - one named as a message type (ws_manager_register_message_type()), with an object of the
 *   members `room` and `data`: it goes to `accept_message`
 * - one named as a method (ws_manager_register_method()), with the data of the request
 * - only without `on_event`: `message`, as a message type, if the manager has `accept_message`; and
 *   `request`, with the name of a method and the data
 *
 * They must not have binary arguments. All other events go to `on_event`.
 *
 * ws_manager_request() emits `request` with the method and its data; the client's acknowledgement
 * is the response.
 *
 * @par Connection state recovery
 * A client that reconnects within `recovery_ms` is in its rooms again and receives the events
 * with an id that it missed, before any other; its `socket.recovered` is true. Its rooms are
 * authorized again, and its user must not have changed; `accept_handshake`, `on_connect` and
 * `on_join` are called as for any client. It becomes a new client if the history does not reach
 * back far enough, or if it or the application had disconnected its socket. With a cluster
 * (redis.h) it may reconnect to any process, even after its former one was killed. It is then in
 * the rooms whose joins were acknowledged: a client joins or leaves a room when the carrier has its
 * session with that change, or five seconds later if the carrier does not answer. It does not wait
 * while the carrier has not answered others, if it has changed a large session very often, or if
 * 10,000 requests to the carrier are without an answer. The changes that the carrier did not have
 * when the process was killed are lost.
 * All connections that may recover each other's sessions must use one endpoint.
 *
 * @par Namespaces
 * The host registers other namespaces than "/" with `namespaces`. A socket there is a connection
 * with its own id, `on_connect` and `on_disconnect`. It carries the application's own events
 * (ws_socketio_emit()) and personal messages; rooms, presence and the manager's events belong
 * to "/".
 *
 * @par The end of a connection
 * ws_manager_disconnect() disconnects a socket as `socket.disconnect()` does on a server of
 * Socket.IO. Stock clients then do not reconnect by themselves.
 *
 * The codes #WS_CLOSE_GOING_AWAY, #WS_CLOSE_POLICY_VIOLATION, #WS_CLOSE_INTERNAL_ERROR,
 * #WS_CLOSE_SERVICE_RESTART and #WS_CLOSE_TRY_AGAIN_LATER end the whole session instead, and stock
 * clients reconnect. These are also the codes of a drain, and of a client that is too slow or too
 * fast.
 */
#ifndef WS_MANAGER_SOCKETIO_H
#define WS_MANAGER_SOCKETIO_H

#include <ws_manager/callbacks.h>
#include <ws_manager/error.h>
#include <ws_manager/export.h>
#include <ws_manager/types.h>

WS_BEGIN_DECLS

/** ws_socketio_event::ack_id of an event whose sender wants no acknowledgement. */
#define WS_SOCKETIO_NO_ACK (-1)

/** The bytes of a binary argument. */
typedef struct ws_socketio_attachment {
    const void *data; /**< the bytes; may be NULL if `length` is 0 */
    size_t length;    /**< of `data`, in bytes */
} ws_socketio_attachment;

/** An event that a client has emitted. Valid during the callback. */
typedef struct ws_socketio_event {
    size_t size; /**< of the library's struct, which may be larger than the caller's */

    const char *name_space; /**< the namespace, "/" or one of `namespaces` */

    /** The event's name, which may be empty. If a script emits a number as a name, these are
     * its digits. */
    const char *name;

    /** The arguments after the name: a JSON array, valid and NUL-terminated. A binary argument
     * is `{"_placeholder":true,"num":N}`, where N is an index of `attachments`. */
    const char *args;

    size_t args_length; /**< of `args`, in bytes */

    const ws_socketio_attachment *attachments; /**< the binary arguments; NULL: none */
    size_t n_attachments;                      /**< how many there are in `attachments` */

    /** Identifies the acknowledgement that the client waits for: pass it to ws_socketio_ack(),
     * during the callback or later. #WS_SOCKETIO_NO_ACK: the client waits for none. */
    int64_t ack_id;
} ws_socketio_event;

/** Notifies of an event that a client has emitted.
 *
 * @param manager     the manager
 * @param connection  the client's socket
 * @param event       the event
 * @param user_data   that of ws_socketio_options
 *
 * @threads The thread of the connection's loop, without a lock held. callbacks.h says which
 * functions a callback may call.
 */
typedef void ws_socketio_event_callback(ws_manager *manager,
                                        const ws_connection_info *connection,
                                        const ws_socketio_event *event, void *user_data);

/** The options of Socket.IO on an endpoint, set up by ws_socketio_options_init() with the
 * defaults named here. */
typedef struct ws_socketio_options {
    size_t size; /**< set by ws_socketio_options_init() */

    /** Receives the events that clients emit, except those that the library answers or that have
     * a handler (see above). NULL: these events are answered with the error `unknown_type`. */
    ws_socketio_event_callback *on_event;

    /** Passed to `on_event`; must outlive the endpoint's connections; may be NULL. */
    void *user_data;

    /** The namespaces beside "/": at most 16 names of at most 128 bytes that begin with '/';
     * NULL: none; copied. A client that connects to another namespace receives the error "Invalid
     * namespace". */
    const char *const *namespaces;

    size_t n_namespaces; /**< how many there are in `namespaces` */

    /** How long a client may have no socket; default 10000. At most 8192 clients of a loop may have
     * a WebSocket without a socket: when there would be more, the oldest one ends with
     * #WS_CLOSE_TRY_AGAIN_LATER. */
    uint32_t connect_timeout_ms;

    /** How many binary arguments an event or acknowledgement of a client may have; default 16. A
     * client that sends more is disconnected. So is a client whose event and binary arguments
     * together have more than `max_message_bytes`. */
    uint32_t max_attachments;

    /** How many acknowledgements of one client (ws_socketio_emit_with_ack()) may be awaited;
     * default 1000. Beyond it `on_ack` receives #WS_ERR_LIMIT. */
    uint32_t max_waiting_acks;

    /** How long a client may be away and still recover its session, which is its rooms and the
     * events that it missed; 0: clients cannot recover; at most 86400000; default 120000. */
    uint32_t recovery_ms;

    /** How many sessions of clients that are away are kept; default 10000. When there are more, the
     * oldest ones are forgotten. With a cluster, the limit applies to the sessions of clients that
     * have left this process, and sessions that a drain ends do not count. The limit should not be
     * less than the number of clients that may lose their connections at the same time. */
    uint32_t max_recoveries;

    /** How many bytes of memory these sessions may take in the process, where each takes 150 or
     * more; default 16777216 (16 MiB). A session with more than 64 KiB of rooms cannot be
     * recovered. */
    uint32_t max_recovery_bytes;
} ws_socketio_options;

/** Fills in the defaults for a struct of a given size: use ws_socketio_options_init().
 *
 * @param[out] options  the struct
 * @param size          the size of the caller's struct, in bytes; no more is written
 *
 * @threads Any thread.
 */
WS_EXPORT void ws_socketio_options_init_size(ws_socketio_options *options, size_t size);

/** Fills in the defaults.
 *
 * @param[out] options  the struct
 *
 * @threads Any thread.
 */
static inline void ws_socketio_options_init(ws_socketio_options *options)
{
    ws_socketio_options_init_size(options, sizeof *options);
}

/** A flag of ws_socketio_message, like `volatile` of Socket.IO: the event is dropped if anything
 * waits to be written to the client. */
#define WS_SOCKETIO_VOLATILE 1

/** An event or an acknowledgement that the server sends, set up by ws_socketio_message_init().
 *
 * @code
 * ws_socketio_message message;
 *
 * ws_socketio_message_init(&message);
 * message.name = "rename";
 * message.args = "[7,\"Ann\"]";
 * message.args_length = strlen(message.args);
 * ws_socketio_emit(manager, connection, &message);
 * @endcode
 *
 * The functions copy what it points to. */
typedef struct ws_socketio_message {
    size_t size; /**< set by ws_socketio_message_init() */

    /** The event's name: UTF-8, not one that Socket.IO reserves; NULL in an acknowledgement. */
    const char *name;

    /** The arguments: a JSON array, in which `{"_placeholder":true,"num":N}` stands for the
     * binary argument `attachments[N]`; NULL: none. */
    const char *args;

    size_t args_length; /**< of `args`, in bytes */

    const ws_socketio_attachment *attachments; /**< the binary arguments; NULL: none */
    size_t n_attachments;                      /**< how many, at most 255 */

    uint32_t flags; /**< 0 or #WS_SOCKETIO_VOLATILE; 0 in an acknowledgement */
} ws_socketio_message;

/** Makes an empty message in a struct of a given size: use ws_socketio_message_init().
 *
 * @param[out] message  the struct
 * @param size          the size of the caller's struct, in bytes; no more is written
 *
 * @threads Any thread.
 */
WS_EXPORT void ws_socketio_message_init_size(ws_socketio_message *message, size_t size);

/** Makes an empty message: without a name, arguments and flags.
 *
 * @param[out] message  the struct
 *
 * @threads Any thread.
 */
static inline void ws_socketio_message_init(ws_socketio_message *message)
{
    ws_socketio_message_init_size(message, sizeof *message);
}

/** Emits an event to one socket, as `socket.emit(name, ...args)` does on a server of Socket.IO.
 *
 * It is delivered in order with the manager's events, but has no id and no place in the
 * history.
 *
 * @param manager     the manager
 * @param connection  the socket's id
 * @param message     the event; copied
 *
 * @retval WS_OK                the event is accepted
 * @retval WS_ERR_INVALID       the name or a flag is not acceptable, or a placeholder names no
 *                              attachment
 * @retval WS_ERR_BAD_JSON      `args` is not a JSON array
 * @retval WS_ERR_NOT_FOUND     there is no such connection
 * @retval WS_ERR_FORBIDDEN     the connection is not a socket of Socket.IO
 * @retval WS_ERR_TOO_BIG       the event has more than 2^30 bytes
 * @retval WS_ERR_BACKPRESSURE  `max_pending` calls wait for the connection's loop
 * @retval WS_ERR_NO_MEMORY     an allocation failed
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_socketio_emit(ws_manager *manager, ws_conn_id connection,
                               const ws_socketio_message *message);

/** A client's acknowledgement, or the reason why there is none. Valid during the callback. */
typedef struct ws_socketio_ack_result {
    size_t size; /**< of the library's struct, which may be larger than the caller's */

    /** #WS_OK: the client has acknowledged the event; #WS_ERR_TIMEOUT: it has not in time;
     * #WS_ERR_CLOSED: the connection has ended; #WS_ERR_LIMIT: the event was emitted, but
     * `max_waiting_acks` acknowledgements are awaited already; #WS_ERR_DROPPED: the client's queue
     * was full; #WS_ERR_NO_MEMORY: an allocation failed. */
    int32_t result;

    /** The arguments of the acknowledgement, as in ws_socketio_event; NULL if `result` is not
     * #WS_OK. */
    const char *args;

    size_t args_length; /**< of `args`, in bytes */

    const ws_socketio_attachment *attachments; /**< the binary arguments; NULL: none */
    size_t n_attachments;                      /**< how many there are in `attachments` */
} ws_socketio_ack_result;

/** Takes a client's acknowledgement, or the reason why there is none. It is called exactly once
 * for each #WS_OK of ws_socketio_emit_with_ack().
 *
 * @param manager     the manager
 * @param connection  the socket's id
 * @param result      the acknowledgement
 * @param user_data   that of ws_socketio_emit_with_ack()
 *
 * @threads The thread of the connection's loop, without a lock held; also within
 * ws_loop_free().
 */
typedef void ws_socketio_ack_callback(ws_manager *manager, ws_conn_id connection,
                                      const ws_socketio_ack_result *result, void *user_data);

/** Emits an event to one socket and waits for its acknowledgement, as
 * `socket.timeout(ms).emit(name, ...args, callback)` does on a server of Socket.IO.
 *
 * @param manager     the manager
 * @param connection  the socket's id
 * @param message     the event; copied. If #WS_SOCKETIO_VOLATILE drops it, the result is
 *                    #WS_ERR_TIMEOUT.
 * @param timeout_ms  how long to wait, from when the event is delivered; 1 to 86400000
 * @param on_ack      called exactly once after #WS_OK, and not after an error
 * @param user_data   passed to `on_ack`; may be NULL
 *
 * @retval WS_OK           the event is accepted
 * @retval WS_ERR_INVALID  `timeout_ms` is not acceptable, or `on_ack` is NULL
 * @return any other error of ws_socketio_emit()
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_socketio_emit_with_ack(ws_manager *manager, ws_conn_id connection,
                                        const ws_socketio_message *message, uint32_t timeout_ms,
                                        ws_socketio_ack_callback *on_ack, void *user_data);

/** Acknowledges an event of a client: the callback that the client gave to `socket.emit()` is
 * called with these arguments.
 *
 * Call it at any time after the event, once: a client ignores a second acknowledgement.
 *
 * @param manager     the manager
 * @param connection  the socket's id
 * @param ack_id      `ack_id` of the event
 * @param message     the arguments, with neither a name nor a flag; copied; NULL: no arguments
 *
 * @retval WS_OK           the acknowledgement is accepted
 * @retval WS_ERR_INVALID  `ack_id` is negative, the message has a name or a flag, or a
 *                         placeholder refers to a missing attachment
 * @return any other error of ws_socketio_emit()
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_socketio_ack(ws_manager *manager, ws_conn_id connection, int64_t ack_id,
                              const ws_socketio_message *message);

WS_END_DECLS

#endif
