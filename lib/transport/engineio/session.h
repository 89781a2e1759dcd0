/* session.h: a session of Engine.IO and its sockets of Socket.IO, from the client's first packet
 * to the last, by WebSocket or by polling.
 * Not here: its memory (state.h), the bytes (its carrier: websocket/engineio_carrier.h,
 * polling/carrier.h), the heartbeat (the carrier's), and what a client's requests do
 * (core/clients/builtin_messages.c).
 *
 * The session belongs to its carrier. Each socket is a connection of the core, which may live
 * longer than the session. All functions are for the loop's thread. */
#ifndef WS_TRANSPORT_ENGINEIO_SESSION_H
#define WS_TRANSPORT_ENGINEIO_SESSION_H

#include "protocol/socketio/packet.h"
#include "transport/engineio/sid.h"
#include "transport/engineio/state.h"

/* Makes a session. NULL if memory ran out. */
struct engineio_session *engineio_session_new(ws_loop *loop, const ws_endpoint *endpoint,
                                              const struct engineio_carrier *carrier_class,
                                              void *carrier);

/* Begins to wait for the client's CONNECT; the session takes over the request, which handshakes
 * look at. WS_ERR_LIMIT if the heads of others leave no room for it, and WS_ERR_NO_MEMORY: then the
 * request is still the caller's. */
int engineio_session_await_connect(struct engineio_session *session, struct request *request);

/* Sends the packet that opens the session, with its id; NULL: one by which it is not found. */
void engineio_session_open(struct engineio_session *session, const struct sid_key *key,
                           bool can_upgrade);

/* Frees a session without sockets. NULL does nothing. */
void engineio_session_free(struct engineio_session *session);

/* How the carrier goes on after a message of the client. */
struct engineio_verdict {
    uint16_t code;    /* 0: it goes on; else it ends with this code */
    const char *text; /* why */
};

/* Processes one whole message of the client; text has been checked to be UTF-8. Returns the cost,
 * for input_charge(). The data is changed but not kept. Sockets may end, and their memory be
 * freed, during the call. */
uint32_t engineio_session_received(struct engineio_session *session, char *data, size_t length,
                                   bool is_text, struct engineio_verdict *verdict);

/* Whether further messages must wait: for a command in the inbox (connection_awaits_command(),
 * or the end of a socket that its client may connect again), until no socket has so many pending
 * values (`times` as in connection_has_values()), or for a session that moves to the carrier
 * (upgrade.h). */
bool engineio_session_must_wait(const struct engineio_session *session, size_t times);

/* Whether the client has to read what rooms keep for it before its further packets are
 * processed. */
bool engineio_session_awaits_client(const struct engineio_session *session);

/* Within serve(), when its client's packets must wait: lists the entry again, or holds it
 * (input_wait()). `times` is that of engineio_session_must_wait(). */
void engineio_session_wait(const struct engineio_session *session, size_t times,
                           struct input *input);

/* Posts the ends of the session's sockets, after the answers to the client's earlier messages. When
 * the core has executed them, the carrier is closed; at once if there are none. */
void engineio_session_finish(struct engineio_session *session, uint16_t code,
                             const char *reason, size_t length);

/* Ends the sockets now, and then closes the carrier. */
void engineio_session_end(struct engineio_session *session, uint16_t code, const char *reason);

/* The carrier is lost: the core no longer calls the sockets. */
void engineio_session_gone(struct engineio_session *session);

/* The queue has exceeded its high mark, or is below its low mark: notifies the application. The
 * session may lose its sockets during the call. */
void engineio_session_filled(struct engineio_session *session);
void engineio_session_writable(struct engineio_session *session);

/* The id of the socket in the default namespace; 0 if there is none. */
ws_conn_id engineio_session_id(const struct engineio_session *session);

/* --- for the parts of the session (connect.c, client_packets.c) ------------------------------ */

/* A packet without its attachments, or a question for a former session, gives way to what others
 * have not completed: ends the session. */
void engineio_session_give_way(void *owner);

/* Bounds the memory of what all clients of the loop have not completed: ends a session, maybe this
 * one. */
void engineio_session_limit_unfinished(const struct engineio_session *session,
                                       struct engineio_verdict *verdict);

/* Makes a socket in a namespace, which is not in the session's list; NULL if memory ran out. */
struct engineio_socket *engineio_socket_new(struct engineio_session *session, uint8_t space);

/* Adds a socket that the core has registered. */
void engineio_session_add(struct engineio_session *session, struct engineio_socket *socket);

/* Processes a client's CONNECT. Returns the cost. */
uint32_t engineio_connect(struct engineio_session *session,
                          const struct socketio_packet *packet,
                          struct engineio_verdict *verdict);

/* --- the interface to the core --------------------------------------------------------------- */

extern const struct builtin_transport engineio_transport;

/* Handles the timers of kind TIMER_ENGINEIO. */
void engineio_timer_expired(struct timer *timer);

#endif
