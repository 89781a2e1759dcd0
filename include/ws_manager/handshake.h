/** @file
 * The request of a client that wants to connect, and the application's answer.
 *
 * An endpoint (websocket.h) has a callback that decides about each request:
 *
 * @code
 * static int accept_handshake(ws_handshake *handshake, void *user_data)
 * {
 *     const char *page = ws_handshake_header(handshake, "Origin"); // NULL: not a browser
 *     const char *user = find_user(ws_handshake_header(handshake, "Cookie"));
 *
 *     if (page != NULL && strcmp(page, "https://example.com") != 0)
 *         return WS_ERR_FORBIDDEN;
 *     if (user != NULL)
 *         return ws_handshake_set_user_id(handshake, user);
 *     ws_handshake_refuse(handshake, 401, "log in first");
 *     return WS_ERR_FORBIDDEN;
 * }
 * @endcode
 *
 * Browsers send cookies even with a WebSocket that another site's page opens, so an endpoint that
 * knows its users by cookies must look at Origin (RFC 6455 §10.2). ws_server_check_page()
 * (server_client.h) does that on libwsmanager-server.
 *
 * The callback is called for a WebSocket, for a request of http.h and for each socket of a
 * client of Socket.IO (socketio.h).
 */
#ifndef WS_MANAGER_HANDSHAKE_H
#define WS_MANAGER_HANDSHAKE_H

#include <ws_manager/error.h>
#include <ws_manager/export.h>
#include <ws_manager/types.h>

WS_BEGIN_DECLS

/** A client's request, during ws_accept_handshake_callback(). */
typedef struct ws_handshake ws_handshake;

/** Decides whether a client may connect, and who it is.
 *
 * It reads the request with ws_handshake_path(), ws_handshake_header() and the other functions
 * named `ws_handshake_`, and names the user with ws_handshake_set_user_id().
 *
 * @param handshake  the request, valid during the call
 * @param user_data  that of ws_endpoint_options
 *
 * @return #WS_OK to accept it. Anything else refuses it, with the answer that ws_handshake_refuse()
 * set; if it set none, with 503 for #WS_ERR_NO_MEMORY and 403 for any other error
 *
 * @threads The loop's thread.
 */
typedef int ws_accept_handshake_callback(ws_handshake *handshake, void *user_data);

/** Decides whether a page of another origin may use the endpoint by HTTP (http.h), with the
 * user's cookies and tokens: the CORS protocol. WebSockets have no such protocol: there
 * ws_accept_handshake_callback() sees the header Origin.
 *
 * @param handshake  the request, valid during the call; its header Origin names the page's
 *                   origin
 * @param user_data  that of ws_endpoint_options
 *
 * @return #WS_OK to let the page's script read the response; anything else to refuse it
 *
 * @threads The loop's thread.
 */
typedef int ws_allow_origin_callback(ws_handshake *handshake, void *user_data);

/** @name What the client asks for
 * @{
 */

/** The path of the request, as it was sent, without the query.
 *
 * @param handshake  the request
 *
 * @return the path
 *
 * @threads The loop's thread.
 * @ownership The text is the handshake's and valid during the callback.
 */
WS_EXPORT const char *ws_handshake_path(const ws_handshake *handshake);

/** The query of the request, as it was sent, without the '?'.
 *
 * @param handshake  the request
 *
 * @return the query; "" if there is none
 *
 * @threads The loop's thread.
 * @ownership The text is the handshake's and valid during the callback.
 */
WS_EXPORT const char *ws_handshake_query(const ws_handshake *handshake);

/** A parameter of the query, percent-decoded.
 *
 * @param handshake    the request
 * @param name         the parameter's name
 * @param[out] value   its value, NUL-terminated, which may hold any byte; set on success only
 * @param[out] length  of the value in bytes, without the NUL; may be NULL
 *
 * @retval WS_OK             the value is set
 * @retval WS_ERR_NOT_FOUND  there is no such parameter
 * @retval WS_ERR_INVALID    it is wrongly encoded
 * @retval WS_ERR_NO_MEMORY  an allocation failed
 *
 * @threads The loop's thread.
 * @ownership The value is the handshake's and valid during the callback.
 */
WS_EXPORT int ws_handshake_query_parameter(ws_handshake *handshake, const char *name,
                                           const char **value, size_t *length);

/** The value of a header of the request.
 *
 * @param handshake  the request
 * @param name       the header's name, in upper or lower case
 *
 * @return the value; if several headers have this name, their values joined with ", "; NULL if
 * there is none, or if an allocation failed, which refuses the handshake
 *
 * @threads The loop's thread.
 * @ownership The text is the handshake's and valid during the callback.
 */
WS_EXPORT const char *ws_handshake_header(ws_handshake *handshake, const char *name);

/** The host's pointer on the WebSocket or the HTTP request.
 *
 * @param handshake  the request
 *
 * @return that of ws_websocket_new() or ws_http_new()
 *
 * @threads The loop's thread.
 * @ownership What it points to is the host's; the library never dereferences it.
 */
WS_EXPORT void *ws_handshake_host_data(const ws_handshake *handshake);

/** The method of the request.
 *
 * @param handshake  the request
 *
 * @return "GET" for a WebSocket or a stream of events; "HEAD" for the head of a stream alone;
 * "POST" for a message from the client of a stream; "OPTIONS" only in
 * ws_allow_origin_callback()
 *
 * @threads The loop's thread.
 * @ownership The text is the handshake's and valid during the callback.
 */
WS_EXPORT const char *ws_handshake_method(const ws_handshake *handshake);

/** The WebSocket of the request; ws_websocket_user_data() is the host's pointer on it.
 *
 * @param handshake  the request
 *
 * @return the WebSocket; NULL if it is a ws_http's request
 *
 * @threads The loop's thread.
 * @ownership The WebSocket is the host's, as before.
 */
WS_EXPORT ws_websocket *ws_handshake_websocket(const ws_handshake *handshake);

/** The client's `auth` of Socket.IO, as JSON: what it passed to `io()`.
 *
 * @param handshake  the request
 *
 * @return a JSON object, valid and NUL-terminated; "{}" if the client gave none; NULL if it is
 * not a client of Socket.IO
 *
 * @threads The loop's thread.
 * @ownership The text is the handshake's and valid during the callback.
 */
WS_EXPORT const char *ws_handshake_auth(const ws_handshake *handshake);

/** The namespace of Socket.IO to which the client connects.
 *
 * A client may connect to several namespaces, with its own `auth` for each. The other functions
 * return the request of its WebSocket. That request is kept until the first socket is connected or,
 * if the endpoint has `namespaces`, for `connect_timeout_ms`. In a later handshake the path and the
 * query are "" and no header is found.
 *
 * @param handshake  the request
 *
 * @return "/" or one of `namespaces`; NULL if it is not a client of Socket.IO
 *
 * @threads The loop's thread.
 * @ownership The text is the endpoint's and valid during the callback.
 */
WS_EXPORT const char *ws_handshake_namespace(const ws_handshake *handshake);

/** @} */

/** @name The answer
 * @{
 */

/** Names the user. A client without one is anonymous.
 *
 * @param handshake  the request
 * @param user_id    the user's name; copied
 *
 * @retval WS_OK           the user is named
 * @retval WS_ERR_INVALID  `user_id` is not a valid name (ws_name_is_valid())
 *
 * @threads The loop's thread.
 */
WS_EXPORT int ws_handshake_set_user_id(ws_handshake *handshake, const char *user_id);

/** Sets the application's pointer on the connection, which callbacks get in ws_connection_info.
 *
 * @param handshake  the request
 * @param user_data  the pointer; may be NULL
 *
 * @threads The loop's thread.
 */
WS_EXPORT void ws_handshake_set_user_data(ws_handshake *handshake, void *user_data);

/** Chooses another subprotocol than the endpoint did.
 *
 * It has no effect on a request of http.h. Nor has it with #WS_PROTOCOL_SOCKETIO, because the
 * WebSocket was accepted, with the endpoint's choice, before the client asked for a socket.
 *
 * @param handshake    the request
 * @param subprotocol  one that the client offered; NULL for none; copied
 *
 * @retval WS_OK             the subprotocol is chosen
 * @retval WS_ERR_INVALID    the client did not offer it
 * @retval WS_ERR_NO_MEMORY  an allocation failed
 *
 * @threads The loop's thread.
 */
WS_EXPORT int ws_handshake_set_subprotocol(ws_handshake *handshake, const char *subprotocol);

/** Declines the client's offer of permessage-deflate, so that neither side compresses, or of gzip
 * for a stream of events (http.h).
 *
 * It is for clients that violate the agreed parameters. Safari 15.0 to 15.3 keep their compression
 * context between messages although client_no_context_takeover (RFC 7692 §7.1.1.2) was agreed
 * on: their second message cannot be inflated and ends the connection with
 * #WS_CLOSE_INVALID_DATA.
 *
 * It has no effect if the client offered nothing, or if `deflate` of the endpoint is 0. Nor has it
 * with #WS_PROTOCOL_SOCKETIO, because the WebSocket was accepted before the client asked for a
 * socket. The host can give such clients an endpoint without `deflate`.
 *
 * @param handshake  the request
 *
 * @threads The loop's thread.
 */
WS_EXPORT void ws_handshake_decline_deflate(ws_handshake *handshake);

/** Says how the request is refused, before ws_accept_handshake_callback() returns an error.
 *
 * A script in a browser cannot see an HTTP status. So for 401 and 403 the WebSocket of a browser (a
 * request with Origin) is accepted, and closed at once with #WS_CLOSE_UNAUTHORIZED or
 * #WS_CLOSE_FORBIDDEN. The text is the reason of that close; if it has more than 123 bytes, the
 * close has no reason.
 *
 * Every refused handshake is logged with its text and path, but not its query:
 * ws_log_callback().
 *
 * @param handshake  the request
 * @param status     the HTTP status, 400 to 599
 * @param text       plain text for the body; NULL for the status' name; copied
 *
 * @retval WS_OK             the answer is set
 * @retval WS_ERR_INVALID    the status or the text is not acceptable
 * @retval WS_ERR_NO_MEMORY  an allocation failed
 *
 * @threads The loop's thread.
 */
WS_EXPORT int ws_handshake_refuse(ws_handshake *handshake, int status, const char *text);

/** @} */

WS_END_DECLS

#endif
