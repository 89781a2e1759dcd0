/* follow.h: follows the users of all processes, for user_connected and user_disconnected, which
 * announce a user's first connection and the end of its last one on any process. Not here: sending
 * these events (announce.h), and one process without a cluster (members.c, beat.c).
 *
 * With a cluster and presence_events, the processes send each other the members of the whole
 * service, like those of a room with presence. Every process announces changes when it reads them
 * from the stream, including those of its own users. So all processes announce the same changes, in
 * the order of the stream. Only the death of a process is decided by each process on its own. A
 * user beyond the limits of presence is not followed: its process announces it to its own clients.
 *
 * A process that starts receives the present users from the others, and does not announce these.
 * Until it has received them it sends nothing of its own, so that a user who is connected to
 * another process is not announced as new. */
#ifndef WS_CORE_PRESENCE_FOLLOW_H
#define WS_CORE_PRESENCE_FOLLOW_H

#include "core/inbox.h"
#include "core/presence/state.h"

/* Whether users are announced when the cluster's stream brings their changes. */
bool follow_is_on(const ws_manager *manager);

/* Begins to follow, unless that was done. Returns the service's room; NULL: memory ran out. The
 * lock is held. */
struct presence_room *follow_begin(ws_manager *manager);

/* What a command says about a member, or what a process had of it that is dead now. */
struct follow_news {
    struct posting *posting;
    int64_t time_ms;
    const char *process;
    ws_conn_id connection; /* of that process: the first one or the last one; 0: not known */
    bool is_first;         /* the process has not told of the user before */
};

/* Announces a member if it has come or left by what the stream says. The lock is held, on any
 * thread. The member stays. */
void follow_note(const struct follow_news *news, struct presence_member *member);

/* A command of this process has come back, so the others have been asked if that was sent; another
 * process has sent members. */
void follow_asked(struct presence *presence);
void follow_told(struct presence *presence);

/* What others have answered may have been missed. */
void follow_ask_again(struct presence *presence);

/* Whether nothing of this process may be sent yet. */
bool follow_learns(struct presence *presence);

#endif
