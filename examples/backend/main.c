/* main.c: the backend from its command line to its exit status.
 * What the server asks of it is in serve.c. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <ws_manager/ws_manager.h>

#include "api.h"
#include "app.h"
#include "descriptors.h"
#include "log.h"
#include "options.h"
#include "private_file.h"
#include "serve.h"

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
    if (open_realtime(app, problem, size)) {
        const char *node = options->node != NULL ? options->node : "";

        outbox_open(&app->outbox, app->store, app->realtime.manager, node);
        log_events_of_others(app, node);
        stats_cache_open(&app->stats_cache, api_stats_text, api_answer_stats, app);
        return true;
    }
    store_close(app->store);
fail_store:
    static_files_close(&app->static_files);
fail_static_files:
    access_close(&app->access);
    return false;
}

static void close_app(struct app *app)
{
    outbox_close(&app->outbox);
    cluster_close(&app->cluster);
    realtime_close(&app->realtime);
    store_close(app->store);
    static_files_close(&app->static_files);
    access_close(&app->access);
}

static int run(const struct options *options, const sigset_t *signals)
{
    struct app app = {.options = options};
    char problem[PROBLEM_BYTES];
    bool served;

    if (!serve_check(options, problem, sizeof problem) ||
        !open_app(&app, problem, sizeof problem))
        return refuse(problem);
    served = serve(&app, signals, problem, sizeof problem);
    stats_cache_close(&app.stats_cache);
    ws_server_free(app.server);
    close_app(&app);
    if (!served)
        return refuse(problem);
    log_line(WS_LOG_INFO, "stopped");
    return EXIT_OK;
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
