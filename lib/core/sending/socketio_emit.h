/* socketio_emit.h: sends an event to one socket of Socket.IO, and waits for its acknowledgement. */
#ifndef WS_CORE_SENDING_SOCKETIO_EMIT_H
#define WS_CORE_SENDING_SOCKETIO_EMIT_H

#include "core/sending/waiting_ack.h"

/* The errors of ws_socketio_emit(). On WS_OK the inbox takes over the acknowledgement. */
int socketio_emit_waiting(ws_manager *manager, ws_conn_id connection,
                          const ws_socketio_message *message, struct waiting_ack *ack);

#endif
