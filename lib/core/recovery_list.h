/* recovery_list.h: what a client that comes back waits for, and on which of its loop's lists it
 * stands therefore. Not here: what is done for those on them (recovery.h, page_waits.h). */
#ifndef WS_CORE_RECOVERY_LIST_H
#define WS_CORE_RECOVERY_LIST_H

#include <stddef.h>

struct recovery;

enum recovery_wait {
    RECOVERY_READY,          /* nothing */
    RECOVERY_WAITS_FOR_ROOM, /* in its transport's queue */
    RECOVERY_WAITS_FOR_EPOCH, /* the cluster is to be reached before its event can be looked for */
    RECOVERY_WAITS_FOR_PAGE,    /* what the history does not have is asked of the cluster */
    RECOVERY_WAITS_FOR_POSITION /* it has seen more of the stream elsewhere than came here */
};

struct recovery_list {
    struct recovery *first;
    struct recovery *last;
    size_t count;
};

/* Puts it at the end of the list where it belongs. */
void recovery_list_add(struct recovery *recovery, enum recovery_wait wait);

/* Takes it from its list, and stops its timer. */
void recovery_list_remove(struct recovery *recovery);

/* Both. */
void recovery_list_move(struct recovery *recovery, enum recovery_wait wait);

#endif
