/* serve.c: the backend's server: its options, and what it asks of the backend.
 * What requests are answered with is in router.c. */
#include "serve.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "log.h"
#include "router.h"
#include "server/parts/monotonic_clock.h"
#include "session.h"
#include "wall_clock.h"

enum {
    LINE_BYTES = 1024,
    EVENTS_AT_ONCE = 8,
    ENDS_MS = 2,           /* for clients whose tokens have expired, in one turn */
    TOKEN_COST = 5 * 1024, /* a signature is checked: 3 µs (HMAC) to 90 µs (token_key.h) */
};

/* --- what the server says ------------------------------------------------------------- */

/* The server names its options as its header does; the user knows those of the command line. */
static void name_options(const char *line, char *named, size_t size)
{
    static const char *const names[][2] = {
        {"admin_listen: ", "--admin-listen: "},     {"listen: ", "--listen: "},
        {"tls_cert_file: ", "--tls-cert: "},        {"tls_key_file: ", "--tls-key: "},
        {"trusted_proxies: ", "--trusted-proxy: "},
    };
    static const char reload[] = "the certificate is not reloaded: ";
    const char *at = line;

    if (strncmp(line, reload, strlen(reload)) == 0)
        at += strlen(reload);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t length = strlen(names[i][0]);

        if (strncmp(at, names[i][0], length) == 0) {
            snprintf(named, size, "%.*s%s%s", (int)(at - line), line, names[i][1], at + length);
            return;
        }
    }
    snprintf(named, size, "%s", line);
}

static void on_log(int level, const char *line, void *user_data)
{
    char named[LINE_BYTES];

    (void)user_data;
    name_options(line, named, sizeof named);
    log_line(level, "%s", named);
}

/* --- requests ------------------------------------------------------------------------ */

static int accept_request(ws_server_request *request, void *user_data)
{
    struct http_response response;

    http_response_init(&response);
    if (router_accepts(user_data, request, &response))
        return WS_OK;
    http_response_send(&response, request);
    return WS_ERR_FORBIDDEN;
}

static void on_request(ws_server_request *request, void *user_data)
{
    struct http_response response;

    http_response_init(&response);
    router_answer(user_data, request, &response);
    http_response_send(&response, request);
}

static int classify_request(const ws_server_request *request, void *user_data)
{
    (void)user_data;
    return router_is_costly(request);
}

/* --- threads ------------------------------------------------------------------------- */

static void on_thread(uint32_t number, void *user_data)
{
    struct app *app = user_data;

    thread_begin(&app->threads[number], app->server);
}

/* Ends at least one client whose token has expired, and the others while there is time; the
 * rest in the next turn. A thousand clients in a thousand rooms each would take 250 ms. Returns
 * when the next token expires. */
static uint64_t end_expired(struct app *app, struct thread *thread, uint64_t now_ms)
{
    const uint64_t start_ms = monotonic_ms();
    const int64_t time_ms = wall_clock_ms();
    const struct expiry *next;

    while (session_end_expired(&thread->expiries, app->realtime.manager, time_ms))
        if (monotonic_ms() - start_ms >= ENDS_MS)
            break;
    next = expiry_first(&thread->expiries);
    if (next == NULL)
        return WS_NO_DEADLINE;
    return now_ms + (next->due_ms > time_ms ? (uint64_t)(next->due_ms - time_ms) : 0);
}

static uint64_t earlier(uint64_t one_ms, uint64_t other_ms)
{
    return one_ms < other_ms ? one_ms : other_ms;
}

static uint64_t run_timers(uint32_t number, uint64_t now_ms, void *user_data)
{
    struct app *app = user_data;
    struct thread *thread = &app->threads[number];
    uint64_t deadline_ms = disconnects_run(&thread->disconnects, app->realtime.manager, now_ms);

    if (expiry_first(&thread->expiries) != NULL)
        deadline_ms = earlier(deadline_ms, end_expired(app, thread, now_ms));
    if (number == 0)
        deadline_ms = earlier(deadline_ms, cluster_run(&app->cluster, now_ms));
    return earlier(deadline_ms, outbox_settle(&app->outbox, now_ms));
}

static void free_session(void *session, void *user_data)
{
    (void)user_data;
    session_free(session);
}

/* --- what the first thread waits for -------------------------------------------------- */

static void take_signal(struct app *app)
{
    struct signalfd_siginfo info;
    const char *name;

    if (read(app->signals, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    name = strsignal((int)info.ssi_signo);
    if (info.ssi_signo != SIGHUP) {
        log_line(WS_LOG_INFO, "stopping: %s", name);
        ws_server_drain(app->server);
    } else if (ws_server_reload_certificate(app->server) == WS_ERR_NOT_FOUND) {
        log_line(WS_LOG_INFO, "%s: there is no certificate to load again", name);
    }
}

static void on_fd(void *user_data)
{
    struct app *app = user_data;
    struct epoll_event events[EVENTS_AT_ONCE];
    int count = epoll_wait(app->epoll, events, EVENTS_AT_ONCE, 0);

    for (int i = 0; i < count; i++)
        if (events[i].data.ptr == &app->signals)
            take_signal(app);
        else
            cluster_event(&app->cluster, events[i].data.ptr, events[i].events);
}

/* Whether all that the threads caused is in Redis. Events that are not would wait in the
 * database for the next process of this name; orders, which only the client of Redis has, would
 * be lost. */
static int has_passed_all_on(void *user_data)
{
    struct app *app = user_data;

    return app->cluster.redis == NULL ||
           (outbox_is_stored(&app->outbox) && cluster_pending(&app->cluster) == 0);
}

static void log_lost(const struct app *app)
{
    uint64_t n = cluster_pending(&app->cluster);

    if (n > 0)
        log_line(WS_LOG_WARN,
                 "stopping: %" PRIu64
                 " events and commands did not reach Redis; the next process"
                 " of this name sends the events of the outbox, the others are lost",
                 n);
}

/* False with errno. */
static bool open_waiting(struct app *app, const sigset_t *signals)
{
    struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = &app->signals};

    app->threads = calloc(app->options->threads, sizeof *app->threads);
    app->epoll = epoll_create1(EPOLL_CLOEXEC);
    app->signals = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK);
    for (uint32_t i = 0; app->threads != NULL && i < app->options->threads; i++)
        app->threads[i].number = i;
    return app->threads != NULL && app->epoll >= 0 && app->signals >= 0 &&
           epoll_ctl(app->epoll, EPOLL_CTL_ADD, app->signals, &wanted) == 0;
}

static void close_waiting(struct app *app)
{
    for (uint32_t i = 0; app->threads != NULL && i < app->options->threads; i++)
        expiry_heap_free(&app->threads[i].expiries);
    free(app->threads);
    app->cluster.epoll = -1;
    if (app->signals >= 0)
        close(app->signals);
    if (app->epoll >= 0)
        close(app->epoll);
}

/* --- the server ---------------------------------------------------------------------- */

static void set_options(const struct options *ours, ws_server_options *options)
{
    ws_server_options_init(options);
    options->listen = ours->listen;
    options->admin_listen = ours->admin;
    options->threads = ours->threads;
    options->tls_cert_file = ours->tls_cert_file;
    options->tls_key_file = ours->tls_key_file;
    options->trusted_proxies = ours->trusted_proxies;
    options->n_trusted_proxies = ours->n_trusted_proxies;
    options->max_per_address = ours->max_per_address;
    options->max_descriptors = ours->max_descriptors;
    options->log = on_log;
    options->log_level = ours->log_level;
}

/* The first thread is the caller's, so that a process with one loop has one thread and libc
 * needs no locks. */
static void set_callbacks(struct app *app, ws_server_options *options)
{
    options->user_data = app;
    options->caller_runs = 1;
    options->accept_request = accept_request;
    options->accept_cost = access_needs_token(&app->access) ? TOKEN_COST : 0;
    options->on_request = on_request;
    options->classify_request = classify_request;
    options->on_thread = on_thread;
    options->run_timers = run_timers;
    options->fd = app->epoll;
    options->on_fd = on_fd;
    options->free_data = free_session;
    options->confirm_stop = has_passed_all_on;
}

static int start(struct app *app, char *problem, size_t size)
{
    ws_server_route routes[REALTIME_ROUTES];
    ws_server_options options;

    set_options(app->options, &options);
    set_callbacks(app, &options);
    options.routes = routes;
    options.n_routes = realtime_routes(&app->realtime, routes);
    options.problem = problem;
    options.problem_size = size;
    return ws_server_start(app->realtime.manager, &options, &app->server);
}

static void announce(const struct app *app)
{
    const struct options *options = app->options;

    log_line(WS_LOG_INFO, "started, version %s, %u threads, database %s", ws_manager_version(),
             (unsigned)options->threads, options->db_file);
    if (options->lacks_descriptors)
        log_line(options->wants_descriptors ? WS_LOG_WARN : WS_LOG_INFO,
                 "--max-connections is %u, because the process may have too few descriptors; "
                 "raise their limit (ulimit -n, LimitNOFILE=)",
                 (unsigned)options->max_connections);
    printf("listening on %s\n", ws_server_url(app->server));
    if (options->admin != NULL)
        printf("admin listening on %s\n", ws_server_admin_url(app->server));
    fflush(stdout);
}

bool serve_check(const struct options *options, char *problem, size_t size)
{
    ws_server_options checked;
    char line[LINE_BYTES] = "";
    int result;

    set_options(options, &checked);
    checked.problem = line;
    checked.problem_size = sizeof line;
    result = ws_server_check_options(&checked);
    name_options(line[0] != '\0' ? line : ws_strerror(result), problem, size);
    return result == WS_OK;
}

bool serve(struct app *app, const sigset_t *signals, char *problem, size_t size)
{
    char line[LINE_BYTES] = "";
    int result = WS_ERR_SYSTEM;

    if (open_waiting(app, signals)) {
        cluster_attach(&app->cluster, app->epoll);
        result = start(app, line, sizeof line);
    } else {
        snprintf(line, sizeof line, "the server cannot be set up: %s", strerror(errno));
    }
    if (result == WS_OK) {
        announce(app);
        ws_server_run(app->server);
        ws_server_stop(app->server);
        log_lost(app);
    } else {
        name_options(line[0] != '\0' ? line : ws_strerror(result), problem, size);
    }
    close_waiting(app);
    return result == WS_OK;
}
