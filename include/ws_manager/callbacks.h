/** @file
 * The callbacks of a manager: what the application is notified of, and what it decides.
 *
 * They are set in ws_manager_options, and each may be NULL. The member `user_data` of the
 * options is passed to all of them.
 *
 * @par Threads
 * A callback about a connection runs on the thread of that connection's loop, without a lock
 * held, within ws_loop_run(), ws_websocket_receive(), ws_websocket_upgrade(),
 * ws_websocket_eof(), ws_websocket_close(), ws_websocket_free(), ws_manager_transport_closed()
 * or ws_loop_free(). It may call every function of the library, also about its own connection:
 * send to it, disconnect it, let it join a room, free its WebSocket. Only ws_loop_run() and
 * ws_loop_free() of the same loop are not for callbacks.
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

/** What a callback learns of a connection. Valid during the callback. */
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
 */
typedef void ws_connect_callback(ws_manager *manager, const ws_connection_info *connection,
                                 void *user_data);

/** Notifies that a connection has ended: it has left its rooms, and nothing more is delivered
 * to it.
 *
 * Called once for each ws_connect_callback().
 *
 * @param manager     the manager
 * @param connection  the connection, whose id names nothing any more
 * @param code        why (enum ws_close_code, RFC 6455 §7.4): the peer's code,
 *                    #WS_CLOSE_NO_STATUS if the peer gave none, the code of this side, or
 *                    #WS_CLOSE_ABNORMAL if the connection broke
 * @param reason      the text to the code; "" for none
 * @param user_data   that of ws_manager_options
 */
typedef void ws_disconnect_callback(ws_manager *manager, const ws_connection_info *connection,
                                    uint16_t code, const char *reason, void *user_data);

/** Decides whether a client may enter a room.
 *
 * It is called for each room that a client asks for, and for each room that a connection is in
 * by ws_manager_reauthorize(). It is not called for ws_manager_join_room().
 *
 * @param manager     the manager
 * @param connection  the connection
 * @param room        the room's name
 * @param user_data   that of ws_manager_options
 *
 * @return #WS_OK to let the client in; anything else is answered with the error `forbidden`
 */
typedef int ws_authorize_join_callback(ws_manager *manager,
                                       const ws_connection_info *connection, const char *room,
                                       void *user_data);

/** Notifies of the result of a join, by a client or by ws_manager_join_room().
 *
 * Not called when ws_authorize_join_callback() refused, or when the connection ended first.
 *
 * @param manager     the manager
 * @param connection  the connection
 * @param room        the room's name
 * @param result      #WS_OK; #WS_ERR_ALREADY: the connection was a member;
 *                    #WS_ERR_TOO_MANY_ROOMS: a limit; #WS_ERR_FORBIDDEN: a connection with
 *                    #WS_PROTOCOL_RAW has no rooms; #WS_ERR_NO_MEMORY
 * @param user_data   that of ws_manager_options
 */
typedef void ws_join_callback(ws_manager *manager, const ws_connection_info *connection,
                              const char *room, int result, void *user_data);

/** Notifies of the result of a leave, by a client or by ws_manager_leave_room().
 *
 * Not called for the rooms that a connection leaves by ending, or when it ended first.
 *
 * @param manager     the manager
 * @param connection  the connection
 * @param room        the room's name
 * @param result      #WS_OK; #WS_ERR_NOT_MEMBER: the connection was not in the room
 * @param user_data   that of ws_manager_options
 */
typedef void ws_leave_callback(ws_manager *manager, const ws_connection_info *connection,
                               const char *room, int result, void *user_data);

/** Takes a client's message, {"type":"message"}, and decides whether it is acceptable.
 *
 * @param manager     the manager
 * @param connection  the connection
 * @param room        the room that the message names; NULL if it names none
 * @param data        the JSON text of its "data", valid and NUL-terminated; "null" if there is
 *                    none
 * @param length      of `data`, in bytes
 * @param user_data   that of ws_manager_options
 *
 * @retval WS_OK              it is accepted, and not answered
 * @retval WS_ERR_NOT_MEMBER  it is answered with the error `not_member`
 * @retval WS_ERR_FORBIDDEN   it is answered with the error `forbidden`
 * @return any other error is answered with `bad_request`
 */
typedef int ws_accept_message_callback(ws_manager *manager,
                                       const ws_connection_info *connection, const char *room,
                                       const char *data, size_t length, void *user_data);

/** Decides whether a client's new token is acceptable: {"type":"authenticate","token":"…"}.
 *
 * With it a client proves again who it is, for example before its token expires. If the client
 * may do less than before, call ws_manager_reauthorize() here.
 *
 * @param manager     the manager
 * @param connection  the connection
 * @param token       the token
 * @param user_data   that of ws_manager_options
 *
 * @retval WS_OK              it is answered with `authenticated`
 * @retval WS_ERR_NOT_MEMBER  it is answered with the error `not_member`
 * @retval WS_ERR_FORBIDDEN   it is answered with the error `forbidden`
 * @return any other error is answered with `bad_request`
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
 */
typedef void ws_raw_callback(ws_manager *manager, const ws_connection_info *connection,
                             const void *data, size_t length, int is_text, void *user_data);

/** Decides whether a client stays whose queue is over its limit when a message comes.
 *
 * @param manager     the manager
 * @param connection  the connection
 * @param user_data   that of ws_manager_options
 *
 * @return #WS_OK to keep the connection and drop the message; anything else ends the connection
 * with #WS_CLOSE_TRY_AGAIN_LATER
 */
typedef int ws_keep_slow_client_callback(ws_manager *manager,
                                         const ws_connection_info *connection, void *user_data);

/** Notifies that a client's queue has become long, or short again: a time to send it less, or
 * to read less from it.
 *
 * @param manager     the manager
 * @param connection  the connection
 * @param is_high     1: the queue has grown above the endpoint's `queue_high_bytes`; 0: it is
 *                    down at `queue_low_bytes`
 * @param user_data   that of ws_manager_options
 */
typedef void ws_backpressure_callback(ws_manager *manager, const ws_connection_info *connection,
                                      int is_high, void *user_data);

/** Writes a line to the application's log.
 *
 * Refused handshakes are logged with #WS_LOG_INFO, and connections that are too slow or send
 * too fast with #WS_LOG_WARN: for each loop ten lines per second, and then how many were left
 * out.
 *
 * @param level      a value of enum ws_log_level
 * @param line       UTF-8 without a newline; a '?' replaces each character from a peer that
 *                   could end or reorder the line (ws_name_is_valid())
 * @param user_data  that of ws_manager_options
 *
 * @threads Any thread, without a lock held.
 */
typedef void ws_log_callback(int level, const char *line, void *user_data);

/** Tells the time of day, for the timestamps of events.
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
