/* log_limit.h: limits the log lines that others can cause repeatedly to ten a second, for each kind
 * of line and each loop, or each manager. Not here: the lines. */
#ifndef WS_CORE_LOG_LIMIT_H
#define WS_CORE_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

enum { LOG_LIMIT_PER_SECOND = 10 };

struct log_limit {
    uint64_t second;     /* of the caller's clock */
    uint32_t n_lines;    /* in that second */
    uint32_t n_left_out; /* since the last line */
};

/* True if a line may be written now. *n_left_out is the number of lines left out since the last
 * one. */
static inline bool log_limit_take(struct log_limit *limit, uint64_t now_ms,
                                  uint32_t *n_left_out)
{
    if (limit->second != now_ms / 1000) {
        limit->second = now_ms / 1000;
        limit->n_lines = 0;
    }
    if (limit->n_lines == LOG_LIMIT_PER_SECOND) {
        limit->n_left_out++;
        return false;
    }
    limit->n_lines++;
    *n_left_out = limit->n_left_out;
    limit->n_left_out = 0;
    return true;
}

#endif
