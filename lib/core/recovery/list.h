/* list.h: the lists of a loop's recoveries: each stands on the one of what it waits for. */
#ifndef WS_CORE_RECOVERY_LIST_H
#define WS_CORE_RECOVERY_LIST_H

#include "core/recovery/state.h"

/* Puts it at the end of the list where it belongs. */
void recovery_list_add(struct recovery *recovery, enum recovery_wait wait);

/* Takes it from its list, and stops its timer. */
void recovery_list_remove(struct recovery *recovery);

/* Both. */
void recovery_list_move(struct recovery *recovery, enum recovery_wait wait);

/* The page behind its position. */
static inline uint64_t recovery_page(const struct recovery *recovery)
{
    return page_number(recovery->position);
}

#endif
