/* refusal_log.h: logs refused requests that might have become a WebSocket.
 * The library logs those that reach it, in the same words. The answers are made elsewhere. */
#ifndef WS_SERVER_REFUSAL_LOG_H
#define WS_SERVER_REFUSAL_LOG_H

#include <netinet/in.h>
#include <stdbool.h>

#include "server/parts/http_request.h"
#include "server/parts/server_log.h"

/* Whether a request with a complete head asks for a WebSocket. */
bool refusal_is_handshake(const struct http_request *request);

/* Logs a refusal: at level info, because a browser shows its user nothing, or at level debug if
 * the head is not that of a handshake. The line has method, path, Host, Origin and User-Agent,
 * but never the query and other headers, which may hold tokens. If the bytes do not begin like a
 * request, it only has their length. Unless the log's level is debug, ten lines a second are
 * written, and how many were left out. `status` 0: nothing is answered. */
void refusal_log_request(struct server_log *log, const struct http_request *request, int status,
                         const char *reason);

/* Logs that a connection was refused, and why, before its client sent anything. */
void refusal_log_address(struct server_log *log, const struct in6_addr *client, int status,
                         const char *reason);

#endif
