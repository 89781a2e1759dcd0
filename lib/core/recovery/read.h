/* read.h: what a client that comes back missed. Not here: giving it to the client
 * (recovery.h). */
#ifndef WS_CORE_RECOVERY_READ_H
#define WS_CORE_RECOVERY_READ_H

#include "core/recovery/state.h"

enum { RECOVERY_READ_AT_ONCE = 64 /* events, for which the lock is held */ };

/* What is to be done next: deliver, or nothing more for now, or something else. */
enum read_result {
    READ_SOME,
    READ_ALL,
    READ_LOST,
    READ_NO_MEMORY,
    READ_WAITS_FOR_EPOCH,
    READ_WAITS_FOR_PAGE,
    READ_WAITS_FOR_POSITION
};

/* Whether the history still has everything behind its position. The lock is held. */
bool recovery_is_kept(const struct recovery *recovery, int64_t now_ms);

/* The next events that it missed, each with a reference; with them it has everything up to position
 * *until. */
enum read_result recovery_read(struct recovery *recovery,
                               ws_message *messages[RECOVERY_READ_AT_ONCE], size_t *count,
                               uint64_t *until);

/* It reads no more. */
void recovery_read_end(struct recovery *recovery);

#endif
