/* total_order.h: gives events their position in the total order and posts them to the loops. Not
 * here: what is for one connection only (send.h), and events that a carrier orders (publish.h).
 */
#ifndef WS_CORE_SENDING_TOTAL_ORDER_H
#define WS_CORE_SENDING_TOTAL_ORDER_H

#include "core/groups/registry.h"
#include "core/inbox.h"
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

/* Posts a finished presence event, as send_presence(), in a step that has begun. */
int send_posted(struct posting *posting, struct target target, ws_message *message);

#endif
