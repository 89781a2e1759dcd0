/* log_pace.h: how often lines may be written to a log about what may happen at any rate. For all
 * threads. The example backend uses it too. */
#ifndef WS_SERVER_LOG_PACE_H
#define WS_SERVER_LOG_PACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Limits a line about what may fail repeatedly to one per second. All zero at first. */
struct log_pause {
    _Atomic uint64_t next_ms;
};

/* True if the line may be written. */
bool log_pause_take(struct log_pause *pause);

/* Limits lines about what strangers can cause to ten per second. All zero at first. */
struct log_share {
    _Atomic uint64_t until_ms;
    atomic_uint count;
    atomic_uint left_out;
};

/* True if a line may be written. *left_out is then how many were left out since the last one. */
bool log_share_take(struct log_share *share, unsigned *left_out);

#endif
