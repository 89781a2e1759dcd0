/* main.c: the backend from its command line to its exit status.
 * The main thread only waits for a signal; the work is done by the server's threads. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <ws_manager/ws_manager.h>

#include "app.h"
#include "http_request.h"
#include "log.h"
#include "options.h"
#include "server.h"

enum { EXIT_OK = 0, EXIT_BAD = 2, PROBLEM_BYTES = 512 };

/* Says what is wrong, in one line whatever the user typed. */
static int refuse(char *problem)
{
    for (char *at = problem; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7F) {
            *at = '?';
        }
    }
    fprintf(stderr, "orders-backend: %s\n", problem);
    return EXIT_BAD;
}

static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Leaves SIGINT and SIGTERM to the server, and SIGHUP if it has a certificate to load again; its
 * threads inherit that. */
static void block_signals(const struct options *options, sigset_t *signals)
{
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(signals);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGTERM);
    if (options->tls_cert_file != NULL) {
        sigaddset(signals, SIGHUP);
    }
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
        if (app->tls == NULL) {
            return refuse(problem);
        }
    }
    if (!server_start(&server, app, signals, problem, sizeof problem)) {
        tls_close(app->tls);
        return refuse(problem);
    }
    log_line(WS_LOG_INFO, "started, version %s, %u threads, database %s", ws_manager_version(),
             (unsigned)options->threads, options->db_file);
    printf("listening on %s\n", server.url);
    fflush(stdout);
    server_run(&server);
    tls_close(app->tls);
    log_line(WS_LOG_INFO, "stopped");
    return EXIT_OK;
}

static int run(const struct options *options, const sigset_t *signals)
{
    struct app app = {.options = options};
    char problem[PROBLEM_BYTES];
    char reason[PROBLEM_BYTES / 2];
    int status;
    int result;

    if (!static_files_open(&app.static_files, options->static_dir)) {
        snprintf(problem, sizeof problem, "--static: %s: %s", options->static_dir,
                 strerror(errno));
        return refuse(problem);
    }
    app.store = store_open(options->db_file, reason, sizeof reason);
    if (app.store == NULL) {
        snprintf(problem, sizeof problem, "--db: %s: %s", options->db_file, reason);
        static_files_close(&app.static_files);
        return refuse(problem);
    }
    result = realtime_open(&app.realtime, options);
    if (result == WS_OK) {
        status = serve(&app, signals);
        realtime_close(&app.realtime);
    } else {
        snprintf(problem, sizeof problem, "the library refuses to start: %s",
                 ws_strerror(result));
        status = refuse(problem);
    }
    store_close(app.store);
    static_files_close(&app.static_files);
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
    raise_file_limit();
    block_signals(&options, &signals);
    http_request_setup();
    return run(&options, &signals);
}
