/** @file
 * Requests and their answers: from clients to the application, and from the application to its
 * clients.
 *
 * A client's message with a `ref`, and each of its requests, is answered once: by the callback that
 * takes it (ws_client_message_callback), or later with ws_manager_answer() or
 * ws_manager_answer_error().
 *
 * @code
 * static int answer_price(ws_manager *manager, const ws_connection_info *connection,
 *                         const ws_client_message *request, void *user_data)
 * {
 *     return ws_manager_answer(manager, request->answer, "{\"price\":7}", 11);
 * }
 *
 * ws_manager_register_method(manager, "price", answer_price, NULL);
 * @endcode
 */
#ifndef WS_MANAGER_REQUESTS_H
#define WS_MANAGER_REQUESTS_H

#include <ws_manager/callbacks.h>
#include <ws_manager/error.h>
#include <ws_manager/export.h>
#include <ws_manager/types.h>

WS_BEGIN_DECLS

/** How many methods, and separately how many message types, can be registered with a manager. */
#define WS_METHODS_MAX 1024

/** Registers a method that clients may request: {"type":"request","method":"NAME"}.
 *
 * A request for any other method is answered with the error `unknown_method`. A method cannot be
 * removed. It may be registered at any time: requests that arrive later use it.
 *
 * @param manager    the manager
 * @param method     its name; copied
 * @param handler    called for each request; a callback of callbacks.h
 * @param user_data  passed to `handler`; NULL if it needs none
 *
 * @retval WS_OK             it is registered
 * @retval WS_ERR_INVALID    `method` is not a valid name (ws_name_is_valid())
 * @retval WS_ERR_ALREADY    there is such a method
 * @retval WS_ERR_LIMIT      #WS_METHODS_MAX are registered
 * @retval WS_ERR_NO_MEMORY  an allocation failed
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_register_method(ws_manager *manager, const char *method,
                                         ws_client_message_callback *handler, void *user_data);

/** Registers a type of messages that clients may send beside `message`: {"type":"NAME"}.
 *
 * Its members are those of `message`: `room`, `data` and `ref`. Such a message goes to
 * `accept_message`, after `check` has found it acceptable. Any other type is answered with the
 * error `unknown_type`. A type cannot be removed.
 *
 * @param manager    the manager
 * @param type       its name; copied. The types of the protocol are not free
 * @param check      called before `accept_message`; anything but #WS_OK is the answer, as if
 *                   `accept_message` had returned it. It may neither answer nor defer. NULL: no
 *                   check
 * @param user_data  passed to `check`; NULL if it needs none
 *
 * @retval WS_OK             it is registered
 * @retval WS_ERR_INVALID    `type` is not a valid name (ws_name_is_valid())
 * @retval WS_ERR_ALREADY    there is such a type
 * @retval WS_ERR_LIMIT      #WS_METHODS_MAX are registered
 * @retval WS_ERR_NO_MEMORY  an allocation failed
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_register_message_type(ws_manager *manager, const char *type,
                                               ws_client_message_callback *check,
                                               void *user_data);

/** Answers a client's message (`ack`) or request (`response`).
 *
 * The answer is sent in order with the events. Only the first answer is sent, and only within the
 * time limit: later ones are ignored. To answer after the callback, return #WS_DEFERRED from it;
 * another thread may answer even before the callback has returned.
 *
 * @param manager  the manager
 * @param answer   the `answer` of the ws_client_message; if its `connection` is 0 the call has no
 *                 effect and succeeds
 * @param json     the result: one JSON value (RFC 8259); NULL for null; copied
 * @param length   of `json`, in bytes
 *
 * @retval WS_OK                the call is accepted. The connection may have ended, if the answer
 *                              is kept for a client that reconnects (`max_kept_answers`)
 * @retval WS_ERR_BAD_JSON      `json` is not one JSON value
 * @retval WS_ERR_TOO_BIG       `json` is longer than `max_event_bytes`
 * @retval WS_ERR_NOT_FOUND     the connection has ended and the answer is not kept; or, within a
 *                              callback on the connection's loop, the message was answered before
 *                              or its time limit is over
 * @retval WS_ERR_BACKPRESSURE  `max_pending` calls wait for the connection's loop
 * @retval WS_ERR_NO_MEMORY     an allocation failed
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_answer(ws_manager *manager, ws_answer answer, const char *json,
                                size_t length);

/** Answers a client's message or request with an error.
 *
 * @param manager  the manager
 * @param answer   the `answer` of the ws_client_message; if its `connection` is 0 the call has no
 *                 effect and succeeds
 * @param code     the error code, for programs: a name (ws_name_is_valid()), such as
 *                 `out_of_stock`
 * @param message  English text for a person; NULL for none
 *
 * @retval WS_ERR_INVALID  `code` is not a valid name, or `message` is not UTF-8
 * @return the other results of ws_manager_answer()
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_answer_error(ws_manager *manager, ws_answer answer, const char *code,
                                      const char *message);

/** A client's response to a request, or the reason why there is none. Valid during the callback. */
typedef struct ws_response {
    size_t size; /**< of the library's struct, which may be larger than the caller's */

    /** #WS_OK; #WS_ERR_FAILED: the client answered with an error; #WS_ERR_TIMEOUT: it did not
     * answer in time; #WS_ERR_CLOSED: its connection ended first; #WS_ERR_LIMIT: the request
     * was sent, but too many requests wait, so that its response is ignored; #WS_ERR_NO_MEMORY:
     * an allocation failed; #WS_ERR_DROPPED: the client's queue was full. */
    int32_t result;

    /** The result as JSON, NUL-terminated, if `result` is #WS_OK; else NULL. */
    const char *data;
    size_t length; /**< of `data`, in bytes */

    /** If `result` is #WS_ERR_FAILED, the `code` of the client's error; otherwise NULL. */
    const char *error_code;

    /** If `result` is #WS_ERR_FAILED, the `message` of the client's error; otherwise NULL. */
    const char *error_message;
} ws_response;

/** Notifies of a client's response, or of the reason why there is none.
 *
 * It is called exactly once for each #WS_OK of ws_manager_request().
 *
 * @param manager     the manager
 * @param connection  the id that was given to ws_manager_request(); the connection may have ended
 * @param response    the response
 * @param user_data   that of the ws_request
 *
 * @threads The thread of the connection's loop, without a lock held. callbacks.h says which
 * functions a callback may call.
 */
typedef void ws_response_callback(ws_manager *manager, ws_conn_id connection,
                                  const ws_response *response, void *user_data);

/** A request to a client, which the application sends: set up by ws_request_init() with the
 * defaults named here. For requests from clients see ws_client_message. */
typedef struct ws_request {
    size_t size;         /**< set by ws_request_init() */
    const char *method;  /**< a name (ws_name_is_valid()) */
    const char *data;    /**< one JSON value (RFC 8259); default NULL: null */
    size_t length;       /**< of `data`, in bytes */
    uint32_t timeout_ms; /**< at least 1, at most a day; default 30000 */

    ws_response_callback *on_response; /**< receives the response */
    void *user_data;                   /**< passed to `on_response` */
} ws_request;

/** Fills in the defaults for a struct of a given size: use ws_request_init().
 *
 * @param[out] request  the struct
 * @param size          the size of the caller's struct, in bytes; no more is written
 *
 * @threads Any thread.
 */
WS_EXPORT void ws_request_init_size(ws_request *request, size_t size);

/** Fills in the defaults.
 *
 * @param[out] request  the struct
 *
 * @threads Any thread.
 */
static inline void ws_request_init(ws_request *request)
{
    ws_request_init_size(request, sizeof *request);
}

/** Sends a client a request: {"type":"request","ref":"…","method":"…","data":…}.
 *
 * The client answers with {"type":"response","ref":"…","data":…}, or with `error`, an object with
 * `code` and `message`, in place of `data`. The client of an event stream posts its answer. The
 * request is sent in order with the events.
 *
 * A socket of Socket.IO receives the event "request" with the method and the data, and answers with
 * the first argument of its acknowledgement. How many requests may wait for a client is then
 * limited by `max_waiting_acks` of the endpoint.
 *
 * @code{.js}
 * socket.on("request", (method, data, respond) => respond({ total: 3 }));
 * @endcode
 *
 * @param manager     the manager
 * @param connection  the connection's id
 * @param request     copied
 *
 * @retval WS_OK                the call is accepted; `on_response` will be called once
 * @retval WS_ERR_INVALID       the method is not a valid name, the time limit is not acceptable, or
 *                              `on_response` is NULL
 * @retval WS_ERR_BAD_JSON      `data` is not one JSON value
 * @retval WS_ERR_TOO_BIG       `data` is longer than `max_event_bytes`
 * @retval WS_ERR_NOT_FOUND     there is no such connection
 * @retval WS_ERR_FORBIDDEN     the connection has #WS_PROTOCOL_RAW or #WS_PROTOCOL_ENGINEIO
 * @retval WS_ERR_BACKPRESSURE  `max_pending` calls wait for the connection's loop
 * @retval WS_ERR_NO_MEMORY     an allocation failed
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_manager_request(ws_manager *manager, ws_conn_id connection,
                                 const ws_request *request);

WS_END_DECLS

#endif
