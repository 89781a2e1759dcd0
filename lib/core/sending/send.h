/* send.h: giving messages their place in the order and posting them to the loops. */
#ifndef WS_CORE_SENDING_SEND_H
#define WS_CORE_SENDING_SEND_H

#include "core/connections/connection.h"
#include "core/groups/registry.h"
#include "core/manager.h"

/* Whom an event goes to. */
struct target {
    enum group_kind kind;
    const char *name; /* of the user or room; NULL for everyone */
};

/* Gives an encoded event the next position, finishes it, keeps it in the history with its time, and
 * posts it to every loop that has, or may get, members of the target. The caller keeps its
 * reference. On an error nobody gets it, and no position is used up. */
int send_event(ws_manager *manager, struct target target, ws_message *message, int64_t time_ms);

/* The same for a presence event, which has no position and is not kept. */
int send_presence(ws_manager *manager, struct target target, ws_message *message);

/* Posts a finished message to one connection. The caller's reference is used up, always. */
int send_message(ws_manager *manager, ws_conn_id id, ws_message *message);

/* Posts a command about one connection, found by its id: command->connection is filled in. If
 * `room` is not NULL, the share of that room is pinned for it. What the command owns is the inbox's
 * on WS_OK, else still the caller's. `limited`: whether max_pending applies. */
int send_command(ws_manager *manager, ws_conn_id id, const char *room, struct command *command,
                 bool limited);

/* The same about a connection of the caller's, the loop's thread, without a limit; WS_ERR_CLOSED if it
 * has ended. */
int send_own_command(struct connection *connection, const char *room, struct command *command);

/* Posts an answer to a client, which ends with the id of the newest event at that moment and
 * `after_id`, unless that is NULL: by its place in the inbox it stands in order with the events. */
int send_answer(struct connection *connection, const char *text, size_t length,
                const char *after_id);

#endif
