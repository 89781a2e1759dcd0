/* log.h: the backend's log: lines on stderr, each with time and level.
 * Levels are the library's enum ws_log_level. */
#ifndef BACKEND_LOG_H
#define BACKEND_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <ws_manager/manager.h>

/* Lines above this level are dropped. Called once, before the threads start. */
void log_set_level(int level);

/* Whether lines of this level are written. */
bool log_has(int level);

/* Writes one line. Any thread; a line is written in one piece, or left out and counted if stderr is
 * a pipe that is full. */
__attribute__((format(printf, 2, 3))) void log_line(int level, const char *format, ...);

/* Limits a line about what may fail repeatedly to one per second, over all threads. Must be
 * static, so that it begins as zero. */
struct log_pause {
    _Atomic uint64_t next_ms;
};

bool log_may(struct log_pause *pause);

/* Limits lines about what strangers can cause to ten per second, over all threads. Must be
 * static, too. */
struct log_share {
    _Atomic uint64_t until_ms;
    atomic_uint count;
    atomic_uint left_out;
};

/* True if a line of this level may be written; at level debug, all may. *left_out is then how many
 * were left out since the last one. */
bool log_may_share(struct log_share *share, int level, unsigned *left_out);

#endif
