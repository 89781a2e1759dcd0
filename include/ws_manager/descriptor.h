/** @file
 * Reading and writing WebSockets on sockets, for hosts that poll descriptors.
 *
 * @code
 * if (fds[i].revents != 0)
 *     ws_websocket_read_fd(clients[i], fds[i].fd);
 * due_ms = ws_loop_run(loop, now_ms());
 * if (ws_websocket_write_fd(clients[i], fds[i].fd) == WS_ERR_CLOSED) {
 *     ws_websocket_free(clients[i]);
 *     close(fds[i].fd);
 * }
 * @endcode
 *
 * The sockets may be blocking or non-blocking: the functions never wait. For TLS, or a loop that
 * reads and writes by itself, websocket.h has the calls without a descriptor.
 */
#ifndef WS_MANAGER_DESCRIPTOR_H
#define WS_MANAGER_DESCRIPTOR_H

#include <ws_manager/error.h>
#include <ws_manager/export.h>
#include <ws_manager/types.h>

WS_BEGIN_DECLS

/** Reads what a socket has received, and hands it to its WebSocket.
 *
 * It reads at most 64 KiB, and only while the WebSocket takes more: with a socket that is polled
 * level-triggered, call it again whenever there is something to read. The end of the client's
 * bytes, or an error of the socket, ends the connection.
 *
 * @param websocket  the connection
 * @param fd         its socket; stays the caller's
 *
 * @retval WS_OK           the available bytes are handed in, or there were none, or the client's
 *                         input is full (ws_websocket_wants_read())
 * @retval WS_ERR_CLOSED   the connection has ended and all was written: close the socket and call
 *                         ws_websocket_free()
 * @retval WS_ERR_INVALID  `fd` is negative
 *
 * @threads The loop's thread.
 */
WS_EXPORT int ws_websocket_read_fd(ws_websocket *websocket, int fd);

/** Writes a WebSocket's output to its socket, as much as the socket takes.
 *
 * It raises no SIGPIPE.
 *
 * @param websocket  the connection
 * @param fd         its socket; stays the caller's
 *
 * @retval WS_OK                all is written
 * @retval WS_ERR_BACKPRESSURE  the socket is full: call it again when the socket is writable;
 *                              ws_loop_next_output() does not return it before that
 * @retval WS_ERR_CLOSED        the connection has ended and all was written, or the socket has an
 *                              error: close it and call ws_websocket_free()
 * @retval WS_ERR_INVALID       `fd` is negative
 *
 * @threads The loop's thread.
 */
WS_EXPORT int ws_websocket_write_fd(ws_websocket *websocket, int fd);

WS_END_DECLS

#endif
