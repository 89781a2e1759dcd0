/* transport.h: what the manager asks of a transport, for those who write one. A host that uses
 * the WebSocket adapter needs nothing of this. */
#ifndef WS_MANAGER_TRANSPORT_H
#define WS_MANAGER_TRANSPORT_H

#include <ws_manager/close_code.h>
#include <ws_manager/error.h>
#include <ws_manager/export.h>
#include <ws_manager/types.h>

WS_BEGIN_DECLS

/* All are called on the thread of the connection's loop, without a lock held, and may call
 * every function of this library but ws_loop_run(). `transport_data` is that of
 * ws_connect_options. */
typedef struct ws_transport {
    size_t size;

    /* Queue a message for the client. The message is immutable; keep it with ws_message_ref().
     * Return WS_OK; WS_ERR_BACKPRESSURE when it was taken but the queue fills up, and call
     * ws_manager_transport_writable() when it has room again;
     * WS_ERR_DROPPED when it was not taken: the manager then ends the connection with 1013,
     * since a client that misses one event can't be brought up to date by later ones. */
    int (*send)(ws_message *message, void *transport_data);

    /* The manager has let go of the connection and won't call again: close it with this code
     * and reason (`length` bytes, not NUL-terminated), after what was queued. */
    void (*close)(uint16_t code, const char *reason, size_t length, void *transport_data);

    /* ws_manager_receive() returned WS_ERR_BACKPRESSURE for this connection and takes messages
     * again: what waited was carried out. Called within ws_loop_run(); the transport may call
     * ws_manager_receive() there. May be NULL, or absent in a shorter struct; then try again after
     * each turn. */
    void (*resume)(void *transport_data);
} ws_transport;

/* The bytes of a message; *length is set. Valid while the caller holds a reference, or during
 * send(). Any thread. */
WS_EXPORT const void *ws_message_payload(const ws_message *message, size_t *length);

/* 1 for text (UTF-8), 0 for binary. Any thread. */
WS_EXPORT int ws_message_is_text(const ws_message *message);

/* Takes one more reference (returns its argument), or gives one back; every reference must be given
 * back before the last loop of its manager is freed. Any thread. */
WS_EXPORT ws_message *ws_message_ref(ws_message *message);
WS_EXPORT void ws_message_unref(ws_message *message);

/* A whole message came in from the client; text must have been checked to be UTF-8. It is copied,
 * and carried out in one of the loop's next turns, in which the clients take turns: for
 * WS_PROTOCOL_JSON it is answered, joined, or handed to accept_message; for WS_PROTOCOL_RAW to on_raw.
 *
 * What waits for a connection is bounded: WS_ERR_BACKPRESSURE means that the message was not taken
 * because 256 messages or 16 KiB wait already. Stop reading from the client, keep the message, and
 * hand it in again when `resume` of ws_transport is called.
 * Errors: WS_ERR_BACKPRESSURE, WS_ERR_NOT_FOUND, WS_ERR_CLOSED (the connection is ending),
 * WS_ERR_INVALID (also for a ws_websocket's connection), WS_ERR_TOO_BIG (1 GiB), WS_ERR_NO_MEMORY
 * (the connection is ended in the next turn). The loop's thread. */
WS_EXPORT int ws_manager_receive(ws_manager *manager, ws_conn_id connection, const void *data,
                                 size_t length, int is_text);

/* The transport's queue has room again, after its send() returned WS_ERR_BACKPRESSURE: a client
 * that came back gets more of what it missed, within this call or the loop's next turn. Errors:
 * WS_ERR_NOT_FOUND, WS_ERR_INVALID (a ws_websocket's connection, which needs no such call). The
 * loop's thread. */
WS_EXPORT int ws_manager_transport_writable(ws_manager *manager, ws_conn_id connection);

/* The transport is gone: the connection leaves its rooms at once, on_disconnect is called with
 * `code` and `reason` (NULL: none), and the transport's functions are not called again.
 * Errors: WS_ERR_NOT_FOUND, WS_ERR_INVALID (a ws_websocket's connection: free that instead). The
 * loop's thread. */
WS_EXPORT int ws_manager_transport_closed(ws_manager *manager, ws_conn_id connection,
                                          uint16_t code, const char *reason);

WS_END_DECLS

#endif
