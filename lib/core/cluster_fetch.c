/* cluster_fetch.c: events that a carrier is asked for, for one client that comes back. */
#include <string.h>

#include "core/cluster.h"
#include "core/cluster_event.h"
#include "core/encode.h"
#include "core/send.h"

enum { FETCHED_AT_ONCE = 256 };

struct fetch_request {
    ws_conn_id connection;
    uint64_t after;
};

void fetched_free(const ws_manager *manager, struct fetched *fetched)
{
    if (fetched == NULL)
        return;
    for (size_t i = 0; i < fetched->count; i++)
        if (fetched->events[i].message != NULL)
            ws_message_unref(fetched->events[i].message);
    memory_free(&manager->memory, fetched);
}

bool cluster_fetch(const struct connection *connection, uint64_t after)
{
    const ws_manager *manager = connection->loop->manager;
    struct fetch_request *request;

    if (!manager->has_cluster)
        return false;
    request = memory_alloc(&manager->memory, sizeof *request);
    if (request == NULL)
        return false;
    *request = (struct fetch_request){connection->id, after};
    if (manager->cluster.fetch(after, FETCHED_AT_ONCE, request, manager->cluster_data) == WS_OK)
        return true;
    memory_free(&manager->memory, request);
    return false;
}

/* One that can't be understood is a hole. False if memory ran out. */
static bool add_fetched(ws_manager *manager, struct fetched *fetched,
                        const ws_cluster_event *event)
{
    struct fetched_event *added = &fetched->events[fetched->count];
    ws_message *message;

    if (cluster_event_valid(event, &added->kind)) {
        message = cluster_event_message(manager, event);
        if (message == NULL)
            return false;
        if (added->kind != GROUP_EVERYONE)
            strcpy(added->name, event->target);
        manager_lock(manager);
        encode_finish(manager, message, event->position);
        manager_unlock(manager);
        added->message = message;
    }
    fetched->count++;
    return true;
}

/* Only what has no gap behind `after` is of use. */
static size_t count_usable(uint64_t after, const ws_cluster_event *events, size_t n_events)
{
    size_t count = 0;

    while (count < n_events && count < FETCHED_AT_ONCE &&
           events[count].position == after + 1 + count)
        count++;
    return count;
}

int ws_manager_cluster_fetched(ws_manager *manager, void *request,
                               const ws_cluster_event *events, size_t n_events)
{
    struct fetch_request *asked = request;
    size_t count = count_usable(asked->after, events, n_events);
    struct fetched *fetched =
        memory_zalloc(&manager->memory, sizeof *fetched + count * sizeof fetched->events[0]);
    int result = WS_ERR_NO_MEMORY;

    if (fetched != NULL) {
        fetched->after = asked->after;
        while (fetched->count < count && add_fetched(manager, fetched, &events[fetched->count]))
            ;
        /* The client may have gone meanwhile: WS_ERR_NOT_FOUND. */
        if (fetched->count == count)
            result = post_command(
                manager, asked->connection, NULL,
                &(struct command){.kind = COMMAND_FETCHED, .fetched = fetched}, false);
    }
    if (result != WS_OK)
        fetched_free(manager, fetched);
    /* Without even memory to say that there is nothing, the client's recovery gives up by its
     * timer. */
    if (result == WS_ERR_NO_MEMORY && n_events > 0)
        return result;
    memory_free(&manager->memory, asked);
    return WS_OK;
}
