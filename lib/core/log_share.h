/* log_share.h: limits the log lines that clients can cause repeatedly to ten a second, for each
 * kind of line and each loop. Not here: the lines. */
#ifndef WS_CORE_LOG_SHARE_H
#define WS_CORE_LOG_SHARE_H

#include <stdbool.h>
#include <stdint.h>

enum { LOG_SHARE_PER_SECOND = 10 };

struct log_share {
    uint64_t second;     /* of the loop's clock */
    uint32_t n_lines;    /* in that second */
    uint32_t n_left_out; /* since the last line */
};

/* True if a line may be written now. *n_left_out is the number of lines left out since the last
 * one. */
static inline bool log_share_take(struct log_share *share, uint64_t now_ms,
                                  uint32_t *n_left_out)
{
    if (share->second != now_ms / 1000) {
        share->second = now_ms / 1000;
        share->n_lines = 0;
    }
    if (share->n_lines == LOG_SHARE_PER_SECOND) {
        share->n_left_out++;
        return false;
    }
    share->n_lines++;
    *n_left_out = share->n_left_out;
    share->n_left_out = 0;
    return true;
}

#endif
