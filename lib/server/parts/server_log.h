/* server_log.h: the lines that a server hands to the application's log.
 * Levels are the library's enum ws_log_level. */
#ifndef WS_SERVER_SERVER_LOG_H
#define WS_SERVER_SERVER_LOG_H

#include <stdbool.h>

#include <ws_manager/manager.h>

#include "server/parts/log_pace.h"

struct server_log {
    ws_log_callback *callback; /* NULL: nothing is logged */
    void *user_data;
    int level; /* lines above it are dropped */
    struct log_pause accepting;
    struct log_pause upgrading;
    struct log_share share; /* for lines about what strangers can cause */
};

/* Whether lines of this level are written. Any thread, like all functions here. */
static inline bool server_log_has(const struct server_log *log, int level)
{
    return log->callback != NULL && level <= log->level;
}

__attribute__((format(printf, 3, 4))) void server_log_line(const struct server_log *log,
                                                           int level, const char *format, ...);

/* True if a line of this level about a stranger may be written; at level debug, all may.
 * *left_out is then how many were left out since the last one. */
bool server_log_may_share(struct server_log *log, int level, unsigned *left_out);

#endif
