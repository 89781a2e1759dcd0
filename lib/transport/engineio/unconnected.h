/* unconnected.h: the sessions of a loop whose client has no socket, or no longer has one. They are
 * not connections of the core, which has no limit for them, and may keep the head of their request.
 * Not here: how long they may be so (session.c). */
#ifndef WS_TRANSPORT_ENGINEIO_UNCONNECTED_H
#define WS_TRANSPORT_ENGINEIO_UNCONNECTED_H

#include "transport/engineio/state.h"

/* Between its polls a session costs its client nothing. A WebSocket costs it a socket, but a crowd
 * that returns in one moment has as many open as the round trips to it take. */
enum { UNCONNECTED_POLLING_MAX = 4096, UNCONNECTED_WEBSOCKET_MAX = 8192 };

/* Lists a session, which has its work, as the newest with its carrier, unless it is listed. If
 * there are too many, the oldest one of the class of clients that has most gives way: one
 * client cannot keep out the others, nor end their sessions. engineio_session_unlist() removes
 * it. */
void unconnected_add(struct engineio_session *session);

#endif
