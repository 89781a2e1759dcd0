/* list.h: the lists of a loop's recoveries, one for each condition that they wait for. */
#ifndef WS_CORE_RECOVERY_LIST_H
#define WS_CORE_RECOVERY_LIST_H

#include "core/recovery/state.h"

/* Adds the recovery at the end of the list for this condition. */
void recovery_list_add(struct recovery *recovery, enum recovery_wait wait);

/* Removes the recovery from its list and stops its timer. */
void recovery_list_remove(struct recovery *recovery);

/* Moves the recovery to the list for this condition. */
void recovery_list_move(struct recovery *recovery, enum recovery_wait wait);

/* The number of the page that holds the event after the recovery's position. */
static inline uint64_t recovery_page(const struct recovery *recovery)
{
    return page_number(recovery->position);
}

#endif
