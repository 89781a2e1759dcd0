/* relay.h: --relay: clients' messages to rooms. */
#ifndef BACKEND_RELAY_H
#define BACKEND_RELAY_H

#include <ws_manager/ws_manager.h>

/* Sends a member's message to all members of its room, including the sender. It is answered when
 * its event is stored. */
int relay_message(ws_manager *manager, const ws_connection_info *connection,
                  const ws_client_message *message, void *user_data);

#endif
