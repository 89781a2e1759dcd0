/** @file
 * Registering a connection of the application's own transport, ending a connection, and the
 * application's pointer on it.
 */
#ifndef WS_MANAGER_CONNECTION_H
#define WS_MANAGER_CONNECTION_H

#include <ws_manager/close_code.h>
#include <ws_manager/error.h>
#include <ws_manager/export.h>
#include <ws_manager/transport.h>
#include <ws_manager/types.h>

WS_BEGIN_DECLS

/** What the messages of a connection mean. */
enum ws_protocol {
    WS_PROTOCOL_JSON = 0, /**< the library's JSON messages: welcome, rooms, events */
    WS_PROTOCOL_RAW = 1,  /**< `on_raw` gets each message; no rooms, no events, no presence */

    /** Socket.IO 5 over Engine.IO 4, for endpoints: socketio.h. */
    WS_PROTOCOL_SOCKETIO = 2,

    /** Raw messages within Engine.IO 4, for endpoints: `on_raw` gets each message; no rooms, no
     * events, no presence. */
    WS_PROTOCOL_ENGINEIO = 3
};

/** The options of ws_manager_connect(), set up by ws_connect_options_init(). */
typedef struct ws_connect_options {
    size_t size; /**< set by ws_connect_options_init() */

    /* --- the transport --- */

    const ws_transport *transport; /**< required; not copied: must outlive the connection */
    void *transport_data;          /**< passed to the transport's functions */

    /* --- identity --- */

    const char *user_id; /**< the user's name; NULL for an anonymous client; copied */
    void *user_data;     /**< the application's pointer on the connection */

    /* --- messages --- */

    int32_t protocol;          /**< #WS_PROTOCOL_JSON, the default, or #WS_PROTOCOL_RAW */
    uint32_t ping_interval_ms; /**< sent to the client in its welcome; default 25000 */

    /* --- recovery: for a client that was connected before --- */

    /** The id of the last event that the client received, or any text that it sent as such an id.
     * NULL: the client does not recover. Copied.
     *
     * The client gets the events that it missed: those for everyone, for its user, and for the
     * rooms that it enters by `rooms` or in `on_connect`. Then it receives `recovered`, which says
     * whether any were lost.
     */
    const char *after;

    /** The connection_id of the client's earlier welcome; NULL: none; copied. Events that excluded
     * that connection are not delivered to this one. If both connections have the same `user_id`,
     * a message that the client sent on the earlier one and sends again is carried out once
     * (`max_kept_answers` of ws_manager_options). */
    const char *former_connection_id;

    /** Names of rooms that the client enters after `on_connect`, in several turns if there are
     * many. It does not enter those that `authorize_join` refuses. NULL: none; copied. */
    const char *const *rooms;

    size_t n_rooms; /**< how many names there are in `rooms` */

    /** 1: the client receives the last values of these rooms (last_values.h). */
    int32_t with_state;

    uint32_t last_events; /**< how many of each room's newest events it receives; 0: none */
} ws_connect_options;

/** Fills in the defaults for a struct of a given size: use ws_connect_options_init().
 *
 * @param[out] options  the struct
 * @param size          the size of the caller's struct, in bytes; no more is written
 *
 * @threads Any thread.
 */
WS_EXPORT void ws_connect_options_init_size(ws_connect_options *options, size_t size);

/** Fills in the defaults.
 *
 * @param[out] options  the struct
 *
 * @threads Any thread.
 */
static inline void ws_connect_options_init(ws_connect_options *options)
{
    ws_connect_options_init_size(options, sizeof *options);
}

/** Registers a connection of the application's own transport with a loop.
 *
 * WebSockets are registered by ws_websocket_new() and their handshake. The connection receives
 * its welcome, `on_connect` is called, and events are delivered from the loop's next
 * ws_loop_run() on: every event that is sent after this call, and none from before.
 *
 * @param manager          the manager
 * @param loop             a loop of this manager
 * @param options          copied, except the transport
 * @param[out] connection  the connection's id; set on success only
 *
 * @retval WS_OK                the connection is registered
 * @retval WS_ERR_INVALID       an option or a name is not acceptable
 * @retval WS_ERR_LIMIT         `max_connections` are registered
 * @retval WS_ERR_DRAINING      ws_manager_drain() was called
 * @retval WS_ERR_BACKPRESSURE  `max_pending` calls wait for the loop
 * @retval WS_ERR_NO_MEMORY     an allocation failed
 *
 * @threads Any thread.
 * @ownership The connection is the manager's until it ends. The transport and its data are the
 * application's, until `close` of ws_transport or ws_manager_transport_closed().
 */
WS_EXPORT int ws_manager_connect(ws_manager *manager, ws_loop *loop,
                                 const ws_connect_options *options, ws_conn_id *connection);

/** Ends a connection.
 *
 * It leaves its rooms, `on_disconnect` is called, and its transport closes after it has written the
 * queued messages.
 *
 * @param manager     the manager
 * @param connection  the connection's id
 * @param code        why: 1000 to 1003, 1007 to 1014 or 3000 to 4999 (enum ws_close_code, RFC
 *                    6455 §7.4)
 * @param reason      a text for the code, at most 123 bytes (RFC 6455 §5.5); NULL for none;
 *                    copied
 *
 * @retval WS_OK                the call is accepted
 * @retval WS_ERR_INVALID       the code or the reason is not acceptable
 * @retval WS_ERR_NOT_FOUND     there is no such connection
 * @retval WS_ERR_BACKPRESSURE  `max_pending` calls wait for the connection's loop
 * @retval WS_ERR_NO_MEMORY     an allocation failed
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_disconnect(ws_manager *manager, ws_conn_id connection, uint16_t code,
                                    const char *reason);

/** Gets the application's pointer on a connection.
 *
 * @param manager         the manager
 * @param connection      the connection's id
 * @param[out] user_data  the pointer; set on success only
 *
 * @retval WS_OK             the pointer is set
 * @retval WS_ERR_NOT_FOUND  there is no such connection
 * @retval WS_ERR_INVALID    a pointer is NULL
 *
 * @threads Any thread.
 * @ownership `*user_data` is the application's; the library never dereferences it.
 */
WS_EXPORT int ws_manager_get_user_data(ws_manager *manager, ws_conn_id connection,
                                       void **user_data);

/** Sets the application's pointer on a connection.
 *
 * @param manager     the manager
 * @param connection  the connection's id
 * @param user_data   the pointer, which callbacks get in ws_connection_info; may be NULL
 *
 * @retval WS_OK             the pointer is set
 * @retval WS_ERR_NOT_FOUND  there is no such connection
 * @retval WS_ERR_INVALID    `manager` is NULL
 *
 * @threads Any thread.
 * @ownership `user_data` is the application's; the library never dereferences it.
 */
WS_EXPORT int ws_manager_set_user_data(ws_manager *manager, ws_conn_id connection,
                                       void *user_data);

WS_END_DECLS

#endif
