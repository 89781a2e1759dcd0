/* push.h: sends the packets of a session itself, which are not messages of the core. */
#ifndef WS_TRANSPORT_ENGINEIO_PUSH_H
#define WS_TRANSPORT_ENGINEIO_PUSH_H

#include "protocol/socketio/packet.h"
#include "transport/engineio/state.h"

/* The name of a socket's namespace, as for a packet. */
struct json_slice engineio_space_slice(const struct engineio_session *session, uint8_t space);

/* Sends a packet that was written to a buffer, and frees the buffer. If memory ran out, the
 * session ends. */
void engineio_session_push(struct engineio_session *session, struct buffer *packet);

#endif
