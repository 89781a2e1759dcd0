/* sigpipe.c: calls that may write to a socket whose peer is gone. */
#include "base/sigpipe.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

void sigpipe_block(struct sigpipe *sigpipe)
{
    sigset_t pipe_alone;
    sigset_t pending;

    sigemptyset(&pipe_alone);
    sigaddset(&pipe_alone, SIGPIPE);
    sigpending(&pending);
    sigpipe->was_pending = sigismember(&pending, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_alone, &sigpipe->mask);
}

void sigpipe_restore(const struct sigpipe *sigpipe)
{
    static const struct timespec no_wait = {0};
    sigset_t pipe_alone;

    sigemptyset(&pipe_alone);
    sigaddset(&pipe_alone, SIGPIPE);
    if (!sigpipe->was_pending)
        while (sigtimedwait(&pipe_alone, NULL, &no_wait) < 0 && errno == EINTR)
            ;
    pthread_sigmask(SIG_SETMASK, &sigpipe->mask, NULL);
}
