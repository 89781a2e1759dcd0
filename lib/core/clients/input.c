/* input.c: serves the connections with client input, by deficit round-robin. */
#include "core/clients/input.h"

#include "core/account.h"
#include "core/clients/disconnect.h"
#include "core/loop_state.h"
#include "core/work.h"

enum {
    QUANTUM =
        512, /* budget of a connection in a round: 64 small messages, or 8 with a callback */
    CHARGE_MAX = 65536
};

bool input_may_go_on(const ws_loop *loop, const struct input *input)
{
    return input->credit > 0 && loop->doomed == NULL && !work_holds_clients_back(loop);
}

/* Limits a connection's debt: a larger one would only delay it without benefit to the
 * others. */
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

/* Serves each connection that is listed now once. Returns the cost, or 0 if none may be
 * served. */
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
            spent++; /* a round in which every connection is in debt is not the end */
            continue;
        }
        spent += input->serve(loop, input);
        connections_settle(loop);
        /* What settling caused is not charged to the next connection. */
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
