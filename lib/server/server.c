/* server.c: starts and ends the threads with their loops and listeners.
 * The loop itself is in loop_run.c. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/core_count.h"
#include "base/options.h"
#include "base/sigpipe.h"
#include "server/connection/loop.h"
#include "server/loop_run.h"
#include "server/parts/server_state.h"

enum { MOST_THREADS = 256 /* the most loops of a manager */, PROBLEM_BYTES = 512 };

static const ws_server_options defaults = {
    .size = sizeof defaults,
    .listen = "127.0.0.1:8080",
    .fd = -1,
    .stop_timeout_ms = 3000,
    .retry_spread_ms = 5000,
    .log_level = WS_LOG_INFO,
};

void ws_server_options_init_size(ws_server_options *options, size_t size)
{
    options_init(options, size, &defaults, sizeof defaults);
}

/* Reports why the server cannot start; returns `result`. */
__attribute__((format(printf, 3, 4))) static int explain(const struct ws_server *server,
                                                         int result, const char *format, ...)
{
    const ws_server_options *options = &server->options;
    char text[PROBLEM_BYTES];
    va_list arguments;

    va_start(arguments, format);
    /* clang-tidy 14 takes it for uninitialized. NOLINTNEXTLINE(clang-analyzer-valist.*) */
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (options->problem != NULL && options->problem_size > 0)
        snprintf(options->problem, options->problem_size, "%s", text);
    else
        server_log_line(&server->log, WS_LOG_ERROR, "%s", text);
    return result;
}

/* --- options ------------------------------------------------------------------------- */

static int parse_listeners(struct ws_server *server)
{
    const ws_server_options *options = &server->options;

    if (options->listen == NULL || !listen_parse(options->listen, 0, &server->listen))
        return explain(server, WS_ERR_INVALID,
                       "listen: '%s' is neither ADDRESS:PORT, unix:PATH nor systemd",
                       options->listen != NULL ? options->listen : "");
    if (options->admin_listen != NULL &&
        !listen_parse(options->admin_listen, server->listen.kind == LISTEN_SYSTEMD,
                      &server->admin))
        return explain(server, WS_ERR_INVALID,
                       "admin_listen: '%s' is neither ADDRESS:PORT, unix:PATH nor systemd",
                       options->admin_listen);
    return WS_OK;
}

/* Arrays and what they count. */
static int check_arrays(const struct ws_server *server)
{
    const ws_server_options *options = &server->options;
    const char *wrong = NULL;

    if (options->n_trusted_proxies > 0 && options->trusted_proxies == NULL)
        wrong = "n_trusted_proxies";
    else if (options->n_origins > 0 && options->origins == NULL)
        wrong = "n_origins";
    else if (options->n_routes > 0 && options->routes == NULL)
        wrong = "n_routes";
    return wrong == NULL ? WS_OK
                         : explain(server, WS_ERR_INVALID, "%s: the array is NULL", wrong);
}

static int parse_proxies(struct ws_server *server)
{
    const ws_server_options *options = &server->options;

    for (size_t i = 0; i < options->n_trusted_proxies; i++) {
        const char *text = options->trusted_proxies[i];
        const char *wrong =
            text != NULL ? address_ranges_add(&server->trusted_proxies, text) : "is NULL";

        if (wrong != NULL)
            return explain(server, WS_ERR_INVALID, "trusted_proxies: '%s' %s",
                           text != NULL ? text : "", wrong);
    }
    return WS_OK;
}

static int parse_origins(struct ws_server *server)
{
    const ws_server_options *options = &server->options;

    for (size_t i = 0; i < options->n_origins; i++) {
        const char *text = options->origins[i];
        const char *wrong = text != NULL ? origin_rules_add(&server->origins, text) : "is NULL";

        if (wrong != NULL)
            return explain(server, WS_ERR_INVALID, "origins: '%s' %s", text != NULL ? text : "",
                           wrong);
    }
    return WS_OK;
}

static int copy_path(const struct ws_server *server, const char *name, const char *from,
                     char to[ROUTE_PATH_BYTES])
{
    if (from != NULL && (from[0] != '/' || strlen(from) >= ROUTE_PATH_BYTES))
        return explain(server, WS_ERR_INVALID,
                       "%s: '%s' must begin with '/' and have at most %d bytes", name, from,
                       ROUTE_PATH_BYTES - 1);
    strcpy(to, from != NULL ? from : "");
    return WS_OK;
}

static int check_options(struct ws_server *server)
{
    ws_server_options *options = &server->options;
    int result;

    if (options->threads > MOST_THREADS)
        return explain(server, WS_ERR_INVALID, "threads: at most %d", MOST_THREADS);
    if (options->threads == 0)
        options->threads = core_count(MOST_THREADS);
    if ((options->tls_cert_file == NULL) != (options->tls_key_file == NULL))
        return explain(server, WS_ERR_INVALID,
                       "tls_cert_file and tls_key_file must be given together");
    if ((options->fd >= 0) != (options->on_fd != NULL))
        return explain(server, WS_ERR_INVALID, "fd and on_fd must be given together");
    result = parse_listeners(server);
    if (result == WS_OK)
        result = check_arrays(server);
    if (result == WS_OK)
        result = parse_proxies(server);
    if (result == WS_OK)
        result = parse_origins(server);
    if (result == WS_OK)
        result = copy_path(server, "health_path", options->health_path, server->health_path);
    if (result == WS_OK)
        result = copy_path(server, "metrics_path", options->metrics_path, server->metrics_path);
    return result;
}

static int open_tls(struct ws_server *server)
{
    const ws_server_options *options = &server->options;
    char problem[PROBLEM_BYTES];

    if (options->tls_cert_file == NULL)
        return WS_OK;
    server->tls = tls_open(options->tls_cert_file, options->tls_key_file, &server->log, problem,
                           sizeof problem);
    return server->tls != NULL ? WS_OK : explain(server, WS_ERR_INVALID, "%s", problem);
}

static int check_page(ws_handshake *handshake, void *user_data)
{
    (void)user_data;
    return ws_server_check_page(handshake);
}

static int open_routes(struct ws_server *server)
{
    int result = routes_open(&server->routes, server->manager, &server->options, check_page);

    return result == WS_OK ? WS_OK : explain(server, result, "routes: %s", ws_strerror(result));
}

/* What the loops need before they are made. */
static int open_parts(struct ws_server *server)
{
    int result = open_tls(server);

    if (result == WS_OK)
        result = open_routes(server);
    if (result == WS_OK &&
        !address_table_open(&server->addresses, server->options.max_per_address))
        result = explain(server, errno == ENOMEM ? WS_ERR_NO_MEMORY : WS_ERR_SYSTEM,
                         "max_per_address: %s", strerror(errno));
    return result;
}

/* --- loops and threads ----------------------------------------------------------------- */

static const char *scheme(const struct ws_server *server)
{
    return server->tls != NULL ? "https" : "http";
}

/* Explains a failed call of the system by errno. */
static int explain_errno(const struct ws_server *server, const char *what, const char *object)
{
    int error = errno;

    return explain(server, error == ENOMEM ? WS_ERR_NO_MEMORY : WS_ERR_SYSTEM,
                   "cannot %s%s: %s", what, object, strerror(error));
}

static int explain_listen(const struct ws_server *server, const char *url)
{
    return explain_errno(server, "listen on ", url);
}

/* Makes a loop listen; the address then has the port in use. False with errno. */
static bool add_listener(struct loop *loop, enum listener_kind kind,
                         struct listen_address *listen)
{
    int fd = listen_open(listen);
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

static int add_loop(struct ws_server *server)
{
    struct loop *loop = loop_new(server, server->n_loops);

    if (loop == NULL)
        return explain_errno(server, "make a thread's event loop", "");
    server->loops[server->n_loops++] = loop;
    return add_listener(loop, LISTENER_PUBLIC, &server->listen)
               ? WS_OK
               : explain_listen(server, server->url);
}

static int open_loops(struct ws_server *server)
{
    uint32_t n = server->options.threads;
    int result = WS_OK;

    listen_format(&server->listen, scheme(server), server->url, sizeof server->url);
    server->loops = calloc(n, sizeof *server->loops);
    server->threads = calloc(n, sizeof *server->threads);
    if (server->loops == NULL || server->threads == NULL)
        return explain_errno(server, "make the event loops", "");
    if (!listen_begin(&server->listen))
        return explain_listen(server, server->url);
    while (result == WS_OK && server->n_loops < n)
        result = add_loop(server);
    if (result != WS_OK)
        return result;
    atomic_store(&server->n_unaware, n);
    atomic_store(&server->n_running, n);
    listen_format(&server->listen, scheme(server), server->url, sizeof server->url);
    if (server->options.fd >= 0 &&
        !loop_watch_application(server->loops[0], server->options.fd))
        return explain_errno(server, "wait for input at the descriptor `fd`", "");
    return WS_OK;
}

/* The first loop has this listener, too: a thread of its own would be idle all day. */
static int open_admin(struct ws_server *server)
{
    if (server->admin.kind == LISTEN_NONE)
        return WS_OK;
    listen_format(&server->admin, scheme(server), server->admin_url, sizeof server->admin_url);
    if (!listen_begin(&server->admin) ||
        !add_listener(server->loops[0], LISTENER_ADMIN, &server->admin))
        return explain_listen(server, server->admin_url);
    listen_format(&server->admin, scheme(server), server->admin_url, sizeof server->admin_url);
    return WS_OK;
}

static void *run_thread(void *loop)
{
    loop_run(loop);
    return NULL;
}

/* The threads receive no signals, which are the application's. */
static int start_threads(struct ws_server *server)
{
    uint32_t first = server->options.caller_runs != 0;
    sigset_t all;
    sigset_t former;
    int error = 0;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &former);
    for (uint32_t i = first; i < server->n_loops && error == 0; i++) {
        error = pthread_create(&server->threads[server->n_threads], NULL, run_thread,
                               server->loops[i]);
        server->n_threads += error == 0;
    }
    pthread_sigmask(SIG_SETMASK, &former, NULL);
    errno = error;
    return error == 0 ? WS_OK : explain_errno(server, "start a thread", "");
}

static void begin_stop(struct ws_server *server)
{
    if (atomic_exchange(&server->stopping, true))
        return;
    for (uint32_t i = 0; i < server->n_loops; i++)
        loop_notify(server->loops[i]);
}

static void join(struct ws_server *server)
{
    for (uint32_t i = 0; i < server->n_threads; i++)
        pthread_join(server->threads[i], NULL);
    server->n_threads = 0;
}

/* Frees everything, after all threads have ended. */
static void end(struct ws_server *server)
{
    for (uint32_t i = 0; i < server->n_loops; i++)
        loop_free(server->loops[i]);
    listen_end(&server->listen);
    listen_end(&server->admin);
    free(server->threads);
    free(server->loops);
    address_table_close(&server->addresses);
    routes_close(&server->routes);
    tls_close(server->tls);
    pthread_mutex_destroy(&server->run_lock);
    free(server);
}

static int start(struct ws_server *server)
{
    int result = open_parts(server);

    if (result == WS_OK)
        result = open_loops(server);
    if (result == WS_OK)
        result = open_admin(server);
    if (result == WS_OK)
        result = start_threads(server);
    return result;
}

/* A server with these options, checked, that has nothing open. NULL is returned after an error. */
static int make(ws_manager *manager, const ws_server_options *options, struct ws_server **made)
{
    struct ws_server *server = calloc(1, sizeof *server);
    int result;

    *made = NULL;
    if (server == NULL)
        return WS_ERR_NO_MEMORY;
    pthread_mutex_init(&server->run_lock, NULL);
    server->manager = manager;
    server->process = getpid();
    server->options = defaults;
    server->listen.shared = server->admin.shared = -1;
    if (!options_copy(&server->options, sizeof server->options, options)) {
        free(server);
        return WS_ERR_INVALID;
    }
    server->log.callback = server->options.log;
    server->log.user_data = server->options.user_data;
    server->log.level = server->options.log_level;
    result = check_options(server);
    if (result != WS_OK) {
        free(server);
        return result;
    }
    *made = server;
    return WS_OK;
}

int ws_server_check_options(const ws_server_options *options)
{
    struct ws_server *server;
    int result = make(NULL, options, &server);

    free(server);
    return result;
}

int ws_server_start(ws_manager *manager, const ws_server_options *options, ws_server **server)
{
    int result;

    if (server == NULL)
        return WS_ERR_INVALID;
    *server = NULL;
    if (manager == NULL)
        return WS_ERR_INVALID;
    result = make(manager, options, server);
    if (result == WS_OK && ws_manager_is_draining(manager))
        result =
            explain(*server, WS_ERR_DRAINING,
                    "the manager is draining and accepts no clients; create a new manager");
    if (result == WS_OK)
        result = start(*server);
    if (result != WS_OK && *server != NULL) {
        begin_stop(*server);
        join(*server);
        end(*server);
        *server = NULL;
    }
    return result;
}

/* Whether this is the child of a fork(), which must leave the server alone: it has none of the
 * threads, and shares sockets, descriptors of epoll and the path of a Unix socket with the
 * parent. */
static bool is_parents(const struct ws_server *server, const char *function)
{
    if (server->process == getpid())
        return false;
    server_log_line(
        &server->log, WS_LOG_ERROR,
        "%s() did nothing: another process started the server, and a child of fork() "
        "must not use it",
        function);
    return true;
}

/* sendfile() has no MSG_NOSIGNAL. */
static void run_first_loop(struct ws_server *server)
{
    struct sigpipe sigpipe;

    sigpipe_block(&sigpipe);
    loop_run(server->loops[0]);
    sigpipe_restore(&sigpipe);
}

void ws_server_run(ws_server *server)
{
    if (server == NULL || server->options.caller_runs == 0 || is_parents(server, __func__))
        return;
    pthread_mutex_lock(&server->run_lock);
    if (!server->has_run)
        run_first_loop(server);
    server->has_run = true;
    pthread_mutex_unlock(&server->run_lock);
}

void ws_server_drain(ws_server *server)
{
    if (server != NULL && !is_parents(server, __func__))
        begin_stop(server);
}

void ws_server_stop(ws_server *server)
{
    if (server == NULL || is_parents(server, __func__))
        return;
    begin_stop(server);
    /* Unless another thread runs thread 0, its connections wait for this one. */
    ws_server_run(server);
    join(server);
}

void ws_server_free(ws_server *server)
{
    if (server == NULL || is_parents(server, __func__))
        return;
    ws_server_stop(server);
    end(server);
}

int ws_server_is_stopping(const ws_server *server)
{
    return server != NULL && atomic_load(&server->stopping);
}

const char *ws_server_url(const ws_server *server)
{
    return server != NULL ? server->url : NULL;
}

const char *ws_server_admin_url(const ws_server *server)
{
    return server != NULL ? server->admin_url : NULL;
}

int ws_server_reload_certificate(ws_server *server)
{
    if (server == NULL)
        return WS_ERR_INVALID;
    if (server->tls == NULL)
        return WS_ERR_NOT_FOUND;
    return tls_reload(server->tls) ? WS_OK : WS_ERR_FAILED;
}

void ws_server_wake(ws_server *server, uint32_t thread)
{
    if (server != NULL && thread < server->n_loops)
        loop_notify(server->loops[thread]);
}

int ws_server_get_stats(ws_server *server, ws_server_stats *stats)
{
    ws_server_stats values = {.size = sizeof values};

    if (server == NULL || stats == NULL)
        return WS_ERR_INVALID;
    values.sockets = atomic_load(&server->n_sockets);
    values.addresses_refused = address_table_refused(&server->addresses);
    return options_fill(stats, &values, sizeof values) ? WS_OK : WS_ERR_INVALID;
}
