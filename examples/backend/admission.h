/* admission.h: the library's questions about clients: may it connect, enter a room, stay longer?
 * The rules are access.h; messages and echoes are realtime.h. */
#ifndef BACKEND_ADMISSION_H
#define BACKEND_ADMISSION_H

#include <ws_manager/ws_manager.h>

/* The subprotocol that goes before a token. */
extern const char admission_subprotocol[];

/* The accept_handshake of /ws and of /echo, whose clients are anonymous. `access` is a struct access,
 * here and below. */
int admission_handshake(ws_handshake *handshake, void *access);
int admission_echo_handshake(ws_handshake *handshake, void *access);

/* The manager's authorize_join. */
int admission_join(ws_manager *manager, const ws_connection_info *connection, const char *room,
                   void *access);

/* The manager's authenticate, when tokens are needed. */
int admission_authenticate(ws_manager *manager, const ws_connection_info *connection,
                           const char *token, void *access);

#endif
