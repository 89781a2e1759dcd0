/* app.h: what every part of the running backend shares.
 * Set up by main() before the threads start; only `stopping` changes afterwards. */
#ifndef BACKEND_APP_H
#define BACKEND_APP_H

#include <stdatomic.h>
#include <stdbool.h>

#include "access.h"
#include "address_table.h"
#include "options.h"
#include "realtime.h"
#include "static_files.h"
#include "store.h"

struct app {
    const struct options *options;
    struct access access;
    struct address_table addresses; /* with --max-per-address */
    struct realtime realtime;
    struct static_files static_files;
    struct store *store;
    atomic_bool stopping; /* new connections are refused, old ones come to their end */
};

#endif
