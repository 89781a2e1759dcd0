/* cluster.c: what a carrier of events between processes calls. */
#include <ws_manager/cluster.h>

int ws_manager_set_cluster(ws_manager *manager, const ws_cluster *cluster, void *data)
{
    (void)manager;
    (void)cluster;
    (void)data;
    return WS_ERR_INVALID;
}

int ws_cluster_new_epoch(char *epoch)
{
    (void)epoch;
    return WS_ERR_SYSTEM;
}

const char *ws_manager_process_id(const ws_manager *manager)
{
    (void)manager;
    return "";
}

int ws_manager_cluster_start(ws_manager *manager, const char *epoch, uint64_t position,
                             const ws_cluster_event *events, size_t n_events)
{
    (void)manager;
    (void)epoch;
    (void)position;
    (void)events;
    (void)n_events;
    return WS_ERR_INVALID;
}

int ws_manager_cluster_deliver(ws_manager *manager, const ws_cluster_event *event)
{
    (void)manager;
    (void)event;
    return WS_ERR_INVALID;
}

void ws_manager_cluster_stored(ws_manager *manager, void *receipt, int result,
                               uint64_t position)
{
    (void)manager;
    (void)receipt;
    (void)result;
    (void)position;
}

void ws_manager_cluster_fetched(ws_manager *manager, void *request,
                                const ws_cluster_event *events, size_t n_events)
{
    (void)manager;
    (void)request;
    (void)events;
    (void)n_events;
}
