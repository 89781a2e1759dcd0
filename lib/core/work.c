/* work.c: the unfinished work that client messages and the stream have caused in loops. */
#include "core/work.h"

enum { WORK_MAX = 16384 }; /* two turns' worth */

static _Atomic uint64_t *work_of(ws_loop *loop, struct account account)
{
    return account.kind == ACCOUNT_CLIENT ? &loop->manager->client_work[account.loop]
                                          : &loop->cluster_work;
}

void work_add(ws_loop *loop, struct account account, uint32_t work)
{
    atomic_fetch_add(work_of(loop, account), work);
    if (account.kind == ACCOUNT_CLIENT)
        account_add_posted(work);
}

/* In the child of a fork() the sum may be less than the work of the parent's commands, so it
 * stops at 0. */
void work_done(ws_loop *loop, struct account account, uint32_t work)
{
    _Atomic uint64_t *sum = work_of(loop, account);
    uint64_t before = atomic_load(sum);

    while (!atomic_compare_exchange_weak(sum, &before, before > work ? before - work : 0))
        ;
}

bool work_is_behind(const ws_loop *loop)
{
    return atomic_load(&loop->cluster_work) >= WORK_MAX;
}

bool work_holds_clients_back(const ws_loop *loop)
{
    return atomic_load(&loop->manager->client_work[loop->number]) >= WORK_MAX;
}
