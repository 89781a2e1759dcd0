/** @file
 * The interface between the manager and a transport of the application's own.
 *
 * A host that uses WebSockets (websocket.h) does not need this header. A transport registers each
 * connection with ws_manager_connect().
 */
#ifndef WS_MANAGER_TRANSPORT_H
#define WS_MANAGER_TRANSPORT_H

#include <ws_manager/close_code.h>
#include <ws_manager/error.h>
#include <ws_manager/export.h>
#include <ws_manager/types.h>

WS_BEGIN_DECLS

/** The functions of a transport, which the manager calls.
 *
 * They run on the thread of the connection's loop, without a lock held, and may call every
 * function of this library except ws_loop_run(). `transport_data` is that of
 * ws_connect_options.
 */
typedef struct ws_transport {
    size_t size; /**< `sizeof(ws_transport)` */

    /** Queues a message for the client. Required.
     *
     * @param message         immutable; ws_message_ref() keeps it after the call
     * @param transport_data  that of ws_connect_options
     *
     * @retval WS_OK                the message is queued
     * @retval WS_ERR_BACKPRESSURE  the message is queued, and the queue is filling up: call
     *                              ws_manager_transport_writable() when it has room again
     * @retval WS_ERR_NO_MEMORY     the message is not queued; the connection ends with
     *                              #WS_CLOSE_TRY_AGAIN_LATER
     * @retval WS_ERR_DROPPED       the message is not queued. The connection ends with
     *                              #WS_CLOSE_TRY_AGAIN_LATER, because the client would miss an
     *                              event, unless `slow_policy` or `keep_slow_client` keeps it
     */
    int (*send)(ws_message *message, void *transport_data);

    /** Closes the client's connection, after what is queued for it. Required.
     *
     * The manager has released the connection and calls none of these functions again for it.
     *
     * @param code            why: enum ws_close_code
     * @param reason          a text for the code, not NUL-terminated
     * @param length          of `reason`, in bytes
     * @param transport_data  that of ws_connect_options
     */
    void (*close)(uint16_t code, const char *reason, size_t length, void *transport_data);

    /** Notifies that ws_manager_receive() takes messages again, after #WS_ERR_BACKPRESSURE.
     *
     * Called within ws_loop_run(); it may call ws_manager_receive(). If it is NULL, or absent
     * in a shorter struct, try again after each turn.
     *
     * @param transport_data  that of ws_connect_options
     */
    void (*resume)(void *transport_data);
} ws_transport;

/** The bytes of a message.
 *
 * @param message      the message
 * @param[out] length  of the bytes
 *
 * @return the bytes, not NUL-terminated
 *
 * @threads Any thread.
 * @ownership The bytes are the message's and valid while the caller holds a reference, or
 * during `send`.
 */
WS_EXPORT const void *ws_message_payload(const ws_message *message, size_t *length);

/** Whether a message is text.
 *
 * @param message  the message
 *
 * @return 1 for text (UTF-8), 0 for binary
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_message_is_text(const ws_message *message);

/** Takes a reference to a message.
 *
 * @param message  the message
 *
 * @return `message`
 *
 * @threads Any thread.
 * @ownership The caller owns the reference: ws_message_unref() gives it back, before the last
 * loop of the manager is freed.
 */
WS_EXPORT ws_message *ws_message_ref(ws_message *message);

/** Gives back a reference to a message. The message is freed with its last reference.
 *
 * @param message  the message; NULL does nothing
 *
 * @threads Any thread.
 */
WS_EXPORT void ws_message_unref(ws_message *message);

/** Hands in a whole message from a client.
 *
 * The message is carried out in one of the loop's next turns, in which clients are served in turn.
 * The input queue of a connection is limited to 256 messages or 16 KiB.
 *
 * @param manager     the manager
 * @param connection  the connection's id
 * @param data        the message; copied; may be NULL if `length` is 0
 * @param length      of `data`, in bytes
 * @param is_text     1 for text, which must have been checked to be UTF-8; 0 for binary
 *
 * @retval WS_OK                the message is taken
 * @retval WS_ERR_BACKPRESSURE  the message is not taken, because the input queue is full. Stop
 *                              reading from the client, keep the message, and hand it in again in
 *                              ws_transport::resume
 * @retval WS_ERR_NOT_FOUND     there is no such connection
 * @retval WS_ERR_CLOSED        the connection is ending
 * @retval WS_ERR_TOO_BIG       `length` is above 2^30
 * @retval WS_ERR_NO_MEMORY     an allocation failed; the connection is ended in the next turn
 * @retval WS_ERR_INVALID       the connection is that of a ws_websocket
 *
 * @threads The loop's thread.
 */
WS_EXPORT int ws_manager_receive(ws_manager *manager, ws_conn_id connection, const void *data,
                                 size_t length, int is_text);

/** Notifies the manager that the transport's queue has room again, after ws_transport::send
 * returned #WS_ERR_BACKPRESSURE.
 *
 * A client that is recovering receives more of the events that it missed, within this call or in
 * the loop's next turn.
 *
 * @param manager     the manager
 * @param connection  the connection's id
 *
 * @retval WS_OK             the manager is notified
 * @retval WS_ERR_NOT_FOUND  there is no such connection
 * @retval WS_ERR_INVALID    the connection is that of a ws_websocket, which needs no such call
 *
 * @threads The loop's thread.
 */
WS_EXPORT int ws_manager_transport_writable(ws_manager *manager, ws_conn_id connection);

/** Notifies the manager that the transport is gone.
 *
 * The connection leaves its rooms at once, `on_disconnect` is called, and the transport's
 * functions are not called again for it.
 *
 * @param manager     the manager
 * @param connection  the connection's id
 * @param code        why, for `on_disconnect`: enum ws_close_code
 * @param reason      a text for the code; NULL for none
 *
 * @retval WS_OK             the connection has ended
 * @retval WS_ERR_NOT_FOUND  there is no such connection
 * @retval WS_ERR_INVALID    the connection is that of a ws_websocket: call ws_websocket_free()
 *
 * @threads The loop's thread.
 */
WS_EXPORT int ws_manager_transport_closed(ws_manager *manager, ws_conn_id connection,
                                          uint16_t code, const char *reason);

WS_END_DECLS

#endif
