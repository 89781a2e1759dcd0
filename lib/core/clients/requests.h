/* requests.h: what clients say, carried out, and what they are answered. */
#ifndef WS_CORE_CLIENTS_REQUESTS_H
#define WS_CORE_CLIENTS_REQUESTS_H

#include "core/connections/connection.h"

/* Carries out a whole message of a client: text has been checked to be UTF-8. Returns what that
 * cost (input.h). `data` is not kept; the connection may end, and its transport be freed, there. */
uint32_t client_handle(struct connection *connection, const char *data, size_t length,
                       bool is_text);

/* COMMAND_CLIENT_JOIN and COMMAND_CLIENT_LEAVE: puts the client into a room, or takes it out, and
 * answers; `ref` is its request's, or NULL. */
void client_enter_room(struct connection *connection, struct share *share, const char *ref);
void client_leave_room(struct connection *connection, struct share *share, const char *ref);

/* Takes a client out of one of its rooms, by its number, if it may not be in that any more. */
void client_reauthorize(struct connection *connection, uint32_t at);

/* Greets a client whose connection has become live. */
void client_welcome(struct connection *connection, uint32_t ping_interval_ms);

/* Puts a client that comes back into a room that it named when it connected, if it may be there;
 * else it is answered with an error, whose ref is the room's name. */
void client_join(struct connection *connection, const char *room);

#endif
