/* replies.h: sends a client the answers to what it sent. `ref` is the JSON text of the request's
 * ref, or {NULL}. */
#ifndef WS_CORE_CLIENTS_REPLIES_H
#define WS_CORE_CLIENTS_REPLIES_H

#include "core/connections/connection.h"
#include "protocol/json/client_message.h"

/* Sends the welcome to a client whose connection has become live. */
void client_welcome(struct connection *connection, uint32_t ping_interval_ms);

/* Answers with an event id; `type` is pong or authenticated. */
void reply_with_id(struct connection *connection, const char *type, struct json_slice ref);

/* Answers a join or leave at the point where the membership changes: every event up to the id
 * was delivered before, and a client that joined gets every event of the room after it. */
void reply_with_room(struct connection *connection, const char *type, struct json_slice ref,
                     const char *room);

/* As reply_with_room(), for a client that receives kept values and events next; `entry` may be
 * NULL. */
void reply_with_entry(struct connection *connection, const char *type, struct json_slice ref,
                      const char *room, const struct answer_entry *entry);

/* Answers with an error, in order with the other answers. */
void reply_with_problem(struct connection *connection, struct json_slice ref,
                        struct answer_problem problem);

/* Answers with a request's result, unless it is WS_OK. If a callback has ended the connection,
 * nothing is sent. */
void reply_with_result(struct connection *connection, struct json_slice ref, int result);

/* Answers with what the application says; `type` is ack, response or error, `data` JSON text. The
 * answer is delivered at once if its place in the order `is_due`, else posted. */
void reply_with_data(struct connection *connection, const char *type, struct json_slice ref,
                     const char *data, size_t length, bool is_due);

#endif
