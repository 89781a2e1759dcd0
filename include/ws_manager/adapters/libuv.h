/** @file
 * WebSockets on a libuv loop. The functions of host.h use them.
 */
#ifndef WS_MANAGER_ADAPTERS_LIBUV_H
#define WS_MANAGER_ADAPTERS_LIBUV_H

#include <uv.h>
#include <ws_manager/adapters/host.h>

WS_BEGIN_DECLS

/** @cond internal */

typedef struct ws_libuv {
    ws_host host; /* first */
    uv_async_t wake;
    uv_timer_t timer;
    int n_open; /* of these two handles */
} ws_libuv;

static inline void ws_libuv_on_ready(uv_poll_t *poll, int status, int events)
{
    ws_host_socket *socket = (ws_host_socket *)poll->data;
    int ready = ((events & UV_READABLE) ? WS_HOST_READ : 0) |
                ((events & UV_WRITABLE) ? WS_HOST_WRITE : 0);

    if (status < 0)
        socket->events = 0; /* libuv has stopped watching it */
    ws_host_ready(socket, status < 0 ? WS_HOST_READ | WS_HOST_WRITE : ready);
}

static inline int ws_libuv_watch(ws_host_socket *socket, int events)
{
    uv_poll_t *poll = (uv_poll_t *)socket->watcher;

    if (poll == NULL) {
        poll = (uv_poll_t *)malloc(sizeof *poll);
        if (poll == NULL)
            return WS_ERR_NO_MEMORY;
        if (uv_poll_init(((ws_libuv *)socket->host)->timer.loop, poll, socket->fd) < 0) {
            free(poll);
            return WS_ERR_SYSTEM;
        }
        poll->data = socket;
        socket->watcher = poll;
    }
    return uv_poll_start(poll,
                         ((events & WS_HOST_READ) ? UV_READABLE : 0) |
                             ((events & WS_HOST_WRITE) ? UV_WRITABLE : 0),
                         ws_libuv_on_ready) < 0
               ? WS_ERR_SYSTEM
               : WS_OK;
}

static inline void ws_libuv_free_poll(uv_handle_t *poll)
{
    free(poll);
}

static inline void ws_libuv_unwatch(ws_host_socket *socket)
{
    uv_poll_t *poll = (uv_poll_t *)socket->watcher;

    if (poll == NULL)
        return;
    uv_poll_stop(poll);
    uv_close((uv_handle_t *)poll, ws_libuv_free_poll);
}

static inline void ws_libuv_on_timer(uv_timer_t *timer)
{
    ws_host_run((ws_host *)timer->data);
}

static inline void ws_libuv_on_wake(uv_async_t *wake)
{
    ws_host_run((ws_host *)wake->data);
}

static inline void ws_libuv_wake(void *host)
{
    uv_async_send(&((ws_libuv *)host)->wake);
}

/* The loop's own time may be as old as its last turn. */
static inline uint64_t ws_libuv_now_ms(void)
{
    return uv_hrtime() / 1000000;
}

static inline void ws_libuv_run_after(ws_host *host, uint64_t delay_ms)
{
    ws_libuv *adapter = (ws_libuv *)host;

    /* libuv before 1.45 runs a timer of 0 ms that its own callback starts again and again, and does
     * not look at the sockets in between. */
    if (delay_ms == 0) {
        uv_timer_stop(&adapter->timer);
        uv_async_send(&adapter->wake);
        return;
    }
    uv_update_time(adapter->timer.loop);
    uv_timer_start(&adapter->timer, ws_libuv_on_timer, delay_ms, 0);
}

static inline void ws_libuv_on_closed(uv_handle_t *handle)
{
    ws_libuv *adapter = (ws_libuv *)handle->data;

    if (--adapter->n_open == 0)
        free(adapter);
}

static inline void ws_libuv_release(ws_host *host)
{
    ws_libuv *adapter = (ws_libuv *)host;

    uv_close((uv_handle_t *)&adapter->wake, ws_libuv_on_closed);
    uv_close((uv_handle_t *)&adapter->timer, ws_libuv_on_closed);
}

/** @endcond */

/** Makes a host on a loop.
 *
 * After ws_host_free() the loop must run until the handles are closed, as uv_run() does with
 * `UV_RUN_DEFAULT`. The host keeps the loop alive until then.
 *
 * @param loop       the loop
 * @param manager    the manager
 * @param options    of the clients' endpoint; copied; NULL for the defaults
 * @param[out] host  the host; set on success only
 *
 * @retval WS_OK          the host is made
 * @retval WS_ERR_SYSTEM  libuv has no descriptor left
 * @return any error of ws_loop_new() and of ws_endpoint_new()
 *
 * @threads The loop's thread.
 * @ownership The caller owns `*host`: ws_host_free() frees it, before the manager and the loop.
 */
static inline int ws_libuv_host(uv_loop_t *loop, ws_manager *manager,
                                const ws_endpoint_options *options, ws_host **host)
{
    static const ws_host_hooks hooks = {ws_libuv_watch, ws_libuv_unwatch, ws_libuv_run_after,
                                        ws_libuv_now_ms, ws_libuv_release};
    ws_libuv *adapter;
    int result;

    if (loop == NULL || manager == NULL || host == NULL)
        return WS_ERR_INVALID;
    adapter = (ws_libuv *)calloc(1, sizeof *adapter);
    if (adapter == NULL)
        return WS_ERR_NO_MEMORY;
    if (uv_async_init(loop, &adapter->wake, ws_libuv_on_wake) < 0) {
        free(adapter);
        return WS_ERR_SYSTEM;
    }
    uv_timer_init(loop, &adapter->timer);
    adapter->n_open = 2;
    adapter->wake.data = adapter;
    adapter->timer.data = adapter;
    result = ws_host_init(&adapter->host, &hooks, manager, options, ws_libuv_wake);
    if (result != WS_OK) {
        ws_libuv_release(&adapter->host);
        return result;
    }
    *host = &adapter->host;
    return WS_OK;
}

WS_END_DECLS

#endif
