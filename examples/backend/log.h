/* log.h: the backend's log: lines on stderr, each with time and level.
 * Levels are the library's enum ws_log_level. */
#ifndef BACKEND_LOG_H
#define BACKEND_LOG_H

#include <stdbool.h>

#include <ws_manager/manager.h>

#include "server/parts/log_pace.h" /* whose structs must be static here: they begin as zero */

/* Lines above this level are dropped. Called once, before the threads start. */
void log_set_level(int level);

/* Whether lines of this level are written. */
bool log_has(int level);

/* Writes one line. Any thread; a line is written in one piece, or left out and counted if stderr is
 * a pipe that is full. */
__attribute__((format(printf, 2, 3))) void log_line(int level, const char *format, ...);

/* True if a line of this level may be written; at level debug, all may. *left_out is then how many
 * were left out since the last one. */
bool log_may_share(struct log_share *share, int level, unsigned *left_out);

#endif
