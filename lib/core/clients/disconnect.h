/* disconnect.h: ends connections, and frees their memory when nothing uses it. */
#ifndef WS_CORE_CLIENTS_DISCONNECT_H
#define WS_CORE_CLIENTS_DISCONNECT_H

#include "core/connections/connection.h"

/* Removes the connection from its groups and its loop, and calls on_disconnect; the transport
 * is not called. The memory is freed when nothing uses it. */
void connection_detach(struct connection *connection, uint16_t code, const char *reason);

/* connection_detach(), after which the transport is not called again. */
void connection_transport_gone(struct connection *connection, uint16_t code,
                               const char *reason);

/* connection_detach(), then asks the transport to close. */
void connection_end(struct connection *connection, uint16_t code, const char *reason);

/* Stops calling the transport of a connection that is in the middle of connection_end(). False
 * if no such connection has that id. */
bool connection_forget_transport(ws_loop *loop, ws_conn_id id);

/* Frees the connection if it has ended and no queued command names it. The manager's lock may
 * be held. */
void connection_free_if_unused(struct connection *connection);

/* Ends the doomed connections. */
void connections_settle(ws_loop *loop);

/* loop_busy() and loop_idle() enclose every use of connections on the loop's thread that may
 * call back: connections that end meanwhile are freed by the outermost loop_idle(). */
static inline void loop_busy(ws_loop *loop)
{
    loop_assert_thread(loop);
    if (loop->busy++ == 0)
        loop_set_inside(loop, thread_self());
}
void loop_idle(ws_loop *loop);

/* Call it at the end of each public function that may be called outside of ws_loop_run() and
 * does not tell the host to run the loop. If the call left work for the loop (a connection to
 * end, a recovery that can continue, a timer before the host's deadline), it makes the loop
 * run. The loop's thread. */
void loop_call_done(ws_loop *loop);

#endif
