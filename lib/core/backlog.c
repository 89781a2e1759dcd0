/* backlog.c: how much unfinished work client messages and the stream have caused in loops. */
#include "core/backlog.h"

enum { BACKLOG_MAX = 16384 }; /* two turns' worth */

static _Atomic uint64_t *backlog_of(ws_loop *loop, struct account account)
{
    return account.kind == ACCOUNT_CLIENT ? &loop->manager->client_backlog[account.loop]
                                          : &loop->stream_backlog;
}

void backlog_add(ws_loop *loop, struct account account, uint32_t work)
{
    atomic_fetch_add(backlog_of(loop, account), work);
    if (account.kind == ACCOUNT_CLIENT)
        account_add_posted(work);
}

/* In the child of a fork() the sum may be less than the work of the parent's commands, so it
 * stops at 0. */
void backlog_subtract(ws_loop *loop, struct account account, uint32_t work)
{
    _Atomic uint64_t *sum = backlog_of(loop, account);
    uint64_t before = atomic_load(sum);

    while (!atomic_compare_exchange_weak(sum, &before, before > work ? before - work : 0))
        ;
}

bool backlog_of_stream_is_long(const ws_loop *loop)
{
    return atomic_load(&loop->stream_backlog) >= BACKLOG_MAX;
}

bool backlog_holds_clients_back(const ws_loop *loop)
{
    return atomic_load(&loop->manager->client_backlog[loop->number]) >= BACKLOG_MAX;
}
