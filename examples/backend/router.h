/* router.h: finds the handler that answers a request. */
#ifndef BACKEND_ROUTER_H
#define BACKEND_ROUTER_H

#include <stdbool.h>

#include "app.h"
#include "http_response.h"
#include <ws_manager/server_http.h>

/* Whether a request whose head is complete may go on: with its body, if it has one. If not, the
 * answer is filled in: access is denied, or the request must not have a body. Any thread, like
 * all functions here. */
bool router_accepts(struct app *app, ws_server_request *request,
                    struct http_response *response);

/* Fills in the answer to a complete request, or defers it. */
void router_answer(struct app *app, ws_server_request *request, struct http_response *response);

/* Whether a complete request may take more than a connection's share of a turn: a list of many
 * rows, or an order of many lines. */
bool router_is_costly(const ws_server_request *request);

#endif
