/* send.h: gives messages their place in the total order and posts them to the loops. */
#ifndef WS_CORE_SENDING_SEND_H
#define WS_CORE_SENDING_SEND_H

#include "core/connections/connection.h"
#include "core/groups/registry.h"
#include "core/manager.h"

/* The recipients of an event. */
struct target {
    enum group_kind kind;
    const char *name; /* of the user or room; NULL for everyone */
};

/* Gives an encoded event the next position, finishes it, stores it in the history with its
 * time, and posts it to every loop that has, or may get, members of the target. The caller
 * keeps its reference. On an error no recipient gets the event, and no position is used up. */
int send_event(ws_manager *manager, struct target target, ws_message *message, int64_t time_ms);

/* Finishes an encoded presence event and posts it to every loop that has, or may get, members
 * of the target. It gets no position and is not stored in the history. The caller keeps its
 * reference. */
int send_presence(ws_manager *manager, struct target target, ws_message *message);

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

/* Posts an answer to a client. The text is completed with the id of the newest event at that
 * moment and `after_id`, unless that is NULL. The answer goes through the inbox, so it is
 * ordered with the events. */
int send_answer(struct connection *connection, const char *text, size_t length,
                const char *after_id);

#endif
