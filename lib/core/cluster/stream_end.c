/* stream_end.c: asks how far a cluster's stream goes beyond what was delivered here, for
 * clients that have seen more of it at another process. Either this process is behind, perhaps
 * because it cannot reach the stream, and the clients wait until it has caught up; or the stream
 * has lost what they saw. */
#include "core/cluster/stream_end.h"

/* Begins a question, unless one is pending. The lock is held. */
static bool begin_asking(ws_manager *manager)
{
    struct stream_end *end = &manager->stream_end;

    manager_assert_locked(manager);
    if (end->is_asking)
        return false;
    end->is_asking = true;
    end->n_asked++;
    end->after = manager->position;
    return true;
}

static int ask(ws_manager *manager)
{
    struct stream_end *end = &manager->stream_end;
    int result = manager->cluster.fetch(end->after, 1, end, manager->cluster_data);

    if (result == WS_OK)
        return WS_OK;
    manager_lock(manager);
    end->is_asking = false;
    manager_unlock(manager);
    return result;
}

int cluster_reaches(ws_loop *loop, uint64_t position, uint64_t *question)
{
    ws_manager *manager = loop->manager;
    struct stream_end *end = &manager->stream_end;
    bool ends_before;
    bool asks;

    manager_lock(manager);
    if (*question == 0)
        *question = end->n_asked + 1;
    ends_before = end->answered >= *question && end->position < position;
    asks = !ends_before && begin_asking(manager);
    manager_unlock(manager);
    if (ends_before)
        return WS_ERR_NOT_FOUND;
    return asks ? ask(manager) : WS_OK;
}

void cluster_end_answered(ws_manager *manager, size_t n_events)
{
    struct stream_end *end = &manager->stream_end;

    manager_lock(manager);
    end->is_asking = false;
    end->answered = end->n_asked;
    end->position = n_events > 0 ? UINT64_MAX : end->after;
    manager_unlock(manager);
}
