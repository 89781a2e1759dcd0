/* sigpipe.h: calls that may write to a socket whose peer is gone, on a thread of the host's,
 * which must not receive SIGPIPE for it, because it does not know the connection. */
#ifndef WS_BASE_SIGPIPE_H
#define WS_BASE_SIGPIPE_H

#include <signal.h>
#include <stdbool.h>

struct sigpipe {
    sigset_t mask; /* of the thread before it was blocked */
    bool was_pending;
};

/* Blocks SIGPIPE for the calling thread. */
void sigpipe_block(struct sigpipe *sigpipe);

/* Takes back a SIGPIPE that came in between, and restores the thread's mask. */
void sigpipe_restore(const struct sigpipe *sigpipe);

#endif
