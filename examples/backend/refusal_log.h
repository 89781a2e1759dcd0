/* refusal_log.h: the log's lines about requests that might have become a WebSocket and do not.
 * Those that reach the library are logged by it, in the same words; the answers are others'. */
#ifndef BACKEND_REFUSAL_LOG_H
#define BACKEND_REFUSAL_LOG_H

#include <netinet/in.h>
#include <stdbool.h>

#include "http_request.h"

/* Whether a request, whose head is here, asks for a WebSocket. */
bool refusal_is_handshake(const struct http_request *request);

/* Logs at level info, because a browser shows its user nothing, and at level debug where the head
 * says that it is no handshake. The line names method, path, Host, Origin and User-Agent, but never
 * the query and other headers, where tokens are. Of what does not begin like a request it gives the
 * length. Above level debug, ten lines a second are written, and how many were left out. `status` 0: nothing is answered. */
void refusal_log(const struct http_request *request, int status, const char *reason);

/* Logs that a connection was refused, and why, before its client sent anything. */
void refusal_log_address(const struct in6_addr *client, int status, const char *reason);

#endif
