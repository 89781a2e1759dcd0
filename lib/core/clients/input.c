/* input.c: serves the connections with client input, by deficit round-robin. */
#include "core/clients/input.h"

#include "core/account.h"
#include "core/backlog.h"
#include "core/clients/disconnect.h"
#include "core/clients/former.h"
#include "core/loop_state.h"
#include "core/recovery/state.h"

enum {
    /* Budget of a connection in a round: 64 small messages, or 8 with a callback. */
    QUANTUM = 512,
    LEAST_QUANTUM = 64,   /* of each of very many: 8 small messages */
    ROUND = 32 * QUANTUM, /* of all connections; more if that is less than the least for each */
    CHARGE_MAX = 65536
};

bool input_may_go_on(const ws_loop *loop, const struct input *input)
{
    return input->credit > 0 && loop->doomed == NULL && !backlog_holds_clients_back(loop);
}

void input_wait(ws_loop *loop, struct input *input, struct connection *connection)
{
    if (connection != NULL && former_hold_input(connection, input))
        return;
    if (connection != NULL && connection_pending_values(connection) > 0 &&
        connection->recovery->values.held == NULL)
        input_list_hold(input, &connection->recovery->values.held);
    else
        input_list_add(&loop->inputs, input);
}

/* Limits a connection's debt: a larger one would only delay it without benefit to the
 * others. */
static uint32_t capped(uint32_t cost)
{
    return cost < CHARGE_MAX ? cost : CHARGE_MAX;
}

void input_charge(ws_loop *loop, struct input *input, uint32_t cost, uint32_t *sum)
{
    cost = capped(cost) + capped(account_take_posted()) + capped(loop_take_preparing(loop));
    *sum += cost;
    input->credit -= (int32_t)cost;
}

/* A client that sends one message waits for a round of all others: each has less when there are
 * many of them. */
static int32_t quantum_of(size_t count)
{
    size_t part = ROUND / count;

    if (part > QUANTUM)
        return QUANTUM;
    return part < LEAST_QUANTUM ? LEAST_QUANTUM : (int32_t)part;
}

/* Serves each connection that is listed now once, within the budget. Returns the cost; *served
 * tells whether another round may do more. A visit costs something even if the connection waits
 * for a command or is in debt: thousands may be listed, and visited in each of many rounds. */
static uint32_t run_round(ws_loop *loop, uint32_t budget, bool *served)
{
    const int32_t quantum = quantum_of(loop->inputs.count);
    uint32_t spent = 0;

    for (size_t left = loop->inputs.count; left > 0 && spent < budget; left--) {
        struct input *input = loop->inputs.first;
        uint32_t cost;

        if (input == NULL || backlog_holds_clients_back(loop))
            break;
        input_list_remove(&loop->inputs, input);
        input->credit = input->credit > 0 ? quantum : input->credit + quantum;
        if (input->credit <= 0) {
            input_list_add(&loop->inputs, input);
            spent++;
            *served = true; /* its debt was reduced */
            continue;
        }
        cost = input->serve(loop, input);
        spent += cost > 0 ? cost : 1;
        *served |= cost > 0;
        connections_settle(loop);
        /* What settling caused is not charged to the next connection. */
        spent += capped(account_take_posted());
    }
    return spent;
}

/* What was prepared between the turns, while the host wrote, is not the work of the client that
 * happens to be served first. It takes at most half of what there is for clients. */
static void spend_on_others(ws_loop *loop, uint32_t *budget)
{
    uint32_t cost = loop_take_preparing(loop);

    *budget -= cost < *budget / 2 ? cost : *budget / 2;
}

bool inputs_run(ws_loop *loop, uint32_t *budget)
{
    struct account before = account_set_client(loop->number);
    bool served = false;

    loop_assert_thread(loop);
    account_take_posted();
    spend_on_others(loop, budget);
    while (*budget > 0 && loop->inputs.count > 0) {
        bool any = false;
        uint32_t spent = run_round(loop, *budget, &any);

        *budget -= spent < *budget ? spent : *budget;
        if (!any)
            break;
        served = true;
    }
    account_set(before);
    return served;
}
