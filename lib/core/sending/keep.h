/* keep.h: decides what an event changes among the values that rooms keep, and marks their text.
 * Not here: the values (events/last_values.h). */
#ifndef WS_CORE_SENDING_KEEP_H
#define WS_CORE_SENDING_KEEP_H

#include "core/manager.h"

/* Prepares what an encoded event without its id, for a group of this name, changes. A kept text
 * has a mark, "state" or "replayed": it is made once, here, for all clients that will receive
 * it. False if memory ran out. The caller does not hold the lock, and frees the plan with
 * kept_plan_free(). */
bool keep_prepare(const ws_manager *manager, enum group_kind kind, const char *name,
                  ws_message *message, struct kept_plan *plan);

/* As keep_prepare(), for a room's state alone. */
bool keep_prepare_state(const ws_manager *manager, const char *room, ws_message *message,
                        struct kept_plan *plan);

/* Gives the reserved plan's messages their ids and carries it out among the manager's values, with
 * the lock held, or among a copy of them. */
void keep_commit(const ws_manager *manager, struct last_values *values, struct kept_plan *plan,
                 const char *epoch, uint64_t position);

/* What a cluster's carrier is to keep of an event. */
struct kept_note {
    bool is_kept;
    ws_cluster_keep keep; /* its texts are the rule's and `key` */
    char *key;            /* owned */
};

/* Describes what a room's state has of an encoded event without its id. False if memory ran out.
 * The caller frees the note. */
bool keep_describe(const ws_manager *manager, enum group_kind kind, const char *name,
                   ws_message *message, struct kept_note *note);
void kept_note_free(const ws_allocator *memory, struct kept_note *note);

#endif
