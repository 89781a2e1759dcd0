/* realtime.h: the backend's ws_manager: its options, endpoints and callbacks.
 * Sockets are the server's; the API emits the events. */
#ifndef BACKEND_REALTIME_H
#define BACKEND_REALTIME_H

#include <stdbool.h>
#include <stddef.h>

#include <ws_manager/ws_manager.h>

#include "access.h"
#include "options.h"
#include <ws_manager/server.h>

struct realtime {
    ws_manager *manager;
    ws_endpoint *events;   /* /ws and /events */
    ws_endpoint *socketio; /* /socket.io/ */
    ws_endpoint *echo;     /* /echo, NULL without --echo */
};

/* Creates the manager, which becomes the default one, and the endpoints. WS_OK, or an error; then
 * nothing is left to close. */
int realtime_open(struct realtime *realtime, const struct options *options,
                  struct access *access);

/* Call it after the last loop has ended. */
void realtime_close(struct realtime *realtime);

/* Whether a path is that of event streams, that of Socket.IO, or one of both. */
bool realtime_serves_events(const char *path);
bool realtime_serves_socketio(const char *path);
bool realtime_serves_http(const char *path);

enum { REALTIME_ROUTES = 5 };

/* The paths of the endpoints; returns how many. */
size_t realtime_routes(const struct realtime *realtime,
                       ws_server_route routes[REALTIME_ROUTES]);

#endif
