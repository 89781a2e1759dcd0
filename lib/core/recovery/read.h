/* read.h: reads the events that a recovering client missed. Not here: their delivery
 * (recovery.h). */
#ifndef WS_CORE_RECOVERY_READ_H
#define WS_CORE_RECOVERY_READ_H

#include "core/recovery/state.h"

enum { RECOVERY_READ_AT_ONCE = 64 /* events read under one hold of the lock */ };

/* What the caller must do next: deliver the events (READ_SOME, READ_ALL), report a gap, or
 * wait. */
enum read_result {
    READ_SOME,
    READ_ALL,
    READ_LOST,
    READ_NO_MEMORY,
    READ_WAITS_FOR_EPOCH,
    READ_WAITS_FOR_PAGE,
    READ_WAITS_FOR_POSITION
};

/* Whether the history still has every event after the recovery's position. The lock is held. */
bool recovery_is_kept(const struct recovery *recovery, int64_t now_ms);

/* Reads the next missed events, each with a reference. After them the client has everything up
 * to position *until. */
enum read_result recovery_read(struct recovery *recovery,
                               ws_message *messages[RECOVERY_READ_AT_ONCE], size_t *count,
                               uint64_t *until);

/* Ends the reading. */
void recovery_read_end(struct recovery *recovery);

#endif
