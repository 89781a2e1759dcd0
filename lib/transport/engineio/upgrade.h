/* upgrade.h: the upgrade of a session from polling to WebSocket. The client opens a WebSocket that
 * names the session, sends "2probe" on it, gets "3probe", and sends "5": then the WebSocket
 * carries the session. Until then polling does; if the probe fails, it goes on.
 *
 * The WebSocket has a session of its own meanwhile, the probe. */
#ifndef WS_TRANSPORT_ENGINEIO_UPGRADE_H
#define WS_TRANSPORT_ENGINEIO_UPGRADE_H

#include "transport/engineio/session.h"

/* Finds the session that the id in a request for a WebSocket names, if it can be probed: it is one
 * of this loop and endpoint, and no probe of it is under way. NULL: there is none. *is_ours tells
 * whether the id is one of this loop, whose session may have ended or be upgraded by now. */
struct engineio_session *engineio_upgrade_find(const ws_loop *loop, const ws_endpoint *endpoint,
                                               const char *sid, bool *is_ours);

/* Makes a session that was just made the probe of another one; false if memory ran out. */
bool engineio_probe_begin(struct engineio_session *probe, struct engineio_session *session);

/* Processes a message of the client on the probe. Returns the cost. The probe may be gone after it:
 * its carrier has the other session then. */
uint32_t engineio_probe_received(struct engineio_session *probe, const char *data,
                                 size_t length, bool is_text, struct engineio_verdict *verdict);

/* The carrier that the session leaves has nothing more to process. If the client has asked for it,
 * the session moves to the probe's carrier, and the former one ends. */
void engineio_upgrade_go_on(struct engineio_session *probe);

#endif
