/** @file
 * The client whose request an endpoint of a server (server.h) is asked to accept: its address,
 * and a pointer of the application that lives as long as the client's WebSocket or stream.
 */
#ifndef WS_MANAGER_SERVER_CLIENT_H
#define WS_MANAGER_SERVER_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include <ws_manager/export.h>
#include <ws_manager/handshake.h>
#include <ws_manager/server_http.h>

WS_BEGIN_DECLS

/** The socket of a client that opens a WebSocket or a stream of events. */
typedef struct ws_server_client ws_server_client;

/** The client whose request an endpoint of this server is asked to accept.
 *
 * @param handshake  the request
 *
 * @return the client; NULL for a client of Socket.IO that polls, because it has no socket of its
 * own
 *
 * @threads The client's thread, during ws_accept_handshake_callback() or
 * ws_allow_origin_callback().
 * @ownership The client is the server's. It is valid until the callback returns, or, if
 * ws_server_client_set_data() was called for it, until `free_data` is called.
 */
WS_EXPORT ws_server_client *ws_server_client_of(ws_handshake *handshake);

/** The request with which a client opens its WebSocket or stream.
 *
 * @param client  the client
 *
 * @return the request; NULL when it is no longer known, as for a socket of Socket.IO
 *
 * @threads The client's thread.
 * @ownership It is the server's and valid during the callback.
 */
WS_EXPORT const ws_server_request *ws_server_client_request(const ws_server_client *client);

/** The address of a client, as trusted proxies name it.
 *
 * @param client     the client
 * @param[out] text  the address, such as "192.0.2.1" or "2001:db8::1", NUL-terminated
 * @param size       room in `text`; INET6_ADDRSTRLEN (46) bytes are enough for all
 *
 * @threads The client's thread.
 */
WS_EXPORT void ws_server_client_address(const ws_server_client *client, char *text,
                                        size_t size);

/** The scheme by which a client reaches the server.
 *
 * @param client  the client
 *
 * @return "http" or "https"; NULL if it is unknown, because a proxy may have ended the TLS
 *
 * @threads The client's thread.
 * @ownership The text is static.
 */
WS_EXPORT const char *ws_server_client_scheme(const ws_server_client *client);

/** Checks the page that a client belongs to, as `origins` of ws_server_options says, for
 * ws_accept_handshake_callback() and ws_allow_origin_callback().
 *
 * @param handshake  the request
 *
 * @retval WS_OK             the page may connect, or the client is not a page
 * @retval WS_ERR_FORBIDDEN  it may not; the answer is 403, as ws_handshake_refuse() sets it
 * @retval WS_ERR_INVALID    `handshake` is NULL
 *
 * @threads The client's thread.
 */
WS_EXPORT int ws_server_check_page(ws_handshake *handshake);

/** Sets a pointer of the application, which `free_data` frees when the client's WebSocket or
 * stream has ended, or is not opened after all.
 *
 * @param client  the client
 * @param data    the pointer; the former one is not freed
 *
 * @threads The client's thread.
 */
WS_EXPORT void ws_server_client_set_data(ws_server_client *client, void *data);

/** The pointer that ws_server_client_set_data() set.
 *
 * @param client  the client
 *
 * @return the pointer; NULL if there is none
 *
 * @threads The client's thread.
 * @ownership It is the application's.
 */
WS_EXPORT void *ws_server_client_data(const ws_server_client *client);

/** Ends the client's WebSocket (ws_websocket_close()) or its stream (ws_http_close()) at once.
 *
 * @param client  a client for which ws_server_client_set_data() was called
 * @param code    why: 1000 to 1003, 1007 to 1014 or 3000 to 4999 (enum ws_close_code, RFC 6455
 *                §7.4)
 * @param reason  a text for the code, at most 123 bytes (RFC 6455 §5.5); NULL for none; copied
 *
 * @retval WS_OK           the WebSocket or stream is closing
 * @retval WS_ERR_INVALID  the code or the reason is not acceptable
 * @retval WS_ERR_CLOSED   the client has neither a WebSocket nor a stream, or it is closing already
 *
 * @threads The client's thread.
 */
WS_EXPORT int ws_server_client_close(ws_server_client *client, uint16_t code,
                                     const char *reason);

WS_END_DECLS

#endif
