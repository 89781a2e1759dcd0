/* total_order.c: gives events their position in the total order and posts them to the loops. */
#include "core/sending/total_order.h"

#include "core/sending/encode.h"
#include "core/sending/keep.h"

/* The part of an event's recipients on one loop: all of the loop's connections, or its share of
 * the group. A share without members counts too, because a join that is posted before this
 * event may add one. */
struct route {
    ws_loop *loop;
    struct share *share; /* NULL: everyone */
};

struct routes {
    const ws_manager *manager;
    enum group_kind kind;
    struct share *share; /* the next one */
    uint32_t loop;       /* the next one */
};

static struct routes routes_of(ws_manager *manager, struct target target)
{
    struct routes routes = {.manager = manager, .kind = target.kind};
    struct group *group;

    if (target.kind == GROUP_EVERYONE)
        return routes;
    group = registry_find(&manager->registry, target.kind, target.name);
    routes.share = group != NULL ? group_shares(group) : NULL;
    return routes;
}

static bool next_route(struct routes *routes, struct route *route)
{
    const ws_manager *manager = routes->manager;

    if (routes->kind != GROUP_EVERYONE) {
        *route = (struct route){NULL, routes->share};
        if (routes->share == NULL)
            return false;
        route->loop = routes->share->loop;
        routes->share = routes->share->next;
        return true;
    }
    while (routes->loop < manager->n_loops) {
        *route = (struct route){manager->loops[routes->loop++], NULL};
        if (route->loop != NULL && route->loop->n_connections > 0)
            return true;
    }
    return false;
}

static int reserve_all(struct routes routes, uint32_t *count)
{
    struct route route;

    for (*count = 0; next_route(&routes, &route); ++*count) {
        int result = loop_reserve(route.loop, true);

        if (result != WS_OK)
            return result;
    }
    return WS_OK;
}

static void post_to_all(struct posting *posting, struct routes routes, ws_message *message)
{
    struct route route;

    while (next_route(&routes, &route)) {
        if (route.share != NULL)
            route.share->pins++;
        posting_push(
            posting, route.loop,
            &(struct command){.kind = COMMAND_EVENT, .share = route.share, .message = message});
    }
}

static void count(ws_manager *manager, int result, enum counter sent)
{
    if (result == WS_OK)
        counter_add_shared(&manager->counters, sent, 1);
    else
        manager_count_refused(manager, result);
}

/* Posts the message to every route. The lock is held, and room was reserved in every inbox. */
static void post(struct posting *posting, struct routes routes, uint32_t n_routes,
                 ws_message *message)
{
    manager_assert_locked(posting->manager);
    if (n_routes == 0)
        return;
    frames_ref_n(&message->frames, n_routes);
    post_to_all(posting, routes, message);
}

/* Posts an event that is prepared. */
static int post_event(ws_manager *manager, struct target target, ws_message *message,
                      int64_t time_ms, struct kept_plan *plan)
{
    struct history_line *line;
    struct posting posting;
    struct routes routes;
    uint32_t n_routes;
    int result;

    posting_begin(&posting, manager);
    routes = routes_of(manager, target);
    result = reserve_all(routes, &n_routes);
    if (result == WS_OK && !last_values_reserve(&manager->last_values, target.name, plan))
        result = WS_ERR_NO_MEMORY;
    if (result == WS_OK &&
        !history_reserve(&manager->history, target.kind, target.name, &line)) {
        last_values_cancel(&manager->last_values, plan);
        result = WS_ERR_NO_MEMORY;
    }
    if (result == WS_OK) {
        encode_finish(manager, message, manager->epoch, ++manager->position);
        keep_commit(manager, &manager->last_values, plan, manager->epoch, manager->position);
        history_append(&manager->history, line, message, time_ms);
        post(&posting, routes, n_routes, message);
    }
    posting_end(&posting);
    return result;
}

int send_event(ws_manager *manager, struct target target, ws_message *message, int64_t time_ms)
{
    struct kept_plan plan;
    int result = WS_ERR_NO_MEMORY;

    if (keep_prepare(manager, target.kind, target.name, message, &plan)) {
        result = post_event(manager, target, message, time_ms, &plan);
        kept_plan_free(&manager->memory, &plan);
    }
    count(manager, result, COUNTER_events);
    return result;
}

int send_posted(struct posting *posting, struct target target, ws_message *message)
{
    struct routes routes = routes_of(posting->manager, target);
    uint32_t n_routes;
    int result = reserve_all(routes, &n_routes);

    if (result == WS_OK)
        post(posting, routes, n_routes, message);
    count(posting->manager, result, COUNTER_presence_events);
    return result;
}

int send_presence(ws_manager *manager, struct target target, ws_message *message)
{
    struct posting posting;
    int result;

    encode_finish(manager, message, NULL, 0);
    posting_begin(&posting, manager);
    result = send_posted(&posting, target, message);
    posting_end(&posting);
    return result;
}
