/* recovery.h: connection state recovery of Socket.IO: a client that reconnects gets its rooms back,
 * and the events that it missed.
 * Not here: the events (core/recovery/recovery.h), and the sessions that have ended (kept.h). */
#ifndef WS_TRANSPORT_ENGINEIO_RECOVERY_H
#define WS_TRANSPORT_ENGINEIO_RECOVERY_H

#include "transport/engineio/returning.h"
#include "transport/engineio/state.h"

/* Whether the endpoint's clients can recover their sessions. */
bool engineio_recovery_is_on(const struct engineio_session *session);

/* Finds the session that a client wants to recover; `auth` is the data of its CONNECT. NULL if it
 * names none, if its session is not known, or if memory ran out. */
struct returning *engineio_recovery_find(struct engineio_session *session,
                                         struct json_slice auth);

/* Asks a cluster's carrier for the session that a client wants to recover. True if `go_on` follows,
 * as in returning.h; false if there is nothing to be asked. `give_way` ends the session in favour
 * of others (unfinished.h). */
bool engineio_recovery_ask(struct engineio_session *session, struct json_slice auth,
                           void (*give_way)(void *session),
                           void (*go_on)(struct engineio_session *session,
                                         struct json_slice auth, struct returning *returning));

/* The options with which the client is registered. */
void engineio_recovery_set_options(const ws_loop *loop, const struct returning *returning,
                                   ws_connect_options *options);

/* The client was registered: its session is on this socket now, and its former connection is ended.
 * The session's work exists, and takes over `returning`. False if memory ran out. */
bool engineio_recovery_begun(struct engineio_socket *socket, struct returning *returning);

/* Sends the packet that connects a socket; `begin` as in pid.h, NULL: without a pid. */
void engineio_recovery_push_connected(struct engineio_socket *socket, const char *begin);

/* A socket in "/" is about to end, or its carrier is lost: keeps its session if `returns`. */
void engineio_recovery_socket_ends(struct engineio_socket *socket, bool returns);

/* Implements `rooms_changed` of builtin_transport. */
void engineio_recovery_rooms_changed(struct connection *connection);

/* Implements `recovery` of builtin_transport. */
void engineio_recovery_proceeds(struct connection *connection, enum recovery_event event);

/* The socket that was to recover its session has ended. */
void engineio_recovery_given_up(struct engineio_session *session);

#endif
