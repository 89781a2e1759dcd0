/* input.c: serving what clients sent, round-robin by cost. */
#include "core/input.h"

#include "core/disconnect.h"
#include "core/loop.h"

enum {
    QUANTUM = 512, /* of one connection in a round: 64 small messages, 8 that call back */

    WORK_MAX = 16384, /* that waits: two turns' worth */
    CHARGE_MAX = 65536
};

/* --- the list -------------------------------------------------------------------------------- */

void input_list_add(ws_loop *loop, struct input *input)
{
    struct input_list *list = &loop->inputs;

    if (input->listed)
        return;
    input->listed = true;
    input->next = NULL;
    input->previous = list->last;
    if (list->last != NULL)
        list->last->next = input;
    else
        list->first = input;
    list->last = input;
    list->count++;
}

void input_list_remove(ws_loop *loop, struct input *input)
{
    struct input_list *list = &loop->inputs;

    if (!input->listed)
        return;
    input->listed = false;
    if (input->previous != NULL)
        input->previous->next = input->next;
    else
        list->first = input->next;
    if (input->next != NULL)
        input->next->previous = input->previous;
    else
        list->last = input->previous;
    list->count--;
}

/* --- what waits to be carried out ------------------------------------------------------------ */

static _Atomic uint64_t *work_of(ws_loop *loop, struct account account)
{
    return account.kind == ACCOUNT_CLIENT ? &loop->manager->client_work[account.loop]
                                          : &loop->cluster_work;
}

void input_work_add(ws_loop *loop, struct account account, uint32_t work)
{
    atomic_fetch_add(work_of(loop, account), work);
    if (account.kind == ACCOUNT_CLIENT)
        account_add_posted(work);
}

/* In the child of a fork() it may be less than what the parent's commands were. */
void input_work_done(ws_loop *loop, struct account account, uint32_t work)
{
    _Atomic uint64_t *sum = work_of(loop, account);
    uint64_t before = atomic_load(sum);

    while (!atomic_compare_exchange_weak(sum, &before, before > work ? before - work : 0))
        ;
}

bool input_is_behind(const ws_loop *loop)
{
    return atomic_load(&loop->cluster_work) >= WORK_MAX;
}

bool inputs_are_held_back(const ws_loop *loop)
{
    return atomic_load(&loop->manager->client_work[loop->number]) >= WORK_MAX;
}

/* --- turns ----------------------------------------------------------------------------------- */

bool input_may_go_on(const ws_loop *loop, const struct input *input)
{
    return input->credit > 0 && loop->doomed == NULL && !inputs_are_held_back(loop);
}

/* A large debt would only let the others go first for longer than there is any sense in. */
static uint32_t capped(uint32_t cost)
{
    return cost < CHARGE_MAX ? cost : CHARGE_MAX;
}

void input_charge(struct input *input, uint32_t cost, uint32_t *sum)
{
    cost = capped(cost) + capped(account_take_posted());
    *sum += cost;
    input->credit -= (int32_t)cost;
}

/* Each of those that are listed now once: what they cost, or 0 if none may be served. */
static uint32_t run_round(ws_loop *loop, uint32_t budget)
{
    uint32_t spent = 0;

    for (size_t left = loop->inputs.count; left > 0 && spent < budget; left--) {
        struct input *input = loop->inputs.first;

        if (input == NULL || inputs_are_held_back(loop))
            break;
        input_list_remove(loop, input);
        input->credit = input->credit > 0 ? QUANTUM : input->credit + QUANTUM;
        if (input->credit <= 0) {
            input_list_add(loop, input);
            spent++; /* so that a round of nothing but debtors is not taken for the end */
            continue;
        }
        spent += input->serve(loop, input);
        connections_settle(loop);
        /* The next one does not pay for what that brought about. */
        spent += capped(account_take_posted());
    }
    return spent;
}

bool inputs_run(ws_loop *loop, uint32_t *budget)
{
    struct account before = account_set_client(loop->number);
    bool served = false;

    account_take_posted();
    while (*budget > 0 && loop->inputs.count > 0) {
        uint32_t spent = run_round(loop, *budget);

        if (spent == 0)
            break;
        *budget -= spent < *budget ? spent : *budget;
        served = true;
    }
    account_set(before);
    return served;
}
