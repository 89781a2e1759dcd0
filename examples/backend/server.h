/* server.h: the threads with their loops and listeners, from the first to the last.
 * What happens in a loop is loop.h. */
#ifndef BACKEND_SERVER_H
#define BACKEND_SERVER_H

#include <pthread.h>
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
    uint32_t n_threads; /* how many run */
    char url[64];       /* where it listens */
};

/* Listens and starts the threads. False with a line in `problem`, and nothing left. */
bool server_start(struct server *server, struct app *app, char *problem, size_t problem_size);

/* Ends all connections with good manners, then the threads; takes 3 seconds at most. */
void server_stop(struct server *server);

#endif
