/* origin.h: whether a browser's page may talk to this server (RFC 6454, RFC 6455 §10.2).
 * Who the user is, is not asked here. */
#ifndef BACKEND_ORIGIN_H
#define BACKEND_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

/* True for scheme://host or scheme://host:port, as a browser writes it, and for "*". */
bool origin_is_valid(const char *text);

/* Whether the header "Origin" names the host and port of the header "Host" (NULL: there is
 * none), or one of `allowed`, of which "*" is any. */
bool origin_is_allowed(const char *origin, const char *host, const char *const *allowed,
                       size_t n_allowed);

#endif
