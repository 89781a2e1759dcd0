/* endpoint.c: the reference count of an endpoint. Not here: its creation
 * (transport/endpoint_new.c). */
#include "transport/shared/endpoint.h"

ws_endpoint *endpoint_ref(ws_endpoint *endpoint)
{
    atomic_fetch_add_explicit(&endpoint->refs, 1, memory_order_relaxed);
    return endpoint;
}

void ws_endpoint_free(ws_endpoint *endpoint)
{
    ws_manager *manager;

    if (endpoint == NULL ||
        atomic_fetch_sub_explicit(&endpoint->refs, 1, memory_order_acq_rel) != 1)
        return;
    manager = endpoint->manager;
    EVP_MD_free(endpoint->sha1);
    memory_free(&manager->memory, (void *)(uintptr_t)endpoint->options.subprotocols);
    memory_free(&manager->memory, (void *)(uintptr_t)endpoint->options.allowed_headers);
    client_counts_free(endpoint->clients);
    if (endpoint->socketio != NULL)
        endpoint->free_socketio(manager, endpoint->socketio);
    memory_free(&manager->memory, endpoint);
    manager_unref(manager);
}

ws_manager *ws_endpoint_manager(const ws_endpoint *endpoint)
{
    return endpoint != NULL ? endpoint->manager : NULL;
}
