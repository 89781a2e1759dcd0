/* status.h: answers about the server itself: its health and its metrics. */
#ifndef WS_SERVER_STATUS_H
#define WS_SERVER_STATUS_H

#include <stdbool.h>

#include "server/parts/request.h"
#include "server/parts/response.h"
#include "server/parts/server_state.h"

/* Each fills in the answer to a complete request, if its path is the one of the server's own. With
 * `admin_listen` they are served there only. Any thread. */
bool status_answer_health(const struct ws_server *server, const ws_server_request *request,
                          struct response *response);
bool status_answer_metrics(struct ws_server *server, const ws_server_request *request,
                           struct response *response);

#endif
