/* doors.c: the paths at which clients reach endpoints. */
#include "server/parts/doors.h"

#include <string.h>

static int add(struct doors *doors, const ws_server_door *door)
{
    struct door *added = &doors->list[doors->count];

    if (doors->count == DOORS_MAX || door->path == NULL || door->path[0] != '/' ||
        strlen(door->path) >= sizeof added->path || door->endpoint == NULL ||
        door->kind < WS_SERVER_WEBSOCKET || door->kind > WS_SERVER_WEBSOCKET_PACED)
        return WS_ERR_INVALID;
    strcpy(added->path, door->path);
    added->endpoint = door->endpoint;
    added->kind = door->kind;
    doors->count++;
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
    options.max_head_bytes = WS_SERVER_MAX_HEAD;
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

static int open_default(struct doors *doors, ws_manager *manager,
                        const ws_server_options *options,
                        int (*accept)(ws_handshake *handshake, void *user_data))
{
    ws_endpoint *endpoints[2];
    int result = make_endpoints(manager, options, accept, endpoints);
    const ws_server_door made[] = {
        {"/ws", endpoints[0], WS_SERVER_WEBSOCKET},
        {"/events", endpoints[0], WS_SERVER_EVENTS},
        {"/socket.io/", endpoints[1], WS_SERVER_SOCKETIO},
        {"/socket.io", endpoints[1], WS_SERVER_SOCKETIO},
    };

    if (result != WS_OK)
        return result;
    doors->are_default = true;
    for (size_t i = 0; result == WS_OK && i < sizeof made / sizeof made[0]; i++)
        result = add(doors, &made[i]);
    return result;
}

/* The application's; another manager's endpoint cannot be reached from the loops of this one. */
static int open_given(struct doors *doors, ws_manager *manager,
                      const ws_server_options *options)
{
    int result = WS_OK;

    for (size_t i = 0; result == WS_OK && i < options->n_doors; i++) {
        const ws_server_door *door = &options->doors[i];

        result = add(doors, door);
        if (result == WS_OK && ws_endpoint_manager(door->endpoint) != manager)
            result = WS_ERR_INVALID;
    }
    return result;
}

int doors_open(struct doors *doors, ws_manager *manager, const ws_server_options *options,
               int (*accept)(ws_handshake *handshake, void *user_data))
{
    *doors = (struct doors){.count = 0};
    return options->doors == NULL ? open_default(doors, manager, options, accept)
                                  : open_given(doors, manager, options);
}

void doors_close(struct doors *doors)
{
    if (doors->are_default) {
        ws_endpoint_free(doors_find(doors, "/ws")->endpoint);
        ws_endpoint_free(doors_find(doors, "/socket.io")->endpoint);
    }
    *doors = (struct doors){.count = 0};
}

const struct door *doors_find(const struct doors *doors, const char *path)
{
    for (size_t i = 0; i < doors->count; i++)
        if (strcmp(doors->list[i].path, path) == 0)
            return &doors->list[i];
    return NULL;
}
