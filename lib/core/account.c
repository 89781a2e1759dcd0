/* account.c: the account on which a thread posts commands. */
#include "core/account.h"

static _Thread_local struct account now;
static _Thread_local uint32_t posted;

struct account account_set(struct account account)
{
    struct account before = now;

    now = account;
    return before;
}

struct account account_now(void)
{
    return now;
}

void account_add_posted(uint32_t cost)
{
    posted = cost < UINT32_MAX - posted ? posted + cost : UINT32_MAX;
}

uint32_t account_take_posted(void)
{
    uint32_t taken = posted;

    posted = 0;
    return taken;
}
