/* disconnect.h: the end of a connection, and the freeing of its memory when nothing uses it. */
#ifndef WS_CORE_CLIENTS_DISCONNECT_H
#define WS_CORE_CLIENTS_DISCONNECT_H

#include "core/connections/connection.h"

/* Takes the connection out of everything, and calls on_disconnect; the transport is not called.
 * Its memory goes when nothing uses it any more. */
void connection_detach(struct connection *connection, uint16_t code, const char *reason);

/* connection_detach(), and the transport is not to be called again. */
void connection_transport_gone(struct connection *connection, uint16_t code,
                               const char *reason);

/* connection_detach(), then the transport closes. */
void connection_end(struct connection *connection, uint16_t code, const char *reason);

/* For a connection whose end is under way: its transport is not to be called any more. False if
 * there is none of that id. */
bool connection_forget_transport(ws_loop *loop, ws_conn_id id);

/* Frees it if it is gone and no command names it. The manager's lock may be held. */
void connection_free_if_unused(struct connection *connection);

/* Ends what is doomed. */
void connections_settle(ws_loop *loop);

/* Both around every use of connections on the loop's thread that may call back: what ends meanwhile
 * is freed at the end of the outermost. */
static inline void loop_busy(ws_loop *loop)
{
    loop_assert_thread(loop);
    if (loop->busy++ == 0)
        loop_set_inside(loop, thread_self());
}
void loop_idle(ws_loop *loop);

/* To be called at the end of each public call that may be made outside of ws_loop_run(), and after
 * which the host is not told to run the loop: has it run if the call left something to it, a
 * connection to be ended, a recovery that can go on, or a timer of which the host's deadline does
 * not know. The loop's thread. */
void loop_call_done(ws_loop *loop);

#endif
