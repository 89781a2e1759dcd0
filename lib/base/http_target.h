/* http_target.h: reads a request's target and its Host header (RFC 9112 §3.2).
 *
 * The example backend is built with this file too. */
#ifndef WS_BASE_HTTP_TARGET_H
#define WS_BASE_HTTP_TARGET_H

#include <stdbool.h>

/* True if `host` can be the value of a Host header: empty, or one name or address with or without a
 * port. A list of hosts or a URI is not valid. */
bool http_host_valid(const char *host);

/* Returns where the path begins in `target`. The path may be empty. `target` must be in origin
 * form, or in absolute form with the same authority as the Host header (`host`; NULL: the
 * request has none). Returns NULL for every other target: if a request names two hosts, each
 * server on its way could choose a different one. */
const char *http_target_path(const char *target, const char *host);

#endif
