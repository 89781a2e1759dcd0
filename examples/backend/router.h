/* router.h: finds the handler that answers a request. */
#ifndef BACKEND_ROUTER_H
#define BACKEND_ROUTER_H

#include <stdbool.h>

#include "app.h"
#include "http_request.h"
#include "http_response.h"

/* Whether a handler takes the body of a request whose head is complete. If not, the answer is
 * filled in: access is denied, or the request must not have a body. Any thread, like all
 * functions here. */
bool router_takes_body(struct app *app, const struct http_request *request, bool is_admin,
                       struct http_response *response);

/* Fills in the answer to a complete request; `is_admin`: it came in by --admin-listen. */
void router_answer(struct app *app, const struct http_request *request, bool is_admin,
                   struct http_response *response);

/* Whether a complete request may take more than a connection's share of a turn: a list of many
 * rows, or an order of many lines. */
bool router_is_costly(const struct http_request *request);

#endif
