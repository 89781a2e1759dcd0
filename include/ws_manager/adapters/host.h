/** @file
 * What the adapters share: WebSockets on a loop that can watch descriptors, set a timer and be
 * woken.
 *
 * libuv.h, libevent.h, glib.h and asio.hpp make a ws_host; the functions here listen with it, hand
 * it sockets, drain and free it. Another loop needs a struct that begins with a ws_host, the five
 * functions of ws_host_hooks, and a call of ws_host_init().
 *
 * @code
 * ws_libuv_host(uv_default_loop(), ws_manager_default(), NULL, &host);
 * ws_host_listen(host, "127.0.0.1", 9000);
 * uv_run(uv_default_loop(), UV_RUN_DEFAULT);
 * @endcode
 *
 * Nothing is queued outside of the library: a socket is written when it takes more, and read while
 * ws_websocket_wants_read() says so. The limits are therefore those of the endpoint and of the
 * manager. Sockets whose handshake is not done are bounded by the process's descriptors and
 * `handshake_timeout_ms`: when no descriptor is left, accepting pauses.
 *
 * Without `accept_handshake` among the endpoint's options everyone is accepted as anonymous,
 * also pages of other sites: handshake.h says how to refuse them.
 *
 * Not here: TLS, Server-Sent Events and Socket.IO's polling, which libwsmanager-server has.
 *
 * @par Threads
 * A host belongs to the thread of its loop. Events may be sent from any thread.
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

/** What a descriptor is watched for. */
enum ws_host_events {
    WS_HOST_READ = 1, /**< it has something to read, or a client to accept */
    WS_HOST_WRITE = 2 /**< it takes more */
};

/** A listener, or a client. */
typedef struct ws_host_socket ws_host_socket;

/** WebSockets on a loop of the application. */
typedef struct ws_host ws_host;

/** What an adapter does for a host. All are called on the loop's thread. */
typedef struct ws_host_hooks {
    /** Watches a socket for these events (enum ws_host_events) from now on, or for none if they are
     * 0. It calls ws_host_ready() for each, level-triggered. Returns #WS_OK or an error. */
    int (*watch)(ws_host_socket *socket, int events);

    /** Ends watching, before the descriptor is closed; `watcher` may be NULL. */
    void (*unwatch)(ws_host_socket *socket);

    /** Calls ws_host_run() once, after a time; 0: in this turn of the loop or in the next one. It
     * replaces the former time. */
    void (*run_after)(ws_host *host, uint64_t delay_ms);

    uint64_t (*now_ms)(void); /**< CLOCK_MONOTONIC */

    /** Frees the adapter, with the host in it. */
    void (*release)(ws_host *host);
} ws_host_hooks;

struct ws_host_socket {
    ws_host *host;           /**< whose it is */
    void *watcher;           /**< the adapter's */
    ws_websocket *websocket; /**< NULL: it is a listener */
    ws_host_socket *next;    /**< of the host's list */
    ws_host_socket **place;  /**< the pointer that points to this socket */
    int fd;                  /**< the descriptor */
    int events;              /**< what it is watched for */
};

struct ws_host {
    const ws_host_hooks *hooks;
    ws_manager *manager;
    ws_loop *loop;
    ws_endpoint *endpoint;
    ws_host_socket *clients;
    ws_host_socket *listeners;
    uint64_t accept_again_ms; /**< the listeners are not watched before; 0: they are */
    int will_run;             /**< ws_host_run() is called in this turn or in the next one */
    int draining;
    void (*on_drained)(void *user_data); /**< NULL: nobody waits for it */
    void *user_data;
};

/** @name For adapters
 * @{
 */

/** Has ws_host_run() called soon, once for all calls until then. */
static inline void ws_host_run_soon(ws_host *host)
{
    if (!host->will_run)
        host->hooks->run_after(host, 0);
    host->will_run = 1;
}

/** Sets up a host, in memory that is zeroed. After an error nothing is to be undone.
 *
 * @param wake  makes the loop call ws_host_run() soon, from any thread; gets the host. It may still
 *              be called until the loop is freed, so `release` ends it.
 */
static inline int ws_host_init(ws_host *host, const ws_host_hooks *hooks, ws_manager *manager,
                               const ws_endpoint_options *options, ws_wake_callback *wake)
{
    ws_loop_options loop_options;
    int result;

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

static inline int ws_host_watch(ws_host_socket *socket, int events)
{
    int result = WS_OK;

    if (socket->events != events)
        result = socket->host->hooks->watch(socket, events);
    if (result == WS_OK)
        socket->events = events;
    return result;
}

static inline void ws_host_drop(ws_host_socket *socket)
{
    *socket->place = socket->next;
    if (socket->next != NULL)
        socket->next->place = socket->place;
    ws_websocket_free(socket->websocket);
    socket->host->hooks->unwatch(socket);
    close(socket->fd);
    free(socket);
}

static inline void ws_host_drop_all(ws_host_socket *first)
{
    while (first != NULL) {
        ws_host_socket *next = first->next;

        ws_host_drop(first);
        first = next;
    }
}

/* On success the descriptor is the host's. */
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

/** Takes over a socket that is connected to a client whose handshake comes next.
 *
 * @param host  the host
 * @param fd    a stream socket; it becomes non-blocking
 *
 * @retval WS_OK            the socket is the host's
 * @retval WS_ERR_DRAINING  ws_host_drain() was called
 * @return any error of ws_websocket_new(), or #WS_ERR_SYSTEM if the loop can't watch the socket: it
 * stays the caller's
 */
static inline int ws_host_adopt(ws_host *host, int fd)
{
    int flags = fcntl(fd, F_GETFL);
    int one = 1;

    if (host->draining)
        return WS_ERR_DRAINING;
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return WS_ERR_SYSTEM;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* fails on a Unix socket */
    ws_host_run_soon(host); /* the handshake has a deadline, perhaps the next one */
    return ws_host_add(host, fd, &host->clients);
}

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

/** Reads from and writes to a socket that is ready.
 *
 * @param socket  which may be gone afterwards
 * @param events  of enum ws_host_events; both after an error
 */
static inline void ws_host_ready(ws_host_socket *socket, int events)
{
    int result = WS_OK;

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

/** Runs the library, and writes what it has for the clients. The host may be freed afterwards. */
static inline void ws_host_run(ws_host *host)
{
    uint64_t now_ms = host->hooks->now_ms();
    uint64_t due_ms;
    ws_websocket *websocket;

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
        void (*on_drained)(void *) = host->on_drained;

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
 * @retval WS_OK             the socket is the host's
 * @retval WS_ERR_DRAINING   ws_host_drain() was called
 * @retval WS_ERR_NO_MEMORY  an allocation failed; the socket stays the caller's
 * @retval WS_ERR_SYSTEM     the loop can't watch the socket, which stays the caller's
 */
static inline int ws_host_listen_fd(ws_host *host, int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (host->draining)
        return WS_ERR_DRAINING;
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
 * @retval WS_ERR_SYSTEM   the address is in use, or can't be listened on: `errno` tells why
 * @return any error of ws_host_listen_fd()
 */
static inline int ws_host_listen(ws_host *host, const char *address, uint16_t port)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    int one = 1;
    int result = WS_ERR_SYSTEM;
    int is_v4, fd;

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

/** Shuts the host down: it stops listening, and all clients of the manager are sent away as by
 * ws_manager_drain(), which says how long that may take.
 *
 * @param host        the host
 * @param options     copied; NULL for the defaults
 * @param on_drained  called once, by the loop, when the host's last client is gone; it may free the
 *                    host; NULL for none
 * @param user_data   passed to `on_drained`
 *
 * @return the results of ws_manager_drain(); after an error the host goes on
 */
static inline int ws_host_drain(ws_host *host, const ws_drain_options *options,
                                void (*on_drained)(void *user_data), void *user_data)
{
    int result = ws_manager_drain(host->manager, options);

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
 * Not within a callback of the manager, except `on_drained`.
 *
 * @param host  the host; NULL does nothing
 */
static inline void ws_host_free(ws_host *host)
{
    if (host == NULL)
        return;
    ws_host_drop_all(host->clients);
    ws_host_drop_all(host->listeners);
    ws_loop_free(host->loop); /* from here on nobody wakes it */
    ws_endpoint_free(host->endpoint);
    host->hooks->release(host);
}

WS_END_DECLS

#endif
