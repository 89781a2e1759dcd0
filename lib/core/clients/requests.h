/* requests.h: executes what clients request, and answers them. */
#ifndef WS_CORE_CLIENTS_REQUESTS_H
#define WS_CORE_CLIENTS_REQUESTS_H

#include "core/connections/connection.h"

/* Processes one whole message of a client; text has been checked to be UTF-8. Returns the cost
 * (input.h). `data` is changed but not kept; it must stay valid during callbacks. The
 * connection may end, and its transport be freed, during the call. */
uint32_t client_handle(struct connection *connection, char *data, size_t length, bool is_text);

/* Execute COMMAND_CLIENT_JOIN and COMMAND_CLIENT_LEAVE: add the client to a room, or remove it,
 * and answer. `ref` is the request's, or NULL. */
void client_enter_room(struct connection *connection, struct share *share, const char *ref);
void client_leave_room(struct connection *connection, struct share *share, const char *ref);

/* Asks whether a client may still be in one of its rooms, given by its number, and removes it
 * if not. */
void client_reauthorize(struct connection *connection, uint32_t at);

/* Sends the welcome to a client whose connection has become live. */
void client_welcome(struct connection *connection, uint32_t ping_interval_ms);

/* Adds a client to a room that it named when it connected, if it may join. If not, it gets an
 * error whose ref is the room's name. */
void client_join(struct connection *connection, const char *room);

#endif
