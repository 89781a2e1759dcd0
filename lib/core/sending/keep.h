/* keep.h: decides what an event changes among the values that rooms keep, and marks their text.
 * Not here: the values (events/last_values.h). */
#ifndef WS_CORE_SENDING_KEEP_H
#define WS_CORE_SENDING_KEEP_H

#include "core/manager.h"

/* Prepares what an encoded event without its id, for a group of this name, changes. A kept text has a mark, "state" or
 * "replayed": it is made once, here, for all clients that will receive it. False if memory ran
 * out. The caller does not hold the lock, and frees the plan with kept_plan_free(). */
bool keep_prepare(ws_manager *manager, enum group_kind kind, const char *name,
                  ws_message *message, struct kept_plan *plan);

/* Gives the reserved plan's messages their ids and carries it out. The lock is held. */
void keep_commit(ws_manager *manager, struct kept_plan *plan, uint64_t position);

#endif
