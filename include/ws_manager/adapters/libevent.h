/** @file
 * WebSockets on a libevent loop. The functions of host.h use them.
 *
 * A bufferevent would keep bytes that no limit of the library counts, so the sockets are watched by
 * plain events. ws_host_adopt() takes a socket that a listener of libevent has accepted.
 */
#ifndef WS_MANAGER_ADAPTERS_LIBEVENT_H
#define WS_MANAGER_ADAPTERS_LIBEVENT_H

#include <time.h>

#include <event2/event.h>
#include <event2/util.h>
#include <ws_manager/adapters/host.h>

WS_BEGIN_DECLS

/** @cond internal */

typedef struct ws_libevent {
    ws_host host; /* first */
    struct event_base *base;
    struct event *timer;
    struct event *wake;
    int pipe[2]; /* to wake the loop, with or without libevent's support of threads */
} ws_libevent;

static inline void ws_libevent_on_ready(evutil_socket_t fd, short events, void *socket)
{
    (void)fd;
    ws_host_ready((ws_host_socket *)socket, ((events & EV_READ) ? WS_HOST_READ : 0) |
                                                ((events & EV_WRITE) ? WS_HOST_WRITE : 0));
}

static inline int ws_libevent_watch(ws_host_socket *socket, int events)
{
    struct event_base *base = ((ws_libevent *)socket->host)->base;
    short what = (short)(((events & WS_HOST_READ) ? EV_READ : 0) |
                         ((events & WS_HOST_WRITE) ? EV_WRITE : 0) | EV_PERSIST);
    struct event *event = (struct event *)socket->watcher;

    if (event == NULL) {
        event = event_new(base, socket->fd, what, ws_libevent_on_ready, socket);
        socket->watcher = event;
        if (event == NULL)
            return WS_ERR_NO_MEMORY;
    } else {
        event_del(event);
        event_assign(event, base, socket->fd, what, ws_libevent_on_ready, socket);
    }
    return events == 0 || event_add(event, NULL) == 0 ? WS_OK : WS_ERR_SYSTEM;
}

static inline void ws_libevent_unwatch(ws_host_socket *socket)
{
    if (socket->watcher != NULL)
        event_free((struct event *)socket->watcher);
}

static inline void ws_libevent_on_timer(evutil_socket_t fd, short events, void *host)
{
    (void)fd;
    (void)events;
    ws_host_run((ws_host *)host);
}

static inline void ws_libevent_on_wake(evutil_socket_t fd, short events, void *host)
{
    char bytes[64];

    (void)events;
    while (read(fd, bytes, sizeof bytes) == (ssize_t)sizeof bytes)
        ;
    ws_host_run((ws_host *)host);
}

/* If the pipe is full, the loop is woken anyway. */
static inline void ws_libevent_wake(void *host)
{
    ssize_t n = write(((ws_libevent *)host)->pipe[1], "", 1);

    (void)n;
}

static inline uint64_t ws_libevent_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Also at once by a timeout: an event that activates itself keeps libevent from reading. */
static inline void ws_libevent_run_after(ws_host *host, uint64_t delay_ms)
{
    struct timeval delay;

    delay.tv_sec = (time_t)(delay_ms / 1000);
    delay.tv_usec = (suseconds_t)(delay_ms % 1000 * 1000);
    event_add(((ws_libevent *)host)->timer, &delay);
}

static inline void ws_libevent_release(ws_host *host)
{
    ws_libevent *adapter = (ws_libevent *)host;

    if (adapter->wake != NULL)
        event_free(adapter->wake);
    if (adapter->timer != NULL)
        event_free(adapter->timer);
    close(adapter->pipe[0]);
    close(adapter->pipe[1]);
    free(adapter);
}

static inline int ws_libevent_prepare(ws_libevent *adapter)
{
    for (int i = 0; i < 2; i++) {
        evutil_make_socket_nonblocking(adapter->pipe[i]);
        evutil_make_socket_closeonexec(adapter->pipe[i]);
    }
    adapter->timer = event_new(adapter->base, -1, 0, ws_libevent_on_timer, adapter);
    adapter->wake = event_new(adapter->base, adapter->pipe[0], EV_READ | EV_PERSIST,
                              ws_libevent_on_wake, adapter);
    if (adapter->timer == NULL || adapter->wake == NULL)
        return WS_ERR_NO_MEMORY;
    return event_add(adapter->wake, NULL) == 0 ? WS_OK : WS_ERR_SYSTEM;
}

/** @endcond */

/** Makes a host on a loop.
 *
 * It keeps the loop alive until ws_host_free(), which is called before event_base_free().
 *
 * @param base       the loop
 * @param manager    the manager
 * @param options    of the clients' endpoint; copied; NULL for the defaults
 * @param[out] host  the host; set on success only
 *
 * @retval WS_OK          the host is made
 * @retval WS_ERR_SYSTEM  no descriptor is left, or libevent cannot watch it
 * @return any error of ws_loop_new() and of ws_endpoint_new()
 *
 * @threads The loop's thread.
 * @ownership The caller owns `*host`: ws_host_free() frees it, before the manager and the base.
 */
static inline int ws_libevent_host(struct event_base *base, ws_manager *manager,
                                   const ws_endpoint_options *options, ws_host **host)
{
    static const ws_host_hooks hooks = {ws_libevent_watch, ws_libevent_unwatch,
                                        ws_libevent_run_after, ws_libevent_now_ms,
                                        ws_libevent_release};
    ws_libevent *adapter;
    int result;

    if (base == NULL || manager == NULL || host == NULL)
        return WS_ERR_INVALID;
    adapter = (ws_libevent *)calloc(1, sizeof *adapter);
    if (adapter == NULL)
        return WS_ERR_NO_MEMORY;
    if (pipe(adapter->pipe) != 0) {
        free(adapter);
        return WS_ERR_SYSTEM;
    }
    adapter->base = base;
    result = ws_libevent_prepare(adapter);
    if (result == WS_OK)
        result = ws_host_init(&adapter->host, &hooks, manager, options, ws_libevent_wake);
    if (result != WS_OK) {
        ws_libevent_release(&adapter->host);
        return result;
    }
    *host = &adapter->host;
    return WS_OK;
}

WS_END_DECLS

#endif
