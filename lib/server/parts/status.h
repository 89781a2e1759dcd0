/* status.h: answers about the server itself: its health and its metrics. */
#ifndef WS_SERVER_STATUS_H
#define WS_SERVER_STATUS_H

#include <stdbool.h>

#include "server/parts/request.h"
#include "server/parts/response.h"
#include "server/parts/server_state.h"

/* Fills in the answer to a complete request, if its path is one of the server's own. With
 * `admin_listen` they are served there only. Any thread. */
bool status_answer(struct ws_server *server, const ws_server_request *request,
                   struct response *response);

#endif
