/* admission.h: the library's callbacks that admit clients: to connect, to enter a room, to renew
 * a token.
 * The rules are access.h; messages and echoes are realtime.h. */
#ifndef BACKEND_ADMISSION_H
#define BACKEND_ADMISSION_H

#include <ws_manager/ws_manager.h>

/* The subprotocol that precedes a token in Sec-WebSocket-Protocol. */
extern const char admission_subprotocol[];

/* accept_handshake of /ws, and of /echo, whose clients are anonymous. Here and below, `access` is
 * a struct access. */
int admission_handshake(ws_handshake *handshake, void *access);
int admission_echo_handshake(ws_handshake *handshake, void *access);

/* The manager's authorize_join. */
int admission_join(ws_manager *manager, const ws_connection_info *connection, const char *room,
                   void *access);

/* The manager's authenticate, if tokens are required. */
int admission_authenticate(ws_manager *manager, const ws_connection_info *connection,
                           const char *token, void *access);

#endif
