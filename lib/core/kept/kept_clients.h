/* kept_clients.h: the users, clients and connections for which answers are kept. All functions are
 * called with the lock held. */
#ifndef WS_CORE_KEPT_CLIENTS_H
#define WS_CORE_KEPT_CLIENTS_H

#include "core/kept/kept_state.h"

struct kept_member *kept_find_member(const struct kept_answers *kept, ws_conn_id id);

/* Makes the client of a connection that has none; NULL if memory ran out. */
struct kept_client *kept_add_client(struct kept_answers *kept, ws_conn_id id,
                                    const char *user_id);

/* The client of a connection, which is made if there is none; NULL if memory ran out. */
struct kept_client *kept_client_of(struct kept_answers *kept, ws_conn_id id,
                                   const char *user_id);

/* Counts what a user takes more, or less if `bytes` wraps around: it is as wide as the sums. */
void kept_count_bytes(struct kept_answers *kept, struct kept_user *user, uint64_t bytes);

/* Adds a connection to a client, in the place of its oldest one if it has many. */
void kept_add_member(struct kept_answers *kept, struct kept_client *client,
                     struct kept_member *member, ws_conn_id id);

/* Makes a connection the newest of its client, because it was named again: connections that
 * continue it must not displace it. */
void kept_make_newest(struct kept_member *member);

/* The carrier of a cluster is to forget the notes of a client's connections (kept_notes.h). */
void kept_notes_forget(struct kept_answers *kept, const struct kept_client *client);

/* Frees a client that is no longer needed. */
void kept_trim_client(struct kept_answers *kept, struct kept_client *client);

#endif
