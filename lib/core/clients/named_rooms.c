/* named_rooms.c: adds clients to the rooms that they named when they connected. A list may hold
 * thousands of names, and each may call the application and be answered with an error: so the list
 * is served like what the client sends later, a fair share of a turn at a time. */
#include "core/clients/named_rooms.h"

#include <stddef.h>
#include <string.h>

#include "core/clients/builtin_messages.h"
#include "core/clients/input.h"
#include "core/recovery/recovery.h"

static struct recovery *of_input(struct input *input)
{
    return (struct recovery *)(void *)((char *)input - offsetof(struct recovery, input));
}

/* Whether the client is to receive what the rooms that it has entered keep, before it enters more.
 * Where no history is kept, it misses events of the rooms that it enters later. So only bytes count
 * then. */
static bool has_many_values(const struct recovery *recovery)
{
    return manager_keeps_events(recovery->connection->loop->manager)
               ? pending_values_are_many(&recovery->values)
               : pending_values_have_many_bytes(&recovery->values);
}

/* Whether a room is to be joined next: the connection has not ended, and there is one. */
static bool has_more(const struct recovery *recovery)
{
    return recovery->connection != NULL && recovery->n_rooms > 0 && !has_many_values(recovery);
}

/* Joins the next room; returns the cost. */
static uint32_t enter_next(struct recovery *recovery)
{
    const ws_manager *manager = recovery->connection->loop->manager;
    const char *room = recovery->rooms + recovery->next_room;
    size_t length = strlen(room);
    const struct room_wish wish = {.state = recovery->wants_state,
                                   .last = recovery->wants_last};
    uint32_t cost = room_cost(manager) + entry_cost(recovery->connection, room, &wish) +
                    (uint32_t)(length / INPUT_BYTES_PER_UNIT);

    recovery->next_room += length + 1;
    recovery->n_rooms--;
    client_join(recovery->connection, room, &wish);
    return cost;
}

/* Decides what follows after some rooms were joined. */
static void after_rooms(ws_loop *loop, struct recovery *recovery, bool in_order)
{
    recovery->use = RECOVERY_RESTS;
    if (recovery->connection == NULL)
        recovery_release(loop, recovery);
    else if (has_many_values(recovery) && recovery->n_rooms > 0)
        recovery_deliver_values_first(recovery);
    else if (recovery->n_rooms > 0)
        input_list_add(&loop->inputs, &recovery->input);
    else
        recovery_rooms_entered(recovery, in_order);
}

static uint32_t serve(ws_loop *loop, struct input *input)
{
    struct recovery *recovery = of_input(input);
    uint32_t cost = 0;

    recovery->use = RECOVERY_ENTERS_ROOMS;
    while (has_more(recovery) && input_may_go_on(loop, input))
        input_charge(loop, input, enter_next(recovery), &cost);
    after_rooms(loop, recovery, false);
    return cost;
}

uint32_t named_rooms_begin(struct connection *connection)
{
    struct recovery *recovery = connection->recovery;
    ws_loop *loop = connection->loop;
    uint32_t sum = 0;

    if (!connection->enters_rooms)
        return 0;
    recovery->input.serve = serve;
    recovery->use = RECOVERY_ENTERS_ROOMS;
    while (has_more(recovery) && loop->for_named_rooms > 0) {
        uint32_t cost = enter_next(recovery);

        cost += loop_take_preparing(loop);
        budget_spend(&loop->for_named_rooms, cost);
        sum += cost;
    }
    after_rooms(loop, recovery, true);
    return sum;
}
