/* registration.h: registers the client of an accepted request with the manager. */
#ifndef WS_TRANSPORT_SHARED_REGISTRATION_H
#define WS_TRANSPORT_SHARED_REGISTRATION_H

#include "core/transport/transport_side.h"
#include "transport/shared/handshake.h"
#include "transport/shared/refusal.h"

/* Registers a connection as the handshake's callback and query say. WS_OK, or an error, for
 * which *refusal is the answer. */
int registration_make(struct connection *connection, const ws_endpoint *endpoint,
                      const struct ws_handshake *handshake, struct refusal *refusal);

/* Why a client is not registered: a text to the error of registration_make() or
 * transport_connect(). */
const char *registration_failure(int result);

#endif
