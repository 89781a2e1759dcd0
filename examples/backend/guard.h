/* guard.h: whether an HTTP request may reach its handler.
 * The rules are access.h; WebSocket handshakes are admission.h. */
#ifndef BACKEND_GUARD_H
#define BACKEND_GUARD_H

#include "app.h"
#include "http_response.h"
#include <ws_manager/server_http.h>

/* False after answering 401, 403 or 503. The second is for --admin-listen, which needs no token. */
bool guard_admits(const struct app *app, const ws_server_request *request,
                  struct http_response *response);
bool guard_admits_admin(const struct app *app, const ws_server_request *request,
                        struct http_response *response);

#endif
