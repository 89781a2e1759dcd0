/* follow.h: follows the users of all processes, for user_connected and user_disconnected: of a
 * user's first connection, and of the end of its last one, wherever they are. Not here: what is
 * sent (announce.h), and one process without a cluster (members.c, beat.c).
 *
 * With a cluster and presence_events the room of the whole service is followed: the processes send
 * each other its members, as of a room with presence. Every process announces what the stream says,
 * also of its own users when its command has come back. So all announce the same, in the order of
 * the stream; which process is dead is judged by each. A user that exceeds the limits of presence
 * is not followed: its process announces it to its own clients.
 *
 * A process that begins is told who is there, and announces nobody of these. Until then it sends
 * nothing of its own, so that a user who is elsewhere does not seem to come. */
#ifndef WS_CORE_PRESENCE_FOLLOW_H
#define WS_CORE_PRESENCE_FOLLOW_H

#include "core/inbox.h"
#include "core/presence/state.h"

/* Whether the cluster's stream tells who is to be announced. */
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
