/* server.h: the threads with their loops and listeners, from the first to the last.
 * What happens in a loop is loop.h. */
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
    uint32_t n_threads; /* how many run beside the caller's */
    char url[64];       /* where it listens */
    char admin_url[64]; /* likewise for --admin-listen; "" without */
};

/* Listens and starts the threads; these signals, which are blocked, are to end it, SIGHUP to load
 * its certificate again. False with a line in `problem`, and nothing left. */
bool server_start(struct server *server, struct app *app, const sigset_t *signals,
                  char *problem, size_t problem_size);

/* Runs the first loop on the caller's thread (a process of one loop has one thread, and spares the
 * locks of libc). After a signal it ends all connections with good manners, which takes 3 seconds
 * at most, then the threads. */
void server_run(struct server *server);

#endif
