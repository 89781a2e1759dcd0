/** @file
 * All headers of libwsmanager in one, except cjson.h (bridge to cJSON), cluster.h (interface for
 * carriers between processes), ws_manager.hpp (C++17) and adapters/ (event loops of other
 * libraries). redis.h and server.h belong to the libraries libwsmanager-redis and
 * libwsmanager-server.
 *
 * Read in this order:
 *
 * - types.h, error.h: rules of every function: NULL, results, texts, options, callbacks
 * - manager.h, callbacks.h: the manager, its options and callbacks
 * - loop.h, websocket.h, descriptor.h: the host's loop and its WebSockets; WebSockets on sockets
 * - handshake.h: who may connect, and who it is
 * - http.h, socketio.h: Server-Sent Events, for clients that have no WebSocket; clients of
 *   Socket.IO
 * - emit.h, event.h, send.h: sending events
 * - last_values.h: values and histories that rooms keep for clients that enter
 * - presence.h: who is in a room
 * - requests.h: requests from clients and to clients
 * - user_commands.h: commands for all connections of a user, on all processes
 * - connection.h, close_code.h: ending a connection; why connections close
 * - transport.h: a transport of the application's own
 *
 * @par Order
 * Every call that sends, joins, leaves or disconnects takes its place in one total order, for
 * all threads, and returns. The loops that it concerns carry it out in that order, at their
 * next ws_loop_run(). A call on a loop's own thread is carried out in the turn in progress, unless
 * that turn's budget is used up. So "join, then broadcast" reaches the joiner, and #WS_OK means
 * "accepted".
 *
 * @par fork()
 * What was made before fork() has another process id and epoch in the child, and an empty
 * history. So a client of the parent that reconnects to the child learns that it missed
 * something, and never receives the child's events in place of the parent's. fork() copies the
 * calling thread only (POSIX): if other threads were within this library, the child may only
 * call exec().
 *
 * - A manager, its event types and events may be used in both processes.
 * - Only one of the processes may run a loop and its connections: the parent, or the child if the
 *   parent exits as in daemon(). The other process frees them. Freeing them there writes nothing to
 *   a socket, and calls neither `on_disconnect` nor `close` of ws_transport, so the application
 *   frees its own data of these connections. As long as they are not freed there, messages that
 *   this process sends are queued for them, and `wake` is called.
 * - A carrier stays with the parent (redis.h, cluster.h).
 *
 * So a server that forks workers makes its manager and its sockets before it forks, and each worker
 * makes its own loops, endpoints and carrier. The library does not notice _Fork(), vfork() and
 * clone().
 */
#ifndef WS_MANAGER_WS_MANAGER_H
#define WS_MANAGER_WS_MANAGER_H

#include <ws_manager/callbacks.h>
#include <ws_manager/close_code.h>
#include <ws_manager/connection.h>
#include <ws_manager/descriptor.h>
#include <ws_manager/emit.h>
#include <ws_manager/error.h>
#include <ws_manager/event.h>
#include <ws_manager/handshake.h>
#include <ws_manager/http.h>
#include <ws_manager/last_values.h>
#include <ws_manager/loop.h>
#include <ws_manager/manager.h>
#include <ws_manager/presence.h>
#include <ws_manager/requests.h>
#include <ws_manager/send.h>
#include <ws_manager/socketio.h>
#include <ws_manager/transport.h>
#include <ws_manager/types.h>
#include <ws_manager/user_commands.h>
#include <ws_manager/version.h>
#include <ws_manager/websocket.h>

#endif
