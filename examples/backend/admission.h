/* admission.h: the library's callbacks that admit clients: to connect, to enter a room, to renew
 * a token.
 * The rules are access.h; messages and echoes are realtime.h. */
#ifndef BACKEND_ADMISSION_H
#define BACKEND_ADMISSION_H

#include <ws_manager/ws_manager.h>

/* The subprotocol that precedes a token in Sec-WebSocket-Protocol. */
extern const char admission_subprotocol[];

/* accept_handshake of /ws and /events, of /socket.io/, and of /echo, whose clients are anonymous.
 * Here and below, `access` is a struct access. */
int admission_handshake(ws_handshake *handshake, void *access);
int admission_socketio_handshake(ws_handshake *handshake, void *access);
int admission_echo_handshake(ws_handshake *handshake, void *access);

/* allow_origin of the endpoints, for pages of other origins that use /events or /socket.io/. */
int admission_allow_origin(ws_handshake *handshake, void *access);

/* The manager's on_connect and on_disconnect, if tokens are required: clients of Socket.IO that
 * poll get a session, and lose it. */
void admission_connected(ws_manager *manager, const ws_connection_info *connection,
                         void *access);
void admission_disconnected(ws_manager *manager, const ws_connection_info *connection,
                            uint16_t code, const char *reason, void *access);

/* The manager's authorize_join. */
int admission_join(ws_manager *manager, const ws_connection_info *connection, const char *room,
                   void *access);

/* The manager's authorize_presence: who may enter a room may know who is there. */
int admission_presence(ws_manager *manager, const ws_connection_info *connection,
                       const char *room, void *access);

/* The manager's authenticate, if tokens are required. */
int admission_authenticate(ws_manager *manager, const ws_connection_info *connection,
                           const char *token, void *access);

#endif
