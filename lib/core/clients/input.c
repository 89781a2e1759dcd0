/* input.c: serving what clients sent, round-robin by cost. */
#include "core/clients/input.h"

#include "core/account.h"
#include "core/clients/disconnect.h"
#include "core/loop_state.h"
#include "core/work.h"

enum {
    QUANTUM = 512, /* of one connection in a round: 64 small messages, 8 that call back */
    CHARGE_MAX = 65536
};

bool input_may_go_on(const ws_loop *loop, const struct input *input)
{
    return input->credit > 0 && loop->doomed == NULL && !work_holds_clients_back(loop);
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

        if (input == NULL || work_holds_clients_back(loop))
            break;
        input_list_remove(&loop->inputs, input);
        input->credit = input->credit > 0 ? QUANTUM : input->credit + QUANTUM;
        if (input->credit <= 0) {
            input_list_add(&loop->inputs, input);
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

    loop_assert_thread(loop);
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
