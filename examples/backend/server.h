/* server.h: starts and ends the threads with their loops and listeners.
 * The loop itself is loop.h. */
#ifndef BACKEND_SERVER_H
#define BACKEND_SERVER_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "loop.h"

struct server {
    struct app *app;
    struct loop **loops;
    pthread_t *threads;
    uint32_t n_loops;
    uint32_t n_threads; /* threads other than the caller's */
    char url[64];       /* where it listens */
    char admin_url[64]; /* of --admin-listen; "" if there is none */
};

/* Listens and starts the threads. The signals, which must be blocked, end the server; SIGHUP
 * reloads its certificate. False with a line in `problem`; then nothing is left to free. */
bool server_start(struct server *server, struct app *app, const sigset_t *signals,
                  char *problem, size_t problem_size);

/* Runs the first loop on the caller's thread, so that a process with one loop has one thread and
 * libc needs no locks. After a signal it drains all connections, for 3 seconds at most, then ends
 * the threads. */
void server_run(struct server *server);

#endif
