/* remember.h: what a cluster's carrier remembers of sessions while they are connected, so that
 * their clients can recover them on any process, even if this one is killed.
 * Not here: asking for it (recovery.h).
 *
 * A session is written when it begins and when its rooms have changed, once for all changes of
 * a turn, and again before its time is over. One of a kilobyte or more is written again only after
 * a pause that grows with its size, except for some writes that a client waits for. */
#ifndef WS_TRANSPORT_ENGINEIO_REMEMBER_H
#define WS_TRANSPORT_ENGINEIO_REMEMBER_H

#include "transport/engineio/pid.h"
#include "transport/engineio/state.h"

/* Whether a carrier remembers the sessions of the endpoint's clients. */
bool engineio_remembers(const struct engineio_session *session);

/* The key of a socket's session, and how often it was recovered. False if it has none. */
bool engineio_session_key(const struct engineio_socket *socket, uint8_t key[PID_KEY],
                          uint64_t *rank);

/* The session of the socket in "/" has changed: it is written soon. */
void engineio_remember(struct engineio_socket *socket);

/* Writes the session of the socket in "/" now, as it will be with its plan (plan.h). False if that
 * is not possible: the carrier does not take it, or too many large ones were written before. */
bool engineio_remember_now(struct engineio_socket *socket);

/* The socket of a session with this key ends, and its client may return: what has changed is
 * written now. If the endpoint's clients have left too many sessions here, the oldest is forgotten;
 * those that a drain ends do not count. */
void engineio_remember_end(struct engineio_socket *socket, const uint8_t key[PID_KEY],
                           uint64_t rank);

/* The session can no longer be recovered. */
void engineio_forget(struct engineio_socket *socket);

#endif
