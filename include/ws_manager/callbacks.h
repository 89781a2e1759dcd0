/** @file
 * The callbacks of a manager: notifications, and decisions of the application.
 *
 * They are set in ws_manager_options, and each may be NULL. The member `user_data` of the
 * options is passed to all of them.
 *
 * @par Threads
 * A callback about a connection runs on the thread of that connection's loop, without a lock
 * held, within ws_loop_run(), ws_websocket_receive(), ws_websocket_read_fd(),
 * ws_websocket_upgrade(), ws_websocket_sent(), ws_websocket_write_fd(), ws_websocket_eof(),
 * ws_websocket_close(), ws_websocket_free(), ws_http_sent(), ws_http_eof(), ws_http_close(),
 * ws_http_free(), ws_manager_transport_closed() or ws_loop_free(). It may call every function of
 * the library, even for its own connection: send to it, disconnect it, let it join a room, free
 * its WebSocket. The exceptions are ws_loop_run() and ws_loop_free() of that loop, which callbacks
 * must not call.
 *
 * @par Lifetime
 * Structs and texts are valid during the call.
 */
#ifndef WS_MANAGER_CALLBACKS_H
#define WS_MANAGER_CALLBACKS_H

#include <ws_manager/close_code.h>
#include <ws_manager/error.h>
#include <ws_manager/export.h>
#include <ws_manager/types.h>

WS_BEGIN_DECLS

/** Information about a connection. Valid during the callback. */
typedef struct ws_connection_info {
    size_t size;         /**< of the library's struct, which may be larger than the caller's */
    ws_conn_id id;       /**< its id */
    const char *user_id; /**< its user; NULL for an anonymous client */
    void *user_data;     /**< the application's pointer: ws_manager_set_user_data() */
} ws_connection_info;

/** Notifies that a connection is registered and its welcome is queued.
 *
 * @param manager     the manager
 * @param connection  the connection
 * @param user_data   that of ws_manager_options
 *
 * @threads The thread of the connection's loop, without a lock held.
 */
typedef void ws_connect_callback(ws_manager *manager, const ws_connection_info *connection,
                                 void *user_data);

/** Notifies that a connection has ended: it has left its rooms, and nothing more is delivered
 * to it.
 *
 * Called once for each ws_connect_callback().
 *
 * @param manager     the manager
 * @param connection  the connection, whose id is no longer valid
 * @param code        why (enum ws_close_code, RFC 6455 §7.4): the peer's code,
 *                    #WS_CLOSE_NO_STATUS if the peer gave none, the code of this side, or
 *                    #WS_CLOSE_ABNORMAL if the connection broke
 * @param reason      the text for the code; "" for none
 * @param user_data   that of ws_manager_options
 *
 * @threads The thread of the connection's loop, without a lock held.
 */
typedef void ws_disconnect_callback(ws_manager *manager, const ws_connection_info *connection,
                                    uint16_t code, const char *reason, void *user_data);

/** Decides whether a client may enter a room.
 *
 * It is called for each room that a client asks to enter. ws_manager_reauthorize() calls it for
 * each room that a connection is in. ws_manager_join_room() does not call it.
 *
 * If any connection is reauthorized while this callback decides whether a client may enter a room,
 * the decision may be outdated, and the callback is called again. If that happens 16 times in a
 * row, the client is refused. If the callback itself calls
 * ws_manager_reauthorize() for the client whenever it is asked about a room, the client loses that
 * room, even if it is in the room already.
 *
 * @param manager     the manager
 * @param connection  the connection
 * @param room        the room's name
 * @param user_data   that of ws_manager_options
 *
 * @return #WS_OK to let the client in; anything else is answered with the error `forbidden`
 *
 * @threads The thread of the connection's loop, without a lock held.
 */
typedef int ws_authorize_join_callback(ws_manager *manager,
                                       const ws_connection_info *connection, const char *room,
                                       void *user_data);

/** Decides whether a client may see the users in a room, or of the whole service, and set its own
 * user's state there.
 *
 * It is called
 *
 * - for each {"type":"presence"} and {"type":"set_state"} of a client
 * - for each {"type":"watch_presence"} and each {"type":"join_room"} with "presence":true: when the
 *   message is carried out (for a join after ws_authorize_join_callback()), and again just before
 *   the client begins to receive changes
 * - by ws_manager_reauthorize(), for the service and each room whose changes the client receives
 *
 * @param manager     the manager
 * @param connection  the connection
 * @param room        the room's name, which the client need not be in; NULL for the whole service
 * @param user_data   that of ws_manager_options
 *
 * @return #WS_OK to allow it; anything else is answered with the error `forbidden`
 *
 * @threads The thread of the connection's loop, without a lock held.
 */
typedef int ws_authorize_presence_callback(ws_manager *manager,
                                           const ws_connection_info *connection,
                                           const char *room, void *user_data);

/** How the presence of a user in a room has changed. */
enum ws_presence_change_kind {
    WS_PRESENCE_JOINED = 0, /**< the user was not there before */
    WS_PRESENCE_LEFT = 1,   /**< the user has left, and the grace time is over */
    WS_PRESENCE_CHANGED = 2 /**< the user's state or number of connections has changed */
};

/** A change of presence. Valid during the callback. */
typedef struct ws_presence_change {
    size_t size;          /**< of the library's struct, which may be larger than the caller's */
    int32_t change;       /**< enum ws_presence_change_kind */
    uint32_t connections; /**< how many the user has in the room; 0 after leaving */
    const char *room;     /**< the room's name; NULL for the whole service */
    const char *user_id;  /**< the user's name */
    const char *state;    /**< the user's, a JSON text, NUL-terminated; NULL for none */
    size_t state_length;  /**< of `state`, in bytes */
} ws_presence_change;

/** Notifies of a change in a room with presence (presence.h), or of the whole service if that has
 * presence.
 *
 * A user who came and left within `presence_batch_ms` may be omitted.
 *
 * @param manager    the manager
 * @param change     the change
 * @param user_data  that of ws_manager_options
 *
 * @threads The thread of one of the manager's loops, without a lock held.
 */
typedef void ws_presence_callback(ws_manager *manager, const ws_presence_change *change,
                                  void *user_data);

/** Notifies of the result of a join, by a client or by ws_manager_join_room().
 *
 * Not called if ws_authorize_join_callback() refused, nor if the connection ended before the join
 * was carried out.
 *
 * @param manager     the manager
 * @param connection  the connection
 * @param room        the room's name
 * @param result      #WS_OK: the connection has entered the room; #WS_ERR_ALREADY: it was a
 *                    member before; #WS_ERR_TOO_MANY_ROOMS: a limit of rooms or of presence is
 *                    reached; #WS_ERR_FORBIDDEN: a connection with #WS_PROTOCOL_RAW has no rooms;
 *                    #WS_ERR_NO_MEMORY: an allocation failed
 * @param user_data   that of ws_manager_options
 *
 * @threads The thread of the connection's loop, without a lock held.
 */
typedef void ws_join_callback(ws_manager *manager, const ws_connection_info *connection,
                              const char *room, int result, void *user_data);

/** Notifies of the result of a leave, by a client or by ws_manager_leave_room().
 *
 * Not called for the rooms that a connection leaves because it ends, nor if the connection ended
 * before the leave was carried out.
 *
 * @param manager     the manager
 * @param connection  the connection
 * @param room        the room's name
 * @param result      #WS_OK: the connection has left the room; #WS_ERR_NOT_MEMBER: it was not in
 *                    the room
 * @param user_data   that of ws_manager_options
 *
 * @threads The thread of the connection's loop, without a lock held.
 */
typedef void ws_leave_callback(ws_manager *manager, const ws_connection_info *connection,
                               const char *room, int result, void *user_data);

/** Identifies a message or request of a client for its answer: ws_manager_answer().
 *
 * It may be copied, kept and passed between threads. It holds no memory. If the application never
 * answers, it expires after the time limit, or when the connection has ended.
 */
typedef struct ws_answer {
    ws_conn_id connection; /**< the connection of the client; 0: the client wants no answer */
    uint64_t number;       /**< the number of the message, unique in the process */
} ws_answer;

/** What a client has sent: a message or a request. Valid during the callback. */
typedef struct ws_client_message {
    size_t size;        /**< of the library's struct, which may be larger than the caller's */
    const char *type;   /**< "message", "request" or a type of the application */
    const char *method; /**< the method of a request; NULL for a message */
    const char *room;   /**< the room that it names; NULL if it names none */
    /** The JSON text of its "data", NUL-terminated; "null" if there is none. */
    const char *data;
    size_t length; /**< of `data`, in bytes */

    /** Identifies the message for its answer. A message without a `ref` is not answered:
     * `connection` is 0, and answering has no effect. */
    ws_answer answer;
} ws_client_message;

/** Takes what a client has sent, and decides whether it is acceptable.
 *
 * The type of `accept_message`, of the handlers of requests (ws_manager_register_method()), and of
 * the checks of the application's message types (ws_manager_register_message_type()).
 *
 * A request is always answered, with `response` or `error`. A message is answered if it has a
 * `ref`, with `ack` or `error`. The application gives the answer with ws_manager_answer() or
 * ws_manager_answer_error(), during the callback or later. If it gives none during the callback,
 * the callback's return value decides:
 *
 * | returned                          | a message receives         | a request receives          |
 * |:----------------------------------|:---------------------------|:----------------------------|
 * | #WS_OK                            | `ack`, with data `null`    | `response`, with data `null` |
 * | #WS_ERR_NOT_MEMBER                | the error `not_member`     | the error `not_member`      |
 * | #WS_ERR_FORBIDDEN                 | the error `forbidden`      | the error `forbidden`       |
 * | #WS_ERR_TOO_MANY_ROOMS            | the error `too_many_rooms` | the error `failed`          |
 * | #WS_ERR_INVALID, #WS_ERR_BAD_JSON | the error `bad_request`    | the error `bad_request`     |
 * | any other error                   | the error `bad_request`    | the error `failed`          |
 *
 * #WS_ERR_NO_MEMORY ends the connection with #WS_CLOSE_TRY_AGAIN_LATER instead. These errors are
 * sent even for a message without a `ref`.
 *
 * @param manager     the manager
 * @param connection  the connection
 * @param message     what the client has sent
 * @param user_data   that of ws_manager_options, or of the registration
 *
 * @retval WS_OK        the message or request is accepted
 * @retval WS_DEFERRED  it is accepted. The application answers within `answer_timeout_ms`, from
 *                      any thread, with a copy of `message->answer`. After that time the client
 *                      receives the error `timeout`
 * @return any value of enum ws_error refuses it, as the table says
 *
 * @threads The thread of the connection's loop, without a lock held.
 */
typedef int ws_client_message_callback(ws_manager *manager,
                                       const ws_connection_info *connection,
                                       const ws_client_message *message, void *user_data);

/** Decides whether a client's new token is acceptable: {"type":"authenticate","token":"…"}.
 *
 * A client sends the message to prove again who it is, for example before its token expires. If the
 * client may do less than before, call ws_manager_reauthorize() here.
 *
 * @param manager     the manager
 * @param connection  the connection
 * @param token       the token
 * @param user_data   that of ws_manager_options
 *
 * @retval WS_OK              the client receives `authenticated`
 * @retval WS_ERR_NOT_MEMBER  the client receives the error `not_member`
 * @retval WS_ERR_FORBIDDEN   the client receives the error `forbidden`
 * @retval WS_ERR_NO_MEMORY   the connection is ended with #WS_CLOSE_TRY_AGAIN_LATER
 * @retval WS_ERR_TOO_MANY_ROOMS  the client receives the error `too_many_rooms`
 * @return for any other error the client receives the error `bad_request`
 *
 * @threads The thread of the connection's loop, without a lock held.
 */
typedef int ws_authenticate_callback(ws_manager *manager, const ws_connection_info *connection,
                                     const char *token, void *user_data);

/** Notifies of a whole message of a connection with #WS_PROTOCOL_RAW.
 *
 * @param manager     the manager
 * @param connection  the connection
 * @param data        the message, not NUL-terminated
 * @param length      of `data`, in bytes
 * @param is_text     1 for text (UTF-8), 0 for binary
 * @param user_data   that of ws_manager_options
 *
 * @threads The thread of the connection's loop, without a lock held.
 */
typedef void ws_raw_callback(ws_manager *manager, const ws_connection_info *connection,
                             const void *data, size_t length, int is_text, void *user_data);

/** Decides whether a client may stay when a message is to be queued and its queue is over its
 * limit.
 *
 * @param manager     the manager
 * @param connection  the connection
 * @param user_data   that of ws_manager_options
 *
 * @return #WS_OK to keep the connection and drop the message; anything else ends the connection
 * with #WS_CLOSE_TRY_AGAIN_LATER
 *
 * @threads The thread of the connection's loop, without a lock held.
 */
typedef int ws_keep_slow_client_callback(ws_manager *manager,
                                         const ws_connection_info *connection, void *user_data);

/** Notifies that a client's queue has become long, or short again. The application may then send
 * less to the client, or read less from it.
 *
 * @param manager     the manager
 * @param connection  the connection
 * @param is_high     1: the queue has grown above the endpoint's `queue_high_bytes`; 0: it has
 *                    shrunk to `queue_low_bytes`
 * @param user_data   that of ws_manager_options
 *
 * @threads The thread of the connection's loop, without a lock held.
 */
typedef void ws_backpressure_callback(ws_manager *manager, const ws_connection_info *connection,
                                      int is_high, void *user_data);

/** A message of the application on another process: ws_manager_send_to_processes(). Valid during
 * the callback. */
typedef struct ws_process_message {
    size_t size;         /**< of the library's struct, which may be larger than the caller's */
    const char *process; /**< the sender: its ws_manager_process_id() */
    const char *type;    /**< what it is about */
    const char *data;    /**< its JSON text, NUL-terminated */
    size_t length;       /**< of `data`, in bytes */
} ws_process_message;

/** Notifies of a message of the application on another process.
 *
 * @param manager    the manager
 * @param message    the message
 * @param user_data  that of ws_manager_options
 *
 * @threads The thread that runs the carrier, without a lock held. It may call every function of
 * the library except those that run or free the carrier. Events that it sends to clients follow all
 * events that precede the message in the stream.
 */
typedef void ws_process_message_callback(ws_manager *manager, const ws_process_message *message,
                                         void *user_data);

/** Notifies that this process may have missed commands and messages of other processes
 * (user_commands.h): it reached the stream for the first time, the stream was replaced, or it was
 * disconnected for longer than the stream reaches back. The application's caches may be out of
 * date, and a user may have connections that should have ended.
 *
 * @param manager    the manager
 * @param user_data  that of ws_manager_options
 *
 * @threads The thread that runs the carrier, without a lock held. It may call every function of
 * the library except those that run or free the carrier.
 */
typedef void ws_processes_gap_callback(ws_manager *manager, void *user_data);

/** Writes a line to the application's log.
 *
 * Refused handshakes are logged with #WS_LOG_INFO, and connections that are too slow or send
 * too fast with #WS_LOG_WARN: each loop writes at most ten such lines per second, and then one
 * with the number of those that it dropped.
 *
 * @param level      a value of enum ws_log_level
 * @param line       UTF-8 without a newline; a '?' replaces each character from a peer that
 *                   could end or reorder the line (ws_name_is_valid())
 * @param user_data  that of ws_manager_options
 *
 * @threads Any thread, without a lock held.
 */
typedef void ws_log_callback(int level, const char *line, void *user_data);

/** Returns the time of day, for the timestamps of events.
 *
 * @param user_data  that of ws_manager_options
 *
 * @return milliseconds since 1970-01-01 UTC
 *
 * @threads Any thread.
 */
typedef int64_t ws_clock_callback(void *user_data);

/** Visits a connection of a room or user: ws_manager_for_each_member().
 *
 * @param connection  the connection's id
 * @param user_data   that of the call
 *
 * @return 0 to go on; anything else ends the walk and is its result
 *
 * @threads The thread of the call.
 */
typedef int ws_each_callback(ws_conn_id connection, void *user_data);

WS_END_DECLS

#endif
