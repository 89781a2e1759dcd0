/* server.c: starts and ends the threads with their loops and listeners.
 * The loop itself is in loop.c. */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ws_manager/ws_manager.h>

#include "log.h"

enum { BACKLOG = 4096 };

/* A socket bound to the address; -1 with errno. */
static int bind_socket(const struct sockaddr_storage *address, socklen_t length, int options)
{
    int on = 1;
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    /* Accepted sockets inherit TCP_NODELAY, which saves a system call for each. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        (options != 0 && setsockopt(fd, SOL_SOCKET, options, &on, sizeof on) != 0) ||
        bind(fd, (const struct sockaddr *)address, length) != 0) {
        int saved_errno = errno;

        close(fd);
        errno = saved_errno;
        return -1;
    }
    return fd;
}

/* With SO_REUSEPORT, a second server of the same user would silently share the port. A socket
 * without it detects the first one. */
static bool is_address_free(const struct listen_address *listen)
{
    int fd = bind_socket(&listen->address, listen->length, 0);

    if (fd < 0)
        return false;
    close(fd);
    return true;
}

/* Opens a listener; the port of the first one becomes that of all. -1 with errno. */
static int open_listener(struct sockaddr_storage *address, socklen_t length)
{
    int fd = bind_socket(address, length, SO_REUSEPORT);

    if (fd < 0)
        return -1;
    if (listen(fd, BACKLOG) != 0 || getsockname(fd, (struct sockaddr *)address, &length) != 0) {
        int saved_errno = errno;

        close(fd);
        errno = saved_errno;
        return -1;
    }
    return fd;
}

/* Makes a loop listen; the address then has the port in use. False with errno. */
static bool add_listener(struct loop *loop, enum listener_kind kind,
                         struct listen_address *listen)
{
    int fd = open_listener(&listen->address, listen->length);
    int saved_errno;

    if (fd < 0)
        return false;
    if (loop_listen(loop, kind, fd))
        return true;
    saved_errno = errno;
    close(fd);
    errno = saved_errno;
    return false;
}

static bool add_loop(struct server *server, struct listen_address *listen)
{
    struct loop *loop = loop_new(server->app);

    if (loop == NULL)
        return false;
    if (server->n_loops == 0)
        loop_attach_cluster(loop, &server->app->cluster);
    server->loops[server->n_loops++] = loop;
    return add_listener(loop, LISTENER_PUBLIC, listen);
}

static void format_url(const struct app *app, const struct sockaddr_storage *address, char *url,
                       size_t size)
{
    const char *scheme = app->tls != NULL ? "https" : "http";
    char host[INET6_ADDRSTRLEN] = "";

    if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

        inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
        snprintf(url, size, "%s://[%s]:%u", scheme, host, ntohs(v6->sin6_port));
    } else {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;

        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
        snprintf(url, size, "%s://%s:%u", scheme, host, ntohs(v4->sin_port));
    }
}

static void *run_thread(void *loop)
{
    loop_run(loop);
    return NULL;
}

static bool start_threads(struct server *server)
{
    while (server->n_threads + 1 < server->n_loops) {
        int error = pthread_create(&server->threads[server->n_threads], NULL, run_thread,
                                   server->loops[server->n_threads + 1]);

        if (error != 0) {
            errno = error;
            return false;
        }
        server->n_threads++;
    }
    return true;
}

static void begin_stop(struct server *server)
{
    atomic_store(&server->app->stopping, true);
    for (uint32_t i = 0; i < server->n_loops; i++)
        loop_wake(server->loops[i]);
}

static void on_signal(int number, void *user_data)
{
    struct server *server = user_data;

    if (number == SIGHUP) {
        if (server->app->tls != NULL)
            tls_reload(server->app->tls);
        else
            log_line(WS_LOG_INFO, "%s: there is no certificate to load again",
                     strsignal(number));
        return;
    }
    log_line(WS_LOG_INFO, "stopping: %s", strsignal(number));
    begin_stop(server);
}

static void end(struct server *server)
{
    for (uint32_t i = 0; i < server->n_threads; i++)
        pthread_join(server->threads[i], NULL);
    for (uint32_t i = 0; i < server->n_loops; i++)
        loop_free(server->loops[i]);
    free(server->threads);
    free(server->loops);
    *server = (struct server){0};
}

static bool start_loops(struct server *server, const sigset_t *signals)
{
    const struct options *options = server->app->options;
    struct listen_address listen = options->listen;

    format_url(server->app, &listen.address, server->url, sizeof server->url);
    server->loops = calloc(options->threads, sizeof *server->loops);
    server->threads = calloc(options->threads, sizeof *server->threads);
    if (server->loops == NULL || server->threads == NULL || !is_address_free(&listen))
        return false;
    while (server->n_loops < options->threads)
        if (!add_loop(server, &listen))
            return false;
    atomic_store(&server->app->n_unaware, server->n_loops);
    atomic_store(&server->app->n_running, server->n_loops);
    server->app->loops = server->loops;
    server->app->n_loops = server->n_loops;
    format_url(server->app, &listen.address, server->url, sizeof server->url);
    return loop_watch_signals(server->loops[0], signals, on_signal, server);
}

/* The first loop has this listener, too: a thread of its own would be idle all day. */
static bool start_admin(struct server *server)
{
    struct listen_address listen = server->app->options->admin;

    if (listen.length == 0)
        return true;
    format_url(server->app, &listen.address, server->admin_url, sizeof server->admin_url);
    if (!is_address_free(&listen) || !add_listener(server->loops[0], LISTENER_ADMIN, &listen))
        return false;
    format_url(server->app, &listen.address, server->admin_url, sizeof server->admin_url);
    return true;
}

bool server_start(struct server *server, struct app *app, const sigset_t *signals,
                  char *problem, size_t problem_size)
{
    *server = (struct server){.app = app};
    if (start_loops(server, signals) && start_admin(server) && start_threads(server))
        return true;
    snprintf(problem, problem_size, "cannot listen on %s%s%s: %s", server->url,
             server->admin_url[0] != '\0' ? " and " : "", server->admin_url, strerror(errno));
    begin_stop(server);
    end(server);
    return false;
}

void server_run(struct server *server)
{
    loop_run(server->loops[0]);
    end(server);
}
