/* client.h: what clients say, carried out, and what they are answered. */
#ifndef WS_CORE_CLIENT_H
#define WS_CORE_CLIENT_H

#include "core/connection.h"

/* A whole message came in. It takes its place in the loop's inbox, so that it is carried out after
 * what the same client said before, and its answer stands in order with the events. WS_ERR_CLOSED
 * when the connection is ending; WS_ERR_NO_MEMORY: it is sent away in the next turn. */
int client_receive(struct connection *connection, const void *data, size_t length,
                   bool is_text);

/* Carries out what the client said: COMMAND_RECEIVE. */
void client_handle(struct connection *connection, const struct detail *said);

/* Takes a client out of the rooms that it may not be in any more: COMMAND_REAUTHORIZE. */
void client_reauthorize(struct connection *connection);

/* Greets a client whose connection has become live. */
void client_welcome(struct connection *connection, uint32_t ping_interval_ms);

/* Puts a client that comes back into a room that it named when it connected, if it may be there;
 * else it is answered with an error, whose ref is the room's name. */
void client_join(struct connection *connection, const char *room);

#endif
