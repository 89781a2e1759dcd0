/* app.h: what every part of the running backend shares.
 * Set up by main() before the threads start; only the atomic members change afterwards. */
#ifndef BACKEND_APP_H
#define BACKEND_APP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "access.h"
#include "address_table.h"
#include "cluster.h"
#include "options.h"
#include "outbox.h"
#include "realtime.h"
#include "static_files.h"
#include "stats_cache.h"
#include "store.h"
#include "tls.h"

struct loop;

struct app {
    const struct options *options;
    struct access access;
    struct address_table addresses; /* with --max-per-address */
    struct realtime realtime;
    struct cluster cluster;
    struct static_files static_files;
    struct store *store;
    struct outbox outbox;
    struct stats_cache stats_cache;
    struct tls *tls; /* NULL: plain HTTP */
    struct loop *const *loops;
    uint32_t n_loops;
    _Atomic size_t n_sockets; /* of clients, in all loops */
    _Atomic size_t n_files;   /* of answers that are being written, in all loops */
    atomic_bool stopping;     /* new connections are refused, existing ones are drained */
    /* Loops that may still be answering a request from before `stopping`. At 0, the events of all
     * answered requests have been emitted, and closing the WebSockets loses none. */
    _Atomic uint32_t n_unaware;
    _Atomic uint32_t n_running; /* loops that have not ended */
};

#endif
