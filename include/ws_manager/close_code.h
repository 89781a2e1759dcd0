/** @file
 * The codes with which a WebSocket closes.
 *
 * A code is a `uint16_t` in every function and callback, because a peer may send one that is
 * not listed here: 3000 to 4999 belong to libraries and applications (RFC 6455 §7.4.2).
 */
#ifndef WS_MANAGER_CLOSE_CODE_H
#define WS_MANAGER_CLOSE_CODE_H

/** Why a connection ended: the codes of RFC 6455 §7.4.1 and of IANA's registry, and two of this
 * library. */
enum ws_close_code {
    WS_CLOSE_NORMAL = 1000,     /**< the purpose of the connection is fulfilled */
    WS_CLOSE_GOING_AWAY = 1001, /**< a server stops, or a browser leaves the page */

    /** The peer violated RFC 6455. */
    WS_CLOSE_PROTOCOL_ERROR = 1002,

    WS_CLOSE_UNSUPPORTED_DATA = 1003, /**< a type of data that the receiver cannot accept */

    /** The close frame has no code. Never sent: ws_disconnect_callback() receives it. */
    WS_CLOSE_NO_STATUS = 1005,

    /** The connection broke without a close frame. Never sent: ws_disconnect_callback()
     * receives it. */
    WS_CLOSE_ABNORMAL = 1006,

    WS_CLOSE_INVALID_DATA = 1007, /**< text that is not UTF-8, or corrupt compressed data */

    /** The peer sends too many messages or frames. A client of Socket.IO has connected no socket
     * within `connect_timeout_ms`, or has tried to connect sockets too often. */
    WS_CLOSE_POLICY_VIOLATION = 1008,

    WS_CLOSE_MESSAGE_TOO_BIG = 1009, /**< a message is larger than a limit */

    /** The server did not agree to an extension that the client needs. Only clients send it. */
    WS_CLOSE_MANDATORY_EXTENSION = 1010,

    /** A transport has no memory to process what the client has sent, or to write a packet of its
     * protocol. */
    WS_CLOSE_INTERNAL_ERROR = 1011,

    WS_CLOSE_SERVICE_RESTART = 1012, /**< the server restarts: reconnect */

    /** The client reads too slowly and its queue is full, a limit of the server is reached, or the
     * manager has no memory for the connection or its messages: reconnect. */
    WS_CLOSE_TRY_AGAIN_LATER = 1013,

    WS_CLOSE_BAD_GATEWAY = 1014, /**< a gateway got an invalid answer from its server */

    /** The handshake was refused with status 401: ws_handshake_refuse(). */
    WS_CLOSE_UNAUTHORIZED = 4401,

    /** The handshake was refused with status 403: ws_handshake_refuse(). */
    WS_CLOSE_FORBIDDEN = 4403
};

#endif
