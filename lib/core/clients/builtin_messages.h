/* builtin_messages.h: takes the messages of clients: carries out the built-in ones, such as
 * join_room, and answers them. Not here: what is for the application (application_messages.h). */
#ifndef WS_CORE_CLIENTS_BUILTIN_MESSAGES_H
#define WS_CORE_CLIENTS_BUILTIN_MESSAGES_H

#include "core/connections/connection.h"
#include "core/recovery/entry.h"
#include "protocol/json/client_message.h"

/* Processes one whole message of a client; text has been checked to be UTF-8. Returns the cost
 * (input.h). `data` is changed but not kept; it must stay valid during callbacks. The
 * connection may end, and its transport be freed, during the call. */
uint32_t client_handle(struct connection *connection, char *data, size_t length, bool is_text);

/* The three parts of client_handle(), for a protocol that parses its own messages; `ref` is what
 * answers repeat: */

/* Counts a message and applies the rate limit. False if it must not be processed. */
bool client_admit(struct connection *connection, size_t length, struct json_slice ref);

/* Executes a request. Returns the cost beyond that of a message. */
uint32_t client_execute(struct connection *connection, const struct client_message *message);

/* Answers with an error. */
void client_refuse(struct connection *connection, struct json_slice ref,
                   struct answer_problem problem);

/* A client's request to join, until it is carried out. */
struct client_join {
    struct room_wish wish;
    char ref[]; /* JSON text; "": none */
};

/* Execute COMMAND_CLIENT_JOIN and COMMAND_CLIENT_LEAVE: add the client to a room, or remove it,
 * and answer. `join` may be NULL. `ref` is the request's, or NULL. `is_watching`: it also receives
 * the presence. */
void client_enter_room(struct connection *connection, struct share *share,
                       const struct client_join *join, bool is_watching);
void client_leave_room(struct connection *connection, struct share *share, const char *ref);

/* Asks whether a client may still be in one of its rooms, given by its number, and removes it
 * if not. */
void client_reauthorize(struct connection *connection, uint32_t at);

/* Adds a client to a room that it named when it connected, if it may join. If not, it gets an
 * error whose ref is the room's name. */
void client_join(struct connection *connection, const char *room, const struct room_wish *wish);

#endif
