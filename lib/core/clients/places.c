/* places.c: how many answers may be waited for. */
#include "core/clients/places.h"

enum {
    USER_PART = 8,     /* of all places: for the connections of one user */
    ANONYMOUS_PART = 2 /* for all connections without a user, which cannot be distinguished */
};

/* A part of all places, but never less than what one connection may have. */
static uint32_t part(const ws_manager *manager, enum place_kind kind, uint32_t divisor)
{
    const ws_manager_options *options = &manager->options;
    uint32_t of_connection =
        kind == PLACE_ANSWER ? options->max_waiting_answers : options->max_waiting_requests;
    uint32_t result = options->max_waiting / divisor;

    return result > of_connection ? result : of_connection;
}

/* The places of a user, on all loops. Those of a parent's loops are the parent's. */
static uint64_t count_of_user(struct group *user)
{
    uint64_t count = 0;

    for (struct share *share = group_shares(user); share != NULL; share = share->next)
        if (!loop_is_parents(share->loop))
            count += atomic_load_explicit(&share->n_waiting, memory_order_relaxed);
    return count;
}

/* The lock is held. */
static bool has_part(const struct connection *connection, enum place_kind kind)
{
    const ws_manager *manager = connection->loop->manager;

    manager_assert_locked(manager);
    if (connection->user != NULL)
        return count_of_user(connection->user->group) < part(manager, kind, USER_PART);
    return atomic_load_explicit(&manager->places[kind].anonymous, memory_order_relaxed) <
           part(manager, kind, ANONYMOUS_PART);
}

static void add(struct places *places, uint32_t total, uint32_t anonymous)
{
    atomic_fetch_add_explicit(&places->total, total, memory_order_relaxed);
    atomic_fetch_add_explicit(&places->anonymous, anonymous, memory_order_relaxed);
}

bool place_take(struct connection *connection, enum place_kind kind)
{
    ws_loop *loop = connection->loop;
    ws_manager *manager = loop->manager;
    uint32_t anonymous = connection->user == NULL ? 1 : 0;
    bool result;

    loop_assert_thread(loop);
    manager_lock(manager);
    result = atomic_load_explicit(&manager->places[kind].total, memory_order_relaxed) <
                 manager->options.max_waiting &&
             has_part(connection, kind);
    if (result) {
        add(&manager->places[kind], 1, anonymous);
        add(&loop->places[kind], 1, anonymous);
        if (connection->user != NULL)
            atomic_fetch_add_explicit(&connection->user->n_waiting, 1, memory_order_relaxed);
    }
    manager_unlock(manager);
    return result;
}

/* Adding UINT32_MAX takes one away. */
void place_give_back(struct connection *connection, enum place_kind kind)
{
    ws_loop *loop = connection->loop;
    uint32_t anonymous = connection->user == NULL ? UINT32_MAX : 0;

    loop_assert_thread(loop);
    /* A child of fork() does not count what waits on loops that are the parent's. */
    if (!loop_is_parents(loop))
        add(&loop->manager->places[kind], UINT32_MAX, anonymous);
    add(&loop->places[kind], UINT32_MAX, anonymous);
    if (connection->user != NULL)
        atomic_fetch_sub_explicit(&connection->user->n_waiting, 1, memory_order_relaxed);
}

void places_continue(ws_loop *loop)
{
    for (size_t i = 0; i < N_PLACES; i++)
        add(&loop->manager->places[i], atomic_load(&loop->places[i].total),
            atomic_load(&loop->places[i].anonymous));
}
