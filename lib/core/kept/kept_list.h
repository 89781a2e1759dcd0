/* kept_list.h: the kept answers of all clients: their lists and limits. The lock is held. */
#ifndef WS_CORE_KEPT_LIST_H
#define WS_CORE_KEPT_LIST_H

#include "core/kept/kept_state.h"

void kept_list_add(struct kept_answers *kept, struct kept_client *client,
                   struct kept_answer *answer);

/* Takes an answer out and frees it, and its client with the last one. */
void kept_list_remove(struct kept_answers *kept, struct kept_answer *answer);

/* The entry of a message that the application has not answered yet; NULL: none has this number. */
struct kept_answer *kept_list_find_pending(const struct kept_answers *kept, ws_answer answer);

/* Fills in the application's answer. False if it exceeds a limit; then its entry is removed. */
bool kept_list_fill(struct kept_answers *kept, struct kept_answer *answer, const char *data,
                    size_t length);

/* Removes the oldest answers above the limits, but not `answer`. */
void kept_list_limit(struct kept_answers *kept, const struct kept_answer *answer);

/* Keeps to the limits of bytes, when a connection was added. */
void kept_list_limit_bytes(struct kept_answers *kept, ws_conn_id id);

/* Whether an answer is too old to be given. */
bool kept_is_expired(const struct kept_answers *kept, const struct kept_answer *answer,
                     uint64_t now_ms);

/* Removes old answers, but not all at once: many may have the same age. */
void kept_list_expire(struct kept_answers *kept, uint64_t now_ms);

#endif
