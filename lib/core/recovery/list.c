/* list.c: the lists of a loop's recoveries, one for each condition that they wait for. */
#include "core/recovery/list.h"

static struct awaited_page *find_awaited(struct page_waits *waits, uint64_t number)
{
    for (size_t i = 0; i < PAGES_AWAITED_MAX; i++)
        if (waits->awaited[i].number == number)
            return &waits->awaited[i];
    return NULL;
}

static struct recovery_list *join_page(struct recovery *recovery)
{
    struct page_waits *waits = &recovery->connection->loop->recoveries->page_waits;
    struct awaited_page *awaited = find_awaited(waits, recovery_page(recovery));

    waits->count++;
    if (awaited == NULL)
        return &waits->later[recovery_page(recovery) % PAGE_LISTS];
    recovery->awaited = awaited;
    awaited->n_recoveries++;
    return &awaited->waiting;
}

static void leave_page(struct recovery *recovery)
{
    recovery->connection->loop->recoveries->page_waits.count--;
}

static struct recovery_list *list_for(ws_loop *loop, struct recovery *recovery)
{
    if (recovery->wait == RECOVERY_READY || recovery->wait == RECOVERY_LOST)
        return &loop->recoveries->ready;
    if (recovery->wait == RECOVERY_WAITS_FOR_PAGE)
        return join_page(recovery);
    return &loop->recoveries->waiting;
}

void recovery_list_add(struct recovery *recovery, enum recovery_wait wait)
{
    struct recovery_list *list;

    recovery->wait = (uint8_t)wait;
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
        leave_page(recovery);
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
