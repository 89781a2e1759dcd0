/** @file
 * HTTP requests to a server (server.h) that the application answers.
 *
 * @code
 * static void on_request(ws_server_request *request, void *user_data)
 * {
 *     ws_server_response response;
 *
 *     ws_server_response_init(&response);
 *     response.content_type = "text/plain";
 *     response.body = "hello\n";
 *     response.length = 6;
 *     ws_server_answer(request, &response);
 * }
 * @endcode
 *
 * HEAD is answered like GET, without the body. Connections take turns according to the cost of
 * their requests.
 */
#ifndef WS_MANAGER_SERVER_HTTP_H
#define WS_MANAGER_SERVER_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include <ws_manager/error.h>
#include <ws_manager/export.h>
#include <ws_manager/websocket.h>

WS_BEGIN_DECLS

/** The largest head of a request, in bytes. */
#define WS_SERVER_HEAD_MAX 16384

/** The largest body of a request, in bytes. */
#define WS_SERVER_BODY_MAX 1048576

/** The largest body of an answer that is not a file, in bytes. All answers of a thread that clients
 * have not read take at most 64 MiB: above it, connections are closed, beginning with the client
 * that has not read for the longest time. */
#define WS_SERVER_ANSWER_MAX 16777216

/** A request, during a callback. */
typedef struct ws_server_request ws_server_request;

/** A request that is answered later. */
typedef struct ws_server_ticket ws_server_ticket;

/** Decides whether a request is served.
 *
 * It is called when the head of a request is complete, before the body is received. It is not
 * called for requests for `health_path`, nor for those that open a WebSocket or a stream: the
 * endpoint's ws_accept_handshake_callback() decides about these.
 *
 * @param request    the request, valid during the call
 * @param user_data  that of ws_server_options
 *
 * @return #WS_OK to serve it, if ws_server_answer() was not called; anything else refuses it, with
 * the answer that ws_server_answer() gave, or with 403 if it gave none
 *
 * @threads The connection's thread. It must not block.
 */
typedef int ws_server_accept_request_callback(ws_server_request *request, void *user_data);

/** Notifies of a complete request, which the application answers by ws_server_answer() or
 * ws_server_defer(). If it calls neither, the server answers with 500.
 *
 * @param request    the request, valid during the call
 * @param user_data  that of ws_server_options
 *
 * @threads The connection's thread. It must not block: give long work to another thread, which
 * calls ws_server_answer_later().
 */
typedef void ws_server_request_callback(ws_server_request *request, void *user_data);

/** Decides whether a request is costly, which means that serving it may take more than some 300 µs.
 * Costly requests wait behind other requests.
 *
 * @param request    the request, valid during the call
 * @param user_data  that of ws_server_options
 *
 * @return 1 if it is costly; otherwise 0
 *
 * @threads The connection's thread.
 */
typedef int ws_server_classify_request_callback(const ws_server_request *request,
                                                void *user_data);

/** Frees the body of an answer. It has no `user_data`, so that free() can be one.
 *
 * @param body  the body
 *
 * @threads Any thread.
 */
typedef void ws_server_free_body_callback(void *body);

/** An answer, set up by ws_server_response_init(). */
typedef struct ws_server_response {
    size_t size;    /**< set by ws_server_response_init() */
    int32_t status; /**< default 200 */

    /** Default "application/json; charset=utf-8"; at most 127 bytes. */
    const char *content_type;

    /** Further headers, of at most 1279 bytes in all, except Content-Length, Transfer-Encoding and
     * Connection. The server adds Date, Content-Length, Connection, X-Content-Type-Options, and
     * "Cache-Control: no-store" unless there is one. */
    const ws_header *headers;
    size_t n_headers; /**< how many there are in `headers` */

    const void *body; /**< may be NULL if `length` is 0; not sent with status 204 or 304 */
    size_t length; /**< of the body, in bytes: at most #WS_SERVER_ANSWER_MAX; 0 with a file */

    /** NULL: the body is copied. Otherwise the server keeps the body, and frees it with this
     * function, also if it is not sent. */
    ws_server_free_body_callback *free_body;

    /** The descriptor of a file whose content is the body, from its beginning on; -1, the default:
     * none. The server closes it, even if the answer is not sent. */
    int32_t file;
    int64_t file_length; /**< how many bytes of the file are sent: any number */

    /** The cost of making the answer, in addition to its bytes: 1024 stand for some 20 µs. A
     * connection that has used its share of a turn waits behind other connections. */
    uint32_t cost;
} ws_server_response;

/** Fills in the defaults for a struct of a given size: use ws_server_response_init().
 *
 * @param[out] response  the struct
 * @param size           the size of the caller's struct, in bytes; no more is written
 *
 * @threads Any thread.
 */
WS_EXPORT void ws_server_response_init_size(ws_server_response *response, size_t size);

/** Fills in the defaults.
 *
 * @param[out] response  the struct
 *
 * @threads Any thread.
 */
static inline void ws_server_response_init(ws_server_response *response)
{
    ws_server_response_init_size(response, sizeof *response);
}

/** Answers a request. The request and its texts stay valid until the callback returns.
 *
 * After some errors the client receives an answer all the same: the list of results says which.
 *
 * @param request   the request
 * @param response  the answer
 *
 * @retval WS_OK             the answer will be sent
 * @retval WS_ERR_INVALID    the answer is not acceptable, and the client receives 500: the status
 *                           is not 200 to 599; there are a body and a file; or a header is too
 *                           long, contains a control character, or is one that the server sends
 *                           itself
 * @retval WS_ERR_TOO_BIG    the body has more than #WS_SERVER_ANSWER_MAX bytes; the client receives
 *                           500
 * @retval WS_ERR_ALREADY    the request was answered or deferred before
 * @retval WS_ERR_NO_MEMORY  an allocation failed; the client receives 503
 *
 * @threads The connection's thread, within the callback.
 */
WS_EXPORT int ws_server_answer(ws_server_request *request, const ws_server_response *response);

/** Defers the answer to a request. Until it is answered, nothing more is read from its client.
 *
 * A request whose client has disconnected still counts for the limit until it is answered.
 *
 * @param request      the request, during ws_server_request_callback()
 * @param[out] ticket  to be passed to ws_server_answer_later() once; set on success only
 *
 * @retval WS_OK             the request is deferred
 * @retval WS_ERR_ALREADY    the request was answered or deferred before
 * @retval WS_ERR_LIMIT      #WS_SERVER_HTTP_MAX requests of the thread wait for their answers
 * @retval WS_ERR_NO_MEMORY  an allocation failed
 *
 * @threads The connection's thread, within the callback.
 * @ownership The ticket is the application's until it is passed to ws_server_answer_later().
 */
WS_EXPORT int ws_server_defer(ws_server_request *request, ws_server_ticket **ticket);

/** Answers a deferred request. If the client is gone, nothing is sent.
 *
 * The ticket is freed whatever the result is.
 *
 * @param ticket    the ticket; also after the server has stopped
 * @param response  the answer; NULL: 503
 *
 * @return the results of ws_server_answer()
 *
 * @threads Any thread.
 */
WS_EXPORT int ws_server_answer_later(ws_server_ticket *ticket,
                                     const ws_server_response *response);

/** @name What the client asks for
 * @{
 */

/** The method.
 *
 * @param request  the request
 *
 * @return the method, such as "GET"
 *
 * @threads The connection's thread.
 * @ownership The text is the request's and valid during the callback.
 */
WS_EXPORT const char *ws_server_request_method(const ws_server_request *request);

/** The target as it was sent.
 *
 * @param request  the request
 *
 * @return the path and the query
 *
 * @threads The connection's thread.
 * @ownership The text is the request's and valid during the callback.
 */
WS_EXPORT const char *ws_server_request_target(const ws_server_request *request);

/** The path as it was sent, without the query.
 *
 * @param request  the request
 *
 * @return the path
 *
 * @threads The connection's thread.
 * @ownership The text is the request's and valid during the callback.
 */
WS_EXPORT const char *ws_server_request_path(const ws_server_request *request);

/** The query as it was sent, without the '?'.
 *
 * @param request  the request
 *
 * @return the query; "" if there is none
 *
 * @threads The connection's thread.
 * @ownership The text is the request's and valid during the callback.
 */
WS_EXPORT const char *ws_server_request_query(const ws_server_request *request);

/** The value of the first header of a name.
 *
 * @param request  the request
 * @param name     the name, in upper or lower case
 *
 * @return the value; NULL if there is none
 *
 * @threads The connection's thread.
 * @ownership The text is the request's and valid during the callback.
 */
WS_EXPORT const char *ws_server_request_header(const ws_server_request *request,
                                               const char *name);

/** A header by its number.
 *
 * @param request      the request
 * @param index        from 0 on
 * @param[out] header  its name and value; set on success only
 *
 * @retval WS_OK             the header is set
 * @retval WS_ERR_NOT_FOUND  the request has fewer headers
 *
 * @threads The connection's thread.
 */
WS_EXPORT int ws_server_request_header_at(const ws_server_request *request, size_t index,
                                          ws_header *header);

/** Whether a body follows the head of a request, in ws_server_accept_request_callback().
 *
 * @param request  the request
 *
 * @return 1 if one will be received, otherwise 0
 *
 * @threads The connection's thread.
 */
WS_EXPORT int ws_server_request_awaits_body(const ws_server_request *request);

/** The body.
 *
 * @param request      the request
 * @param[out] length  of the body in bytes; 0 if there is none; may be NULL
 *
 * @return the bytes; not NULL
 *
 * @threads The connection's thread.
 * @ownership The bytes are the request's and valid during the callback.
 */
WS_EXPORT const char *ws_server_request_body(const ws_server_request *request, size_t *length);

/** The scheme by which the client reaches the server.
 *
 * @param request  the request
 *
 * @return "http" or "https"; NULL if it is unknown, because a proxy may have ended the TLS
 *
 * @threads The connection's thread.
 * @ownership The text is static.
 */
WS_EXPORT const char *ws_server_request_scheme(const ws_server_request *request);

/** Whether the request arrived at `admin_listen`.
 *
 * @param request  the request
 *
 * @return 1 if it did, otherwise 0
 *
 * @threads The connection's thread.
 */
WS_EXPORT int ws_server_request_is_admin(const ws_server_request *request);

/** The address of the client, as trusted proxies name it.
 *
 * @param request    the request
 * @param[out] text  the address, NUL-terminated
 * @param size       room in `text`; INET6_ADDRSTRLEN (46) bytes are enough for all
 *
 * @threads The connection's thread.
 */
WS_EXPORT void ws_server_request_address(const ws_server_request *request, char *text,
                                         size_t size);

/** @} */

WS_END_DECLS

#endif
