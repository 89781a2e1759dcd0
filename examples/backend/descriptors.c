/* descriptors.c: how many file descriptors the process may have, and how many of them clients take.
 * What gives way when they have taken these is in connection.c: WebSockets of clients never do. */
#include "descriptors.h"

#include <stdint.h>
#include <sys/resource.h>

#include <ws_manager/server.h>

enum {
    FIXED = 64,                                      /* listeners, database, Redis, log */
    OF_LOOP = 4,                                     /* its own */
    HTTP_OF_LOOP = OF_LOOP + 2 * WS_SERVER_HTTP_MAX, /* an answer may have a file */
    LEAST_PART = 4,    /* the largest part for everything except WebSockets: a quarter */
    LEAST_RESERVE = 8, /* the largest part for descriptors that are not of clients: an eighth */
};

static rlim_t smaller(rlim_t one, rlim_t other)
{
    return one < other ? one : other;
}

void descriptors_limit(struct options *options)
{
    struct rlimit limit;
    rlim_t others = FIXED + (rlim_t)options->threads * HTTP_OF_LOOP;
    rlim_t reserve = FIXED + (rlim_t)options->threads * OF_LOOP;
    rlim_t most;

    options->max_descriptors = SIZE_MAX;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    if (limit.rlim_cur < limit.rlim_max) {
        rlim_t former = limit.rlim_cur;

        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
            limit.rlim_cur = former;
    }
    options->max_descriptors =
        limit.rlim_cur - smaller(reserve, limit.rlim_cur / LEAST_RESERVE);
    most = limit.rlim_cur - smaller(others, limit.rlim_cur / LEAST_PART);
    if (most >= (options->max_connections == 0 ? UINT32_MAX : options->max_connections))
        return;
    options->lacks_descriptors = true;
    options->wants_descriptors = options->max_connections != DEFAULT_MAX_CONNECTIONS;
    options->max_connections = (uint32_t)most;
}
