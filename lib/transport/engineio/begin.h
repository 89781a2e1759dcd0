/* begin.h: how a session begins, once its request is accepted. */
#ifndef WS_TRANSPORT_ENGINEIO_BEGIN_H
#define WS_TRANSPORT_ENGINEIO_BEGIN_H

#include "transport/engineio/session.h"
#include "transport/shared/handshake.h"
#include "transport/shared/refusal.h"

/* Begins a session that was just made (NULL: memory ran out). For Socket.IO it takes over the
 * request and waits for the client to connect a socket; otherwise it registers the client. WS_OK,
 * or an error, for which *refusal is the answer. */
int engineio_begin(struct engineio_session *session, const struct ws_handshake *handshake,
                   struct request **request, struct refusal *refusal);

#endif
