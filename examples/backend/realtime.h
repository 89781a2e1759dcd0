/* realtime.h: the backend's ws_manager: its options, endpoints and callbacks.
 * Sockets are the connection's; what is emitted is the API's. */
#ifndef BACKEND_REALTIME_H
#define BACKEND_REALTIME_H

#include <stdbool.h>

#include <ws_manager/ws_manager.h>

#include "access.h"
#include "options.h"

struct realtime {
    ws_manager *manager;
    ws_endpoint *events; /* /ws */
    ws_endpoint *echo;   /* /echo, NULL without --echo */
};

/* Makes the manager, which becomes the default one, and the endpoints. WS_OK, or an error after
 * which nothing is left. */
int realtime_open(struct realtime *realtime, const struct options *options,
                  struct access *access);

/* Closes all WebSockets, behind what is queued for them, and tells their clients when to come
 * back. */
void realtime_drain(struct realtime *realtime);

/* After the last loop. */
void realtime_close(struct realtime *realtime);

/* The endpoint at a path, NULL if that is no WebSocket's. */
ws_endpoint *realtime_endpoint(const struct realtime *realtime, const char *path);

#endif
