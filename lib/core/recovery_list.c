/* recovery_list.c: the lists of a loop's recoveries. */
#include "core/recovery_list.h"

#include "core/page_waits.h"
#include "core/recovery.h"

static struct recovery_list *list_for(ws_loop *loop, struct recovery *recovery)
{
    if (recovery->wait == RECOVERY_READY)
        return &loop->ready;
    if (recovery->wait == RECOVERY_WAITS_FOR_PAGE)
        return page_waits_join(recovery);
    return &loop->waiting;
}

void recovery_list_add(struct recovery *recovery, enum recovery_wait wait)
{
    struct recovery_list *list;

    recovery->wait = wait;
    list = recovery->list = list_for(recovery->connection->loop, recovery);
    recovery->next = NULL;
    recovery->previous = list->last;
    if (list->last != NULL)
        list->last->next = recovery;
    else
        list->first = recovery;
    list->last = recovery;
    list->count++;
}

void recovery_list_remove(struct recovery *recovery)
{
    struct recovery_list *list = recovery->list;

    timer_stop(&recovery->timer);
    if (recovery->wait == RECOVERY_WAITS_FOR_PAGE)
        page_waits_leave(recovery);
    if (recovery->previous != NULL)
        recovery->previous->next = recovery->next;
    else
        list->first = recovery->next;
    if (recovery->next != NULL)
        recovery->next->previous = recovery->previous;
    else
        list->last = recovery->previous;
    list->count--;
}

void recovery_list_move(struct recovery *recovery, enum recovery_wait wait)
{
    recovery_list_remove(recovery);
    recovery_list_add(recovery, wait);
}
