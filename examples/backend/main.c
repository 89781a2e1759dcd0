/* main.c: the backend from its command line to its exit status.
 * The main thread only waits for a signal; the work is done by the server's threads. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <ws_manager/ws_manager.h>

#include "api.h"
#include "app.h"
#include "descriptors.h"
#include "http_request.h"
#include "log.h"
#include "options.h"
#include "private_file.h"
#include "server.h"

enum { EXIT_OK = 0, EXIT_BAD = 2, PROBLEM_BYTES = 512 };

/* Prints what is wrong, in one line whatever the user typed. */
static int refuse(char *problem)
{
    for (char *at = problem; *at != '\0'; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7F)
            *at = '?';
    fprintf(stderr, "orders-backend: %s\n", problem);
    return EXIT_BAD;
}

/* Blocks the signals that the server waits for: SIGINT and SIGTERM, and SIGHUP, which must not end
 * it without draining its clients. Its threads inherit the mask. */
static void block_signals(sigset_t *signals)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* to the store, a file at its size limit is a full disk */
    sigemptyset(signals);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, signals, NULL);
}

static int serve(struct app *app, const sigset_t *signals)
{
    const struct options *options = app->options;
    char problem[PROBLEM_BYTES];
    struct server server;

    if (options->tls_cert_file != NULL) {
        app->tls =
            tls_open(options->tls_cert_file, options->tls_key_file, problem, sizeof problem);
        if (app->tls == NULL)
            return refuse(problem);
    }
    if (!server_start(&server, app, signals, problem, sizeof problem)) {
        tls_close(app->tls);
        return refuse(problem);
    }
    log_line(WS_LOG_INFO, "started, version %s, %u threads, database %s", ws_manager_version(),
             (unsigned)options->threads, options->db_file);
    if (options->lacks_descriptors)
        log_line(options->wants_descriptors ? WS_LOG_WARN : WS_LOG_INFO,
                 "--max-connections is %u, because the process may have too few descriptors; "
                 "raise their limit (ulimit -n, LimitNOFILE=)",
                 (unsigned)options->max_connections);
    printf("listening on %s\n", server.url);
    if (server.admin_url[0] != '\0')
        printf("admin listening on %s\n", server.admin_url);
    fflush(stdout);
    server_run(&server);
    tls_close(app->tls);
    log_line(WS_LOG_INFO, "stopped");
    return EXIT_OK;
}

/* Only a process of that name emits them. */
static void log_events_of_others(const struct app *app, const char *node)
{
    char name[WS_NAME_MAX + 1];
    int64_t count = 0;

    if (store_begin(app->store, STORE_READ) != STORE_OK)
        return;
    if (store_outbox_of_others(app->store, node, &count, name, sizeof name) == STORE_OK &&
        count > 0)
        log_line(WS_LOG_INFO,
                 "%" PRId64
                 " events in the outbox wait for processes with another --node, such "
                 "as \"%s\"",
                 count, name);
    store_end(app->store);
}

static bool open_realtime(struct app *app, char *problem, size_t size)
{
    int result = realtime_open(&app->realtime, app->options, &app->access);

    if (result != WS_OK) {
        snprintf(problem, size, "the library cannot be set up: %s", ws_strerror(result));
        return false;
    }
    if (!cluster_open(&app->cluster, app->options, app->realtime.manager, problem, size)) {
        realtime_close(&app->realtime);
        return false;
    }
    return true;
}

/* Opens what the threads share. False with a line in `problem`, and nothing left open. */
static bool open_app(struct app *app, char *problem, size_t size)
{
    const struct options *options = app->options;
    char reason[PROBLEM_BYTES / 2];

    if (!access_open(&app->access, options, problem, size))
        return false;
    if (options->jwt_secret_file != NULL)
        private_file_check("--jwt-secret-file", options->jwt_secret_file);
    if (!static_files_open(&app->static_files, options->static_dir)) {
        snprintf(problem, size, "--static: %s: %s", options->static_dir, strerror(errno));
        goto fail_static_files;
    }
    app->store = store_open(options->db_file, options->threads, reason, sizeof reason);
    if (app->store == NULL) {
        snprintf(problem, size, "--db: %s: %s", options->db_file, reason);
        goto fail_store;
    }
    private_file_check("--db", options->db_file);
    if (!address_table_open(&app->addresses, options->max_per_address)) {
        snprintf(problem, size, "--max-per-address: %s", strerror(errno));
        goto fail_addresses;
    }
    if (open_realtime(app, problem, size)) {
        const char *node = options->node != NULL ? options->node : "";

        outbox_open(&app->outbox, app->store, app->realtime.manager, node);
        log_events_of_others(app, node);
        stats_cache_open(&app->stats_cache, api_stats_text, app);
        return true;
    }
    address_table_close(&app->addresses);
fail_addresses:
    store_close(app->store);
fail_store:
    static_files_close(&app->static_files);
fail_static_files:
    access_close(&app->access);
    return false;
}

static void close_app(struct app *app)
{
    stats_cache_close(&app->stats_cache);
    outbox_close(&app->outbox);
    cluster_close(&app->cluster);
    realtime_close(&app->realtime);
    address_table_close(&app->addresses);
    store_close(app->store);
    static_files_close(&app->static_files);
    access_close(&app->access);
}

static int run(const struct options *options, const sigset_t *signals)
{
    struct app app = {.options = options};
    char problem[PROBLEM_BYTES];
    int status;

    if (!open_app(&app, problem, sizeof problem))
        return refuse(problem);
    status = serve(&app, signals);
    close_app(&app);
    return status;
}

int main(int argc, char **argv)
{
    char problem[PROBLEM_BYTES];
    struct options options;
    sigset_t signals;

    switch (options_parse(argc, argv, &options, problem, sizeof problem)) {
    case OPTIONS_HELP:
        fputs(options_help(), stdout);
        return EXIT_OK;
    case OPTIONS_BAD:
        return refuse(problem);
    case OPTIONS_OK:
        break;
    }
    log_set_level(options.log_level);
    descriptors_limit(&options);
    block_signals(&signals);
    return run(&options, &signals);
}
