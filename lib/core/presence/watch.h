/* watch.h: gives clients the list of those who are in a room, and the changes that follow. Not
 * here: whether they may have them (clients/presence.c). */
#ifndef WS_CORE_PRESENCE_WATCH_H
#define WS_CORE_PRESENCE_WATCH_H

#include "base/json_text.h"
#include "core/connections/connection.h"

/* Posts {"type":"presence"} to a client, as the answer to its request with that ref ({NULL}: none).
 * `room` is PRESENCE_SERVICE for the whole service. *cost is that of making the list.
 * Errors: WS_ERR_LIMIT, WS_ERR_NO_MEMORY. The loop's thread. */
int presence_answer(struct connection *connection, const char *room, struct json_slice ref,
                    uint32_t *cost);

/* Posts the command that makes a member of a room one of its watchers, together with the list: the
 * changes that the connection receives then are those after the list. Errors: WS_ERR_LIMIT,
 * WS_ERR_NO_MEMORY. The loop's thread. */
int presence_watch(struct connection *connection, const char *room);

/* Pins a room's watchers and makes the list, for a client that begins to watch at once, on its
 * loop's thread. Errors: WS_ERR_LIMIT, WS_ERR_NO_MEMORY. After WS_OK presence_end_beginning() must
 * follow, which frees both. */
int presence_begin_watching(struct connection *connection, const char *room,
                            struct share **watchers, ws_message **list);
void presence_end_beginning(const struct connection *connection, struct share *watchers,
                            ws_message *list);

/* A connection has left the room, or watches it no longer: its presence may end. The manager's
 * lock is held. */
void presence_unused(ws_manager *manager, const char *room);

/* Unpins a share. Watchers may have existed by this pin alone. The manager's lock is held. */
void presence_unpin(ws_manager *manager, struct share *share);

#endif
