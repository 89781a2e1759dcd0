/* doors.h: the paths at which clients reach endpoints.
 * What a door leads to is served by connection_websocket.c and connection_events.c. */
#ifndef WS_SERVER_DOORS_H
#define WS_SERVER_DOORS_H

#include <stdbool.h>
#include <stddef.h>

#include <ws_manager/server.h>

enum { DOORS_MAX = 16, DOOR_PATH_BYTES = 128 };

struct door {
    char path[DOOR_PATH_BYTES];
    ws_endpoint *endpoint;
    int kind; /* enum ws_server_door_kind */
};

struct doors {
    struct door list[DOORS_MAX];
    size_t count;
    bool are_default; /* their endpoints are the server's own */
};

/* `accept` decides for default endpoints. WS_OK, or an error; then nothing is left to close. */
int doors_open(struct doors *doors, ws_manager *manager, const ws_server_options *options,
               int (*accept)(ws_handshake *handshake, void *user_data));

void doors_close(struct doors *doors);

/* The door at a path; NULL if there is none. Any thread. */
const struct door *doors_find(const struct doors *doors, const char *path);

/* Whether a door, or NULL, is for WebSockets, for requests that the library answers, or for
 * Socket.IO, which has both. */
static inline bool door_is_websocket(const struct door *door)
{
    return door != NULL && door->kind != WS_SERVER_EVENTS;
}

static inline bool door_is_http(const struct door *door)
{
    return door != NULL && (door->kind == WS_SERVER_EVENTS || door->kind == WS_SERVER_SOCKETIO);
}

static inline bool door_is_socketio(const struct door *door)
{
    return door != NULL && door->kind == WS_SERVER_SOCKETIO;
}

#endif
