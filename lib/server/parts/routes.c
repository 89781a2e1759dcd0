/* routes.c: the paths at which clients reach endpoints. */
#include "server/parts/routes.h"

#include <string.h>

static int add(struct routes *routes, const ws_server_route *route)
{
    struct route *added = &routes->list[routes->count];

    if (routes->count == ROUTES_MAX || route->path == NULL || route->path[0] != '/' ||
        strlen(route->path) >= sizeof added->path || route->endpoint == NULL ||
        route->kind < WS_SERVER_WEBSOCKET || route->kind > WS_SERVER_WEBSOCKET_PACED)
        return WS_ERR_INVALID;
    strcpy(added->path, route->path);
    added->endpoint = route->endpoint;
    added->kind = route->kind;
    routes->count++;
    return WS_OK;
}

/* Two endpoints, the second one of Socket.IO. */
static int make_endpoints(ws_manager *manager, const ws_server_options *server_options,
                          int (*accept)(ws_handshake *handshake, void *user_data),
                          ws_endpoint *endpoints[2])
{
    ws_endpoint_options options;
    int result;

    ws_endpoint_options_init(&options);
    options.accept_handshake = accept;
    options.allow_origin = accept;
    options.max_head_bytes = WS_SERVER_HEAD_MAX;
    result = ws_endpoint_new(manager, &options, &endpoints[0]);
    if (result != WS_OK)
        return result;
    options.protocol = WS_PROTOCOL_SOCKETIO;
    options.max_sessions_per_client = server_options->max_per_address;
    result = ws_endpoint_new(manager, &options, &endpoints[1]);
    if (result != WS_OK)
        ws_endpoint_free(endpoints[0]);
    return result;
}

static int open_default(struct routes *routes, ws_manager *manager,
                        const ws_server_options *options,
                        int (*accept)(ws_handshake *handshake, void *user_data))
{
    ws_endpoint *endpoints[2];
    int result = make_endpoints(manager, options, accept, endpoints);
    const ws_server_route made[] = {
        {"/ws", endpoints[0], WS_SERVER_WEBSOCKET},
        {"/events", endpoints[0], WS_SERVER_EVENTS},
        {"/socket.io/", endpoints[1], WS_SERVER_SOCKETIO},
        {"/socket.io", endpoints[1], WS_SERVER_SOCKETIO},
    };

    if (result != WS_OK)
        return result;
    routes->are_default = true;
    for (size_t i = 0; result == WS_OK && i < sizeof made / sizeof made[0]; i++)
        result = add(routes, &made[i]);
    return result;
}

/* The application's; another manager's endpoint cannot be reached from the loops of this one. */
static int open_given(struct routes *routes, ws_manager *manager,
                      const ws_server_options *options)
{
    int result = WS_OK;

    for (size_t i = 0; result == WS_OK && i < options->n_routes; i++) {
        const ws_server_route *route = &options->routes[i];

        result = add(routes, route);
        if (result == WS_OK && ws_endpoint_manager(route->endpoint) != manager)
            result = WS_ERR_INVALID;
    }
    return result;
}

int routes_open(struct routes *routes, ws_manager *manager, const ws_server_options *options,
                int (*accept)(ws_handshake *handshake, void *user_data))
{
    *routes = (struct routes){.count = 0};
    return options->routes == NULL ? open_default(routes, manager, options, accept)
                                   : open_given(routes, manager, options);
}

void routes_close(struct routes *routes)
{
    if (routes->are_default) {
        ws_endpoint_free(routes_find(routes, "/ws")->endpoint);
        ws_endpoint_free(routes_find(routes, "/socket.io")->endpoint);
    }
    *routes = (struct routes){.count = 0};
}

const struct route *routes_find(const struct routes *routes, const char *path)
{
    for (size_t i = 0; i < routes->count; i++)
        if (strcmp(routes->list[i].path, path) == 0)
            return &routes->list[i];
    return NULL;
}
