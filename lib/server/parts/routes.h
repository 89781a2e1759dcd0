/* routes.h: the paths at which clients reach endpoints.
 * What a route leads to is served by connection_websocket.c and connection_events.c. */
#ifndef WS_SERVER_ROUTES_H
#define WS_SERVER_ROUTES_H

#include <stdbool.h>
#include <stddef.h>

#include <ws_manager/server.h>

enum { ROUTES_MAX = 16, ROUTE_PATH_BYTES = 128 };

struct route {
    char path[ROUTE_PATH_BYTES];
    ws_endpoint *endpoint;
    int kind; /* enum ws_server_route_kind */
};

struct routes {
    struct route list[ROUTES_MAX];
    size_t count;
    bool are_default; /* their endpoints are the server's own */
};

/* `accept` decides for default endpoints. WS_OK, or an error; then nothing is left to close. */
int routes_open(struct routes *routes, ws_manager *manager, const ws_server_options *options,
                int (*accept)(ws_handshake *handshake, void *user_data));

void routes_close(struct routes *routes);

/* The route at a path; NULL if there is none. Any thread. */
const struct route *routes_find(const struct routes *routes, const char *path);

/* Whether a route, or NULL, is for WebSockets, for requests that the library answers, or for
 * Socket.IO, which has both. */
static inline bool route_is_websocket(const struct route *route)
{
    return route != NULL && route->kind != WS_SERVER_EVENTS;
}

static inline bool route_is_http(const struct route *route)
{
    return route != NULL &&
           (route->kind == WS_SERVER_EVENTS || route->kind == WS_SERVER_SOCKETIO);
}

static inline bool route_is_socketio(const struct route *route)
{
    return route != NULL && route->kind == WS_SERVER_SOCKETIO;
}

#endif
