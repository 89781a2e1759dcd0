/* server_state.h: what every part of a running server shares.
 * Set up by ws_server_start() before the threads start; only the atomic members change
 * afterwards. */
#ifndef WS_SERVER_SERVER_STATE_H
#define WS_SERVER_SERVER_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/parts/address.h"
#include "server/parts/address_table.h"
#include "server/parts/listen.h"
#include "server/parts/origin.h"
#include "server/parts/routes.h"
#include "server/parts/server_log.h"
#include "server/parts/tls.h"
#include <ws_manager/server.h>

struct loop;

enum { SERVER_URL_BYTES = 160 };

struct ws_server {
    ws_manager *manager;
    pid_t process;             /* that has the threads, and to which the sockets belong */
    ws_server_options options; /* texts and arrays are the caller's: not used after the start */
    char health_path[ROUTE_PATH_BYTES]; /* "": none */
    char metrics_path[ROUTE_PATH_BYTES];
    struct server_log log;
    struct routes routes;
    struct origin_rules origins;
    struct address_ranges trusted_proxies;
    struct address_table addresses; /* with max_per_address */
    struct tls *tls;                /* NULL: plain HTTP */
    struct listen_address listen;
    struct listen_address admin; /* LISTEN_NONE: there is none */
    char url[SERVER_URL_BYTES];
    char admin_url[SERVER_URL_BYTES]; /* "": there is none */
    struct loop **loops;
    uint32_t n_loops;
    pthread_t *threads;
    uint32_t n_threads;
    pthread_mutex_t run_lock; /* held while ws_server_run() runs the first loop */
    bool has_run;             /* it has */
    _Atomic size_t n_sockets; /* of clients, in all loops */
    _Atomic size_t n_files;   /* of answers that are being written, in all loops */
    atomic_bool stopping;     /* new connections are refused, existing ones are drained */
    /* Loops that may still be answering a request from before `stopping`. At 0, the events of all
     * answered requests have been emitted, and closing the WebSockets loses none. */
    _Atomic uint32_t n_unaware;
    _Atomic uint32_t n_running; /* loops that have not ended */
};

#endif
