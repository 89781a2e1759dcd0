/* slow_client.c: a client that reads more slowly than its queue fills. */
#include "core/connections/slow_client.h"

#include "core/costs.h"

bool slow_client_is_kept(struct connection *connection)
{
    ws_manager *manager = connection->loop->manager;
    const ws_manager_options *options = &manager->options;
    struct connection_view view;

    if (!connection->announced)
        return false;
    if (options->keep_slow_client == NULL)
        return options->slow_policy == WS_SLOW_DROP;
    loop_charge(connection->loop, INPUT_COST_CALLBACK);
    return options->keep_slow_client(manager, connection_view(connection, &view),
                                     options->user_data) == WS_OK;
}

void connection_backpressure(struct connection *connection, bool is_high)
{
    ws_manager *manager = connection->loop->manager;
    const ws_manager_options *options = &manager->options;
    struct connection_view view;

    if (options->on_backpressure == NULL || !connection->announced ||
        connection->state != CONNECTION_LIVE)
        return;
    loop_charge(connection->loop, INPUT_COST_CALLBACK);
    options->on_backpressure(manager, connection_view(connection, &view), is_high,
                             options->user_data);
}
