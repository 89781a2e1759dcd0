/* accept.c: accepts connections at the listeners of an event-loop thread. */
#include "server/accept.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "server/connection/connection.h"
#include "server/parts/server_log.h"

enum { ACCEPTS_PER_TURN = 64, ACCEPT_PAUSE_MS = 100 };

static void watch(const struct loop *loop, struct listener *listener, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = listener};

    epoll_ctl(loop->epoll, EPOLL_CTL_MOD, listener->fd, &event);
}

static void watch_listeners(struct loop *loop, uint32_t events)
{
    for (int i = 0; i < N_LISTENERS; i++)
        if (loop->listeners[i].fd >= 0)
            watch(loop, &loop->listeners[i], events);
}

/* The waiting client keeps the listener readable, so no listener is watched for a while. */
static void pause_accepting(struct loop *loop)
{
    loop->accept_again_ms = loop->now_ms + ACCEPT_PAUSE_MS;
    watch_listeners(loop, 0);
}

/* Whether another connection was closed, so that accepting may be tried again: one that does little
 * must not keep others out. */
static bool has_made_room(struct loop *loop, int error)
{
    struct server_log *log = &loop->server->log;

    if (log_pause_take(&log->accepting))
        server_log_line(log, WS_LOG_WARN, "a connection cannot be accepted: %s%s",
                        strerror(error),
                        error == EMFILE ? "; raise the limit of descriptors (ulimit -n)" : "");
    return (error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS) &&
           connection_make_room(loop);
}

/* accept4() takes a descriptor before it looks for a client: its error says nothing of one. */
static bool client_waits(const struct listener *listener)
{
    struct pollfd waiting = {.fd = listener->fd, .events = POLLIN};

    return poll(&waiting, 1, 0) != 0;
}

void accept_resume(struct loop *loop)
{
    loop->accept_again_ms = 0;
    watch_listeners(loop, EPOLLIN);
}

void accept_clients(struct loop *loop, const struct listener *listener)
{
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct sockaddr_storage peer;
        socklen_t length = sizeof peer;
        int fd = accept4(listener->fd, (struct sockaddr *)&peer, &length,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        int error;

        if (fd >= 0) {
            connection_open(loop, fd, listener->kind == LISTENER_ADMIN, &peer);
            continue;
        }
        switch (errno) {
        case EAGAIN:
            return;
        case EINTR:
        case ECONNABORTED: /* this and the next: the client has already gone */
        case EPROTO:
            break;
        default:
            error = errno;
            if (!client_waits(listener))
                return;
            if (has_made_room(loop, error))
                break;
            pause_accepting(loop);
            return;
        }
    }
}
