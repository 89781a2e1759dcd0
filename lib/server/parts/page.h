/* page.h: whether a browser's page may use the server's endpoints.
 * Origins are parsed and compared in origin.h. */
#ifndef WS_SERVER_PAGE_H
#define WS_SERVER_PAGE_H

#include <stdbool.h>

#include "server/parts/origin.h"

/* Browsers always send Origin with a WebSocket handshake, but not with a GET to the page's own
 * host: then only Host shows DNS rebinding. Any thread. */
bool page_is_allowed(const struct origin_rules *rules, const struct origin_request *page,
                     bool is_websocket);

#endif
