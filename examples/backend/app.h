/* app.h: what every part of the running backend shares.
 * Set up by main() before the threads start; only `stopping` changes afterwards. */
#ifndef BACKEND_APP_H
#define BACKEND_APP_H

#include <stdatomic.h>
#include <stdbool.h>

#include "options.h"
#include "realtime.h"
#include "static_files.h"
#include "store.h"
#include "tls.h"

struct app {
    const struct options *options;
    struct realtime realtime;
    struct static_files static_files;
    struct store *store;
    struct tls *tls;      /* NULL: plain HTTP */
    atomic_bool stopping; /* new connections are refused, old ones come to their end */
};

#endif
