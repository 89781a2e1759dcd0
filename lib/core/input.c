/* input.c: serving what clients sent, round-robin by cost. */
#include "core/input.h"

#include "core/disconnect.h"
#include "core/loop.h"

enum {
    QUANTUM = 512, /* of one connection in a round: 64 small messages, 8 that call back */

    /* Of what clients' messages brought about, a loop has so much at most before it is caught up
     * with: two turns' worth. */
    CLIENT_WORK_MAX = 16384
};

static _Thread_local bool serving;

bool input_is_serving(void)
{
    return serving;
}

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

/* --- what clients' messages brought about ---------------------------------------------------- */

/* Each crossing of the limit is seen by exactly one thread, so the count of overloaded loops is
 * exact. */
void client_work_add(ws_loop *loop, uint32_t cost)
{
    uint64_t before = atomic_fetch_add(&loop->client_work, cost);

    if (before < CLIENT_WORK_MAX && before + cost >= CLIENT_WORK_MAX)
        atomic_fetch_add(&loop->manager->n_overloaded, 1);
}

void client_work_done(ws_loop *loop, uint32_t cost)
{
    uint64_t before = atomic_fetch_sub(&loop->client_work, cost);

    if (before >= CLIENT_WORK_MAX && before - cost < CLIENT_WORK_MAX)
        atomic_fetch_sub(&loop->manager->n_overloaded, 1);
}

static bool is_overloaded(const ws_loop *loop)
{
    return atomic_load(&loop->manager->n_overloaded) > 0;
}

/* --- turns ----------------------------------------------------------------------------------- */

bool input_may_go_on(const ws_loop *loop, const struct input *input)
{
    return input->credit > 0 && loop->doomed == NULL && !is_overloaded(loop);
}

void input_charge(struct input *input, uint32_t cost, uint32_t *sum)
{
    *sum += cost;
    input->credit -= cost < INT32_MAX / 2 ? (int32_t)cost : INT32_MAX / 2;
}

/* Each of those that are listed now once: what they cost, or 0 if none may be served. */
static uint32_t run_round(ws_loop *loop, uint32_t budget)
{
    uint32_t spent = 0;

    for (size_t left = loop->inputs.count; left > 0 && spent < budget; left--) {
        struct input *input = loop->inputs.first;

        if (input == NULL || is_overloaded(loop))
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
    }
    return spent;
}

bool inputs_run(ws_loop *loop, uint32_t *budget)
{
    bool served = false;

    serving = true;
    while (*budget > 0 && loop->inputs.count > 0) {
        uint32_t spent = run_round(loop, *budget);

        if (spent == 0)
            break;
        *budget -= spent < *budget ? spent : *budget;
        served = true;
    }
    serving = false;
    return served;
}
