/* http_target.h: what a request's target and its Host header name (RFC 9112 §3.2).
 *
 * The example backend is built with this file too. */
#ifndef WS_BASE_HTTP_TARGET_H
#define WS_BASE_HTTP_TARGET_H

#include <stdbool.h>

/* True for the value of a Host header: a name or address with or without a port, or nothing. A list of
 * hosts is none, nor is a URI. */
bool http_host_valid(const char *host);

/* Where the path begins, which is empty if a query or the target's end is there: in the origin form, or
 * in the absolute form of a URI whose authority is the Host header (NULL: there was none). NULL for
 * every other target: of two hosts in one request, each server on the way would take another. */
const char *http_target_path(const char *target, const char *host);

#endif
