/* realtime.h: the backend's ws_manager: its options, endpoints and callbacks.
 * Sockets are connection.h; the API emits the events. */
#ifndef BACKEND_REALTIME_H
#define BACKEND_REALTIME_H

#include <stdbool.h>

#include <ws_manager/ws_manager.h>

#include "access.h"
#include "options.h"

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

/* Closes all WebSockets after what is queued for them, and tells their clients when to
 * reconnect. */
void realtime_drain(struct realtime *realtime);

/* Call it after the last loop has ended. */
void realtime_close(struct realtime *realtime);

/* Whether a path is that of event streams, that of Socket.IO, or one of both. */
bool realtime_serves_events(const char *path);
bool realtime_serves_socketio(const char *path);
bool realtime_serves_http(const char *path);

/* The endpoint of a path for requests that open no WebSocket; NULL if the path has none. */
ws_endpoint *realtime_http_endpoint(const struct realtime *realtime, const char *path);

/* The WebSocket endpoint of a path; NULL if the path has none. */
ws_endpoint *realtime_endpoint(const struct realtime *realtime, const char *path);

#endif
