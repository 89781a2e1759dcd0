/* log_share.h: how much of the log clients may fill: of each kind of line that they can bring about
 * again and again, ten a second of each loop. Not here: the lines. */
#ifndef WS_CORE_LOG_SHARE_H
#define WS_CORE_LOG_SHARE_H

#include <stdbool.h>
#include <stdint.h>

enum { LOG_SHARE_PER_SECOND = 10 };

struct log_share {
    uint64_t second;     /* of the loop's clock */
    uint32_t n_lines;    /* in it */
    uint32_t n_left_out; /* since a line was written */
};

/* True if a line may be written; *n_left_out is how many were not since the one before. */
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
