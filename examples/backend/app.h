/* app.h: what every part of the running backend shares.
 * Set up by main() before the threads start. */
#ifndef BACKEND_APP_H
#define BACKEND_APP_H

#include <stdbool.h>
#include <stdint.h>

#include "access.h"
#include "cluster.h"
#include "options.h"
#include "outbox.h"
#include "realtime.h"
#include "static_files.h"
#include "stats_cache.h"
#include "store.h"
#include "thread.h"
#include <ws_manager/server.h>

struct app {
    const struct options *options;
    struct access access;
    struct realtime realtime;
    struct cluster cluster;
    struct static_files static_files;
    struct store *store;
    struct outbox outbox;
    struct stats_cache stats_cache;
    struct thread *threads; /* of the server */
    ws_server *server;
    int epoll;   /* for what the first thread of the server waits for beside clients */
    int signals; /* a signalfd in it */
};

#endif
