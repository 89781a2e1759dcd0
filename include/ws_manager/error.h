/** @file
 * The results of functions, and their texts.
 */
#ifndef WS_MANAGER_ERROR_H
#define WS_MANAGER_ERROR_H

#include <ws_manager/export.h>

WS_BEGIN_DECLS

/** The results of functions that can fail: #WS_OK or one of the negative values. #WS_DEFERRED is
 * returned only by callbacks.
 *
 * A value is never renumbered; new ones are appended. Each function's description lists the
 * causes of its errors.
 */
enum ws_error {
    WS_DEFERRED = 1,          /**< a callback answers later (requests.h) */
    WS_OK = 0,                /**< success */
    WS_ERR_INVALID = -1,      /**< an argument, option or name is not acceptable */
    WS_ERR_NO_MEMORY = -2,    /**< an allocation failed */
    WS_ERR_SYSTEM = -3,       /**< the system refused a lock, thread, address, randomness */
    WS_ERR_BAD_JSON = -4,     /**< not one JSON value (RFC 8259), or nested too deeply */
    WS_ERR_UNKNOWN_TYPE = -5, /**< the event type is not registered */
    WS_ERR_TOO_BIG = -6,      /**< larger than a limit allows */
    WS_ERR_NOT_FOUND = -7,    /**< it does not exist: a connection that has ended, a header */
    WS_ERR_ALREADY = -8,      /**< done before: joined, sent, registered */
    WS_ERR_NOT_MEMBER = -9,   /**< the connection is not in that room */
    WS_ERR_FORBIDDEN = -10,   /**< a callback of the application refused */
    WS_ERR_TOO_MANY_ROOMS = -11, /**< a limit of rooms is reached */
    WS_ERR_LIMIT = -12,          /**< a limit is reached, such as max_connections */
    WS_ERR_BACKPRESSURE = -13,   /**< a queue is full: try again later */
    WS_ERR_DROPPED = -14,        /**< the message was not taken and never will be */
    WS_ERR_DRAINING = -15,       /**< the manager accepts no new connections */
    WS_ERR_CLOSED = -16,  /**< it has ended: a connection, a carrier that is being freed */
    WS_ERR_FORKED = -17,  /**< made before fork(); it belongs to the parent */
    WS_ERR_TIMEOUT = -18, /**< no answer came in time */
    WS_ERR_FAILED = -19,  /**< a client answered with an error; a file cannot be loaded */
    WS_ERR_MISUSE = -20   /**< in builds with checks: this thread must not call it now */
};

/** A short English text for a result, without a full stop.
 *
 * @param error  a value of enum ws_error
 *
 * @return the text; "unknown error" for any other number
 *
 * @threads Any thread.
 * @ownership The text is static.
 */
WS_EXPORT const char *ws_strerror(int error);

WS_END_DECLS

#endif
