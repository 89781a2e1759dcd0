/* request.h: a request as the application sees it, and what it answers.
 * The bytes of the request are http_request.h. */
#ifndef WS_SERVER_REQUEST_H
#define WS_SERVER_REQUEST_H

#include <stdbool.h>

#include "server/parts/http_request.h"
#include <ws_manager/server_http.h>

struct answers;
struct connection;
struct in6_addr;
struct response;

struct ws_server_request {
    const struct http_request *http;
    const struct in6_addr *client; /* the address; NULL: unknown */
    bool is_admin;                 /* it came in by admin_listen */

    /* During accept_request and on_request. */
    struct response *response; /* NULL: there is nothing to answer, or it was answered */
    struct answers *answers;   /* where a deferred answer goes; NULL: it cannot be deferred */
    struct ws_server_ticket *ticket; /* it was deferred */
};

#endif
