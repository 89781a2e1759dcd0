/* log_pace.c: how often lines may be written to a log. */
#include "server/parts/log_pace.h"

#include "server/parts/monotonic_clock.h"

enum { PAUSE_MS = 1000, LINES_A_PAUSE = 10 };

bool log_pause_take(struct log_pause *pause)
{
    uint64_t now_ms = monotonic_ms();
    uint64_t next_ms = atomic_load(&pause->next_ms);

    return now_ms >= next_ms &&
           atomic_compare_exchange_strong(&pause->next_ms, &next_ms, now_ms + PAUSE_MS);
}

bool log_share_take(struct log_share *share, unsigned *left_out)
{
    uint64_t now_ms = monotonic_ms();
    uint64_t until_ms = atomic_load(&share->until_ms);

    if (now_ms >= until_ms &&
        atomic_compare_exchange_strong(&share->until_ms, &until_ms, now_ms + PAUSE_MS))
        atomic_store(&share->count, 0);
    if (atomic_fetch_add(&share->count, 1) >= LINES_A_PAUSE) {
        atomic_fetch_add(&share->left_out, 1);
        *left_out = 0;
        return false;
    }
    *left_out = atomic_exchange(&share->left_out, 0);
    return true;
}
