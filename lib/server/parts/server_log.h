/* server_log.h: the lines that a server hands to the application's log.
 * Levels are the library's enum ws_log_level. */
#ifndef WS_SERVER_SERVER_LOG_H
#define WS_SERVER_SERVER_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <ws_manager/manager.h>

/* Limits a line about what may fail repeatedly to one per second. All zero at first. */
struct server_log_pause {
    _Atomic uint64_t next_ms;
};

struct server_log {
    ws_log_callback *callback; /* NULL: nothing is logged */
    void *user_data;
    int level; /* lines above it are dropped */
    struct server_log_pause accepting;
    struct server_log_pause upgrading;

    /* Lines about what strangers can cause, ten per second. */
    _Atomic uint64_t share_until_ms;
    atomic_uint share_count;
    atomic_uint share_left_out;
};

/* Whether lines of this level are written. Any thread, like all functions here. */
static inline bool server_log_has(const struct server_log *log, int level)
{
    return log->callback != NULL && level <= log->level;
}

__attribute__((format(printf, 3, 4))) void server_log_line(const struct server_log *log,
                                                           int level, const char *format, ...);

bool server_log_may(struct server_log_pause *pause);

/* True if a line of this level about a stranger may be written; at level debug, all may.
 * *left_out is then how many were left out since the last one. */
bool server_log_may_share(struct server_log *log, int level, unsigned *left_out);

#endif
