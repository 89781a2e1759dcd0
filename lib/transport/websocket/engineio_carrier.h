/* engineio_carrier.h: a WebSocket as the carrier of an Engine.IO session (engineio/session.h): one
 * packet in each message. */
#ifndef WS_TRANSPORT_WEBSOCKET_ENGINEIO_CARRIER_H
#define WS_TRANSPORT_WEBSOCKET_ENGINEIO_CARRIER_H

#include "transport/shared/handshake.h"
#include "transport/shared/refusal.h"
#include "transport/websocket/websocket.h"

/* What a request for a WebSocket names. */
enum named_sid {
    SID_NONE,
    SID_UNKNOWN, /* not an id, or that of another loop or process */
    SID_OURS /* of this loop: if it has no session for an upgrade, that is over or under way */
};

/* Finds the polling session that a request names, to upgrade it (engineio/upgrade.h); NULL if no
 * such session can be upgraded here. *sid is then set to the reason. */
struct engineio_session *engineio_carrier_probed(const ws_websocket *websocket,
                                                 struct ws_handshake *handshake,
                                                 enum named_sid *sid);

/* Makes a WebSocket the probe of a session. WS_OK, or an error, for which *refusal is the
 * answer. */
int engineio_carrier_probe(ws_websocket *websocket, struct engineio_session *session,
                           struct refusal *refusal);

/* Makes the session of a WebSocket whose request is accepted. For Socket.IO it takes over the
 * request and waits for the client to connect a socket; otherwise it registers the client. WS_OK,
 * or an error, for which *refusal is the answer. */
int engineio_carrier_attach(ws_websocket *websocket, const struct ws_handshake *handshake,
                            struct request **request, struct refusal *refusal);

#endif
