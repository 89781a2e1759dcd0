/* application_messages.h: gives the application what clients send it: messages, and requests of
 * its methods. Not here: the other types, and unknown ones (builtin_messages.h). */
#ifndef WS_CORE_CLIENTS_APPLICATION_MESSAGES_H
#define WS_CORE_CLIENTS_APPLICATION_MESSAGES_H

#include "core/connections/connection.h"
#include "protocol/json/client_message.h"

/* Takes a client's response to a request (CLIENT_RESPONSE). Returns what the search cost. */
uint32_t client_respond(struct connection *connection, const struct client_message *message);

/* Carries out a message of type CLIENT_MESSAGE, CLIENT_OWN or CLIENT_REQUEST, and answers it
 * unless the application does so. */
void client_take(struct connection *connection, const struct client_message *message);

/* Gives the application a message of a client of WS_PROTOCOL_RAW. Returns the cost. */
uint32_t client_take_raw(struct connection *connection, const char *data, size_t length,
                         bool is_text);

#endif
