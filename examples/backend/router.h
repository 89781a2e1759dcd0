/* router.h: finds who answers a request.
 * The answers themselves are the handlers'. */
#ifndef BACKEND_ROUTER_H
#define BACKEND_ROUTER_H

#include "app.h"
#include "http_request.h"
#include "http_response.h"

/* Fills in the answer to a complete request; `is_admin`: of --admin-listen. Any thread. */
void router_answer(struct app *app, const struct http_request *request, bool is_admin,
                   struct http_response *response);

#endif
