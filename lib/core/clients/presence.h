/* presence.h: executes what clients request about presence. Not here: the lists and states
 * themselves (core/presence/). */
#ifndef WS_CORE_CLIENTS_PRESENCE_H
#define WS_CORE_CLIENTS_PRESENCE_H

#include "core/connections/connection.h"
#include "protocol/json/client_message.h"

/* Asks the application whether a client may know who is in a room (NULL or PRESENCE_SERVICE:
 * connected at all): WS_OK or WS_ERR_FORBIDDEN. */
int client_may_see(struct connection *connection, const char *room);

/* Delivers the members of a room to a client that has entered it, and from now on the changes,
 * of which the first may be older than the list. Whether it may have them was decided before. */
void client_begin_watching(struct connection *connection, const char *room);

/* Executes COMMAND_WATCH: delivers the list, and from now on the changes. */
void client_watch(struct connection *connection, struct share *watchers, ws_message *list);

/* Returns the cost beside that of the callback. */
uint32_t client_ask_presence(struct connection *connection,
                             const struct client_message *message);

void client_set_state(struct connection *connection, const struct client_message *message);

/* Adds a client to the observers of the whole service, or removes it. */
void client_watch_service(struct connection *connection, const struct client_message *message);
void client_unwatch_service(struct connection *connection,
                            const struct client_message *message);

#endif
