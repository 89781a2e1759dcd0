/* send.h: posts messages and commands for one connection. Not here: events (total_order.h). */
#ifndef WS_CORE_SENDING_SEND_H
#define WS_CORE_SENDING_SEND_H

#include "core/connections/connection.h"
#include "core/manager.h"

/* Posts a finished message to one connection. The caller's reference is used up, also on an
 * error. */
int send_message(ws_manager *manager, ws_conn_id id, ws_message *message);

/* Posts a command about one connection, found by its id; fills in command->connection. If
 * `room` is not NULL, the share of that room is pinned for the command. On WS_OK the inbox
 * takes over what the command owns; on an error the caller keeps it. `limited`: max_pending
 * applies. */
int send_command(ws_manager *manager, ws_conn_id id, const char *room, struct command *command,
                 bool limited);

/* Posts a command about a connection of this loop, without a limit, from the loop's thread.
 * `room` and ownership as in send_command(). WS_ERR_CLOSED if the connection has ended. */
int send_own_command(struct connection *connection, const char *room, struct command *command);

/* As send_own_command(), unless anything was reauthorized since manager->n_reauthorized was
 * `n_reauthorized`: then *is_stale, and nothing is posted. What is posted comes before each later
 * reauthorization. */
int send_own_command_if(struct connection *connection, const char *room,
                        struct command *command, uint64_t n_reauthorized, bool *is_stale);

/* Posts an answer to a client. The text is completed with the id of the newest event at that
 * moment and `after_id`, unless that is NULL. The answer goes through the inbox, so it is
 * ordered with the events. */
int send_answer(struct connection *connection, const char *text, size_t length,
                const char *after_id);

#endif
