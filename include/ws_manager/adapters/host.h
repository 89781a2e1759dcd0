/** @file
 * The common part of the adapters: WebSockets on a loop that can watch descriptors, set a timer
 * and be woken.
 *
 * libuv.h, libevent.h, glib.h and asio.hpp make a ws_host. The functions of this header then
 * listen, adopt sockets, drain the host and free it. An adapter for another loop needs a struct
 * that begins with a ws_host, the five functions of ws_host_hooks, and a call of ws_host_init().
 *
 * @code
 * ws_libuv_host(uv_default_loop(), ws_manager_default(), NULL, &host);
 * ws_host_listen(host, "127.0.0.1", 9000);
 * uv_run(uv_default_loop(), UV_RUN_DEFAULT);
 * @endcode
 *
 * @par Limits
 * Nothing is queued outside of the library: a socket is written to when it takes more, and read
 * from while ws_websocket_wants_read() returns 1. So the limits of the endpoint and of the manager
 * apply. The number of sockets whose handshake is not done is bounded by the descriptors of the
 * process and by `handshake_timeout_ms`: when no descriptor is left, accepting pauses.
 *
 * @par Access
 * Without `accept_handshake` among the endpoint's options every client is accepted as anonymous,
 * including pages of other sites: handshake.h describes how to refuse them.
 *
 * @par Threads
 * A host belongs to the thread of its loop. Events may be sent from any thread.
 *
 * Not here: TLS, Server-Sent Events and Socket.IO's polling, which libwsmanager-server has.
 */
#ifndef WS_MANAGER_ADAPTERS_HOST_H
#define WS_MANAGER_ADAPTERS_HOST_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ws_manager/descriptor.h>
#include <ws_manager/loop.h>
#include <ws_manager/manager.h>
#include <ws_manager/websocket.h>

WS_BEGIN_DECLS

/** The events for which a descriptor is watched: bits. */
enum ws_host_events {
    WS_HOST_READ = 1, /**< it can be read from, or has a client to accept */
    WS_HOST_WRITE = 2 /**< it can be written to */
};

/** The socket of a listener or of a client. */
typedef struct ws_host_socket ws_host_socket;

/** WebSockets on a loop of the application. */
typedef struct ws_host ws_host;

/** Notifies that the last client of a host is gone after ws_host_drain(). It may call
 * ws_host_free().
 *
 * @param user_data  that of ws_host_drain()
 *
 * @threads The loop's thread.
 */
typedef void ws_host_drained_callback(void *user_data);

/** The functions of an adapter, all of them required. They are called on the loop's thread. */
typedef struct ws_host_hooks {
    /** Watches a socket from now on, level-triggered, and calls ws_host_ready() for its events.
     *
     * @param socket  the socket; the hook may set its `watcher`
     * @param events  bits of enum ws_host_events; 0: none
     *
     * @return #WS_OK or a negative value of enum ws_error
     */
    int (*watch)(ws_host_socket *socket, int events);

    /** Stops watching a socket, before its descriptor is closed.
     *
     * @param socket  the socket; `watcher` is NULL if it was not watched
     */
    void (*unwatch)(ws_host_socket *socket);

    /** Makes the loop call ws_host_run() once. A later call replaces the time of an earlier one.
     *
     * @param host      the host
     * @param delay_ms  after this time; 0: in this turn of the loop or in the next one
     */
    void (*run_after)(ws_host *host, uint64_t delay_ms);

    /** Returns the time of CLOCK_MONOTONIC in milliseconds. */
    uint64_t (*now_ms)(void);

    /** Frees the adapter's memory, which includes the host.
     *
     * @param host  the host
     */
    void (*release)(ws_host *host);
} ws_host_hooks;

/** The socket of a listener or of a client: for adapters. */
struct ws_host_socket {
    ws_host *host;           /**< the host that owns the socket */
    void *watcher;           /**< for the adapter; NULL at first */
    ws_websocket *websocket; /**< the client's connection; NULL: it is a listener */
    ws_host_socket *next;    /**< the next one in the host's list */
    ws_host_socket **place;  /**< the pointer that points to this socket */
    int fd;                  /**< the descriptor */
    int events;              /**< bits of enum ws_host_events for which it is watched */
};

/** WebSockets on a loop of the application. An adapter's struct begins with it; its members are
 * private to this header. */
struct ws_host {
    const ws_host_hooks *hooks; /**< the adapter's functions */
    ws_manager *manager;        /**< the manager of all connections */
    ws_loop *loop;              /**< the host's share of the manager */
    ws_endpoint *endpoint;      /**< the endpoint of all clients */
    ws_host_socket *clients;    /**< the first client */
    ws_host_socket *listeners;  /**< the first listener */
    uint64_t accept_again_ms;   /**< when listeners are watched again; 0: they are */
    int will_run;               /**< 1: the loop will call ws_host_run() without delay */
    int draining;               /**< 1: ws_host_drain() was called */
    ws_host_drained_callback *on_drained; /**< NULL: none, or it was called */
    void *user_data;                      /**< passed to `on_drained` */
};

/** @name For adapters
 * @{
 */

/** Makes the loop call ws_host_run() in this turn or in the next one.
 *
 * @param host  the host
 *
 * @threads The loop's thread.
 */
static inline void ws_host_run_soon(ws_host *host)
{
    if (host == NULL)
        return;
    if (!host->will_run)
        host->hooks->run_after(host, 0);
    host->will_run = 1;
}

/** Sets up a host. After an error nothing is to be undone.
 *
 * @param host     the host, in memory that is zeroed
 * @param hooks    the adapter's functions; must outlive the host
 * @param manager  the manager; must outlive the host
 * @param options  of the clients' endpoint; copied; NULL for the defaults
 * @param wake     makes the loop call ws_host_run() soon; its `user_data` is the host. It may be
 *                 called until ws_loop_free() has returned, after which `release` is called
 *
 * @retval WS_OK           the host is set up
 * @retval WS_ERR_INVALID  an option is not acceptable
 * @return any error of ws_loop_new() and of ws_endpoint_new()
 *
 * @threads The loop's thread.
 * @ownership The adapter owns the memory of the host, until `release`.
 */
static inline int ws_host_init(ws_host *host, const ws_host_hooks *hooks, ws_manager *manager,
                               const ws_endpoint_options *options, ws_wake_callback *wake)
{
    ws_loop_options loop_options;
    int result;

    if (host == NULL || hooks == NULL || manager == NULL)
        return WS_ERR_INVALID;
    host->hooks = hooks;
    host->manager = manager;
    ws_loop_options_init(&loop_options);
    loop_options.wake = wake;
    loop_options.user_data = host;
    result = ws_loop_new(manager, &loop_options, hooks->now_ms(), &host->loop);
    if (result != WS_OK)
        return result;
    result = ws_endpoint_new(manager, options, &host->endpoint);
    if (result != WS_OK)
        ws_loop_free(host->loop);
    return result;
}

/** @cond internal */

/* Watches a socket for other events than before. */
static inline int ws_host_watch(ws_host_socket *socket, int events)
{
    int result = WS_OK;

    if (socket->events != events)
        result = socket->host->hooks->watch(socket, events);
    if (result == WS_OK)
        socket->events = events;
    return result;
}

/** @endcond */

/** Ends a client's connection or a listener at once, and frees its socket.
 *
 * An adapter calls it when it can no longer watch the socket.
 *
 * @param socket  the socket; not valid afterwards
 *
 * @threads The loop's thread.
 */
static inline void ws_host_drop(ws_host_socket *socket)
{
    if (socket == NULL)
        return;
    *socket->place = socket->next;
    if (socket->next != NULL)
        socket->next->place = socket->place;
    ws_websocket_free(socket->websocket);
    socket->host->hooks->unwatch(socket);
    close(socket->fd);
    free(socket);
}

/** @cond internal */

static inline void ws_host_drop_all(ws_host_socket *first)
{
    while (first != NULL) {
        ws_host_socket *next = first->next;

        ws_host_drop(first);
        first = next;
    }
}

/* Adds a socket to one of the lists. On success the host owns the descriptor. */
static inline int ws_host_add(ws_host *host, int fd, ws_host_socket **list)
{
    ws_host_socket *socket = (ws_host_socket *)calloc(1, sizeof *socket);
    int result = socket == NULL ? WS_ERR_NO_MEMORY : WS_OK;

    if (result == WS_OK) {
        socket->host = host;
        socket->fd = fd;
        result = ws_host_watch(socket, WS_HOST_READ);
    }
    if (result == WS_OK && list == &host->clients)
        result = ws_websocket_new(host->loop, host->endpoint, socket, &socket->websocket);
    if (result != WS_OK) {
        if (socket != NULL)
            host->hooks->unwatch(socket);
        free(socket);
        return result;
    }
    socket->next = *list;
    socket->place = list;
    if (*list != NULL)
        (*list)->place = &socket->next;
    *list = socket;
    return WS_OK;
}

/** @endcond */

/** @} */

/** Takes over a socket that is connected to a client, which has not sent its handshake yet.
 *
 * @param host  the host
 * @param fd    a stream socket; it becomes non-blocking
 *
 * @retval WS_OK            the host serves the client
 * @retval WS_ERR_INVALID   `fd` is negative
 * @retval WS_ERR_DRAINING  ws_host_drain() was called
 * @retval WS_ERR_SYSTEM    the socket cannot become non-blocking, or the loop cannot watch it
 * @return any error of ws_websocket_new()
 *
 * @threads The loop's thread.
 * @ownership On success the host owns the descriptor, and closes it. After an error it stays the
 * caller's.
 */
static inline int ws_host_adopt(ws_host *host, int fd)
{
    int flags, one = 1;

    if (host == NULL || fd < 0)
        return WS_ERR_INVALID;
    if (host->draining)
        return WS_ERR_DRAINING;
    flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return WS_ERR_SYSTEM;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* fails on a Unix socket */
    ws_host_run_soon(host); /* the handshake has a deadline, perhaps the next one */
    return ws_host_add(host, fd, &host->clients);
}

/** @cond internal */

/* Clients are accepted again after this time: until then there is no descriptor or no memory. */
enum { WS_HOST_ACCEPT_PAUSE_MS = 100 };

static inline void ws_host_watch_listeners(ws_host *host, int events)
{
    for (ws_host_socket *socket = host->listeners; socket != NULL; socket = socket->next)
        if (ws_host_watch(socket, events) != WS_OK)
            host->accept_again_ms = host->hooks->now_ms() + WS_HOST_ACCEPT_PAUSE_MS;
}

/* When no descriptor or no memory is left, the waiting client stays in the listener's queue and
 * keeps it readable: the loop would call again and again. */
static inline void ws_host_accept(ws_host_socket *listener)
{
    enum { MOST_AT_ONCE = 64 };
    ws_host *host = listener->host;

    for (int i = 0; i < MOST_AT_ONCE; i++) {
        int fd = accept(listener->fd, NULL, NULL);

        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
            host->accept_again_ms = host->hooks->now_ms() + WS_HOST_ACCEPT_PAUSE_MS;
            ws_host_watch_listeners(host, 0);
        }
        if (fd < 0)
            return;
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        if (ws_host_adopt(host, fd) != WS_OK)
            close(fd);
    }
}

static inline void ws_host_write(ws_host_socket *client)
{
    int result = ws_websocket_write_fd(client->websocket, client->fd);
    int events = (result == WS_ERR_BACKPRESSURE ? WS_HOST_WRITE : 0) |
                 (ws_websocket_wants_read(client->websocket) ? WS_HOST_READ : 0);

    if (result == WS_ERR_CLOSED || ws_host_watch(client, events) != WS_OK)
        ws_host_drop(client);
}

/** @endcond */

/** @name For adapters
 * @{
 */

/** Reads from and writes to a socket that is ready.
 *
 * @param socket  the socket; it may be freed during the call
 * @param events  bits of enum ws_host_events; both of them after an error
 *
 * @threads The loop's thread.
 */
static inline void ws_host_ready(ws_host_socket *socket, int events)
{
    int result = WS_OK;

    if (socket == NULL)
        return;
    ws_host_run_soon(socket->host);
    if (socket->websocket == NULL) {
        ws_host_accept(socket);
        return;
    }
    if (events & WS_HOST_READ)
        result = ws_websocket_read_fd(socket->websocket, socket->fd);
    if (result != WS_ERR_CLOSED && (events & WS_HOST_WRITE)) {
        ws_host_write(socket);
        return;
    }
    if (result == WS_ERR_CLOSED ||
        (!ws_websocket_wants_read(socket->websocket) &&
         ws_host_watch(socket, socket->events & ~WS_HOST_READ) != WS_OK))
        ws_host_drop(socket);
}

/** Runs the library, and writes its output to the clients.
 *
 * @param host  the host; `on_drained` may free it during the call
 *
 * @threads The loop's thread.
 */
static inline void ws_host_run(ws_host *host)
{
    uint64_t now_ms, due_ms;
    ws_websocket *websocket;

    if (host == NULL)
        return;
    now_ms = host->hooks->now_ms();
    host->will_run = 0;
    due_ms = ws_loop_run(host->loop, now_ms);
    while ((websocket = ws_loop_next_output(host->loop)) != NULL)
        ws_host_write((ws_host_socket *)ws_websocket_user_data(websocket));
    if (now_ms >= host->accept_again_ms) {
        host->accept_again_ms = 0;
        ws_host_watch_listeners(host, WS_HOST_READ);
    }
    if (host->accept_again_ms != 0 && host->accept_again_ms < due_ms)
        due_ms = host->accept_again_ms;
    if (due_ms != WS_NO_DEADLINE && !host->will_run)
        host->hooks->run_after(host, due_ms > now_ms ? due_ms - now_ms : 0);
    if (host->on_drained != NULL && host->clients == NULL) {
        ws_host_drained_callback *on_drained = host->on_drained;

        host->on_drained = NULL;
        on_drained(host->user_data);
    }
}

/** @} */

/** Accepts clients from a socket that listens.
 *
 * @param host  the host
 * @param fd    the socket, of TCP or Unix; it becomes non-blocking
 *
 * @retval WS_OK             clients are accepted
 * @retval WS_ERR_INVALID    `fd` is negative
 * @retval WS_ERR_DRAINING   ws_host_drain() was called
 * @retval WS_ERR_NO_MEMORY  an allocation failed
 * @retval WS_ERR_SYSTEM     the socket cannot become non-blocking, or the loop cannot watch it
 *
 * @threads The loop's thread.
 * @ownership On success the host owns the descriptor, and closes it. After an error it stays the
 * caller's.
 */
static inline int ws_host_listen_fd(ws_host *host, int fd)
{
    int flags;

    if (host == NULL || fd < 0)
        return WS_ERR_INVALID;
    if (host->draining)
        return WS_ERR_DRAINING;
    flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return WS_ERR_SYSTEM;
    return ws_host_add(host, fd, &host->listeners);
}

/** Listens on an address of TCP.
 *
 * @param host     the host
 * @param address  of IPv4 or IPv6, as a number: "127.0.0.1", "::"
 * @param port     the port; 0 picks a free one
 *
 * @retval WS_OK           clients are accepted
 * @retval WS_ERR_INVALID  `address` is not an address
 * @retval WS_ERR_SYSTEM   the address is in use, or cannot be listened on: `errno` has the reason
 * @return any error of ws_host_listen_fd()
 *
 * @threads The loop's thread.
 */
static inline int ws_host_listen(ws_host *host, const char *address, uint16_t port)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    int one = 1;
    int result = WS_ERR_SYSTEM;
    int is_v4, fd;

    if (host == NULL || address == NULL)
        return WS_ERR_INVALID;
    memset(&v4, 0, sizeof v4);
    memset(&v6, 0, sizeof v6);
    is_v4 = inet_pton(AF_INET, address, &v4.sin_addr) == 1;
    if (!is_v4 && inet_pton(AF_INET6, address, &v6.sin6_addr) != 1)
        return WS_ERR_INVALID;
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM, 0);
    if (fd < 0)
        return WS_ERR_SYSTEM;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6,
             is_v4 ? sizeof v4 : sizeof v6) == 0 &&
        listen(fd, SOMAXCONN) == 0)
        result = ws_host_listen_fd(host, fd);
    if (result != WS_OK)
        close(fd);
    return result;
}

/** Shuts a host down: it stops listening, and disconnects all clients of the manager like
 * ws_manager_drain(), whose description says how long that may take.
 *
 * @param host        the host
 * @param options     copied; NULL for the defaults
 * @param on_drained  called once when the host's last client is gone; NULL for none
 * @param user_data   passed to `on_drained`; NULL if it needs none
 *
 * @return the results of ws_manager_drain(); after an error the host goes on
 *
 * @threads The loop's thread.
 * @ownership What `user_data` points to must exist until `on_drained` was called or the host is
 * freed.
 */
static inline int ws_host_drain(ws_host *host, const ws_drain_options *options,
                                ws_host_drained_callback *on_drained, void *user_data)
{
    int result;

    if (host == NULL)
        return WS_ERR_INVALID;
    result = ws_manager_drain(host->manager, options);
    if (result != WS_OK)
        return result;
    host->draining = 1;
    host->on_drained = on_drained;
    host->user_data = user_data;
    ws_host_drop_all(host->listeners);
    for (ws_host_socket *client = host->clients; client != NULL; client = client->next)
        if (ws_websocket_id(client->websocket) == 0) /* it has sent no request so far */
            ws_websocket_close(client->websocket, WS_CLOSE_SERVICE_RESTART, NULL);
    ws_host_run_soon(host);
    return WS_OK;
}

/** Ends a host at once. Its clients end with #WS_CLOSE_ABNORMAL, unless they were drained.
 *
 * @param host  the host; NULL does nothing
 *
 * @threads The loop's thread, within no callback except ws_host_drained_callback().
 */
static inline void ws_host_free(ws_host *host)
{
    if (host == NULL)
        return;
    ws_host_drop_all(host->clients);
    ws_host_drop_all(host->listeners);
    ws_loop_free(host->loop); /* after this call nothing wakes it */
    ws_endpoint_free(host->endpoint);
    host->hooks->release(host);
}

WS_END_DECLS

#endif
