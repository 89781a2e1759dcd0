/* origin.c: whether a browser's page may talk to this server (RFC 6454, RFC 6455 §10.2).
 * Who the user is, is not asked here. */
#include "origin.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "text.h"

static const char *after_scheme(const char *origin)
{
    const char *end = strstr(origin, "://");

    return end != NULL ? end + strlen("://") : NULL;
}

bool origin_is_valid(const char *text)
{
    const char *host = after_scheme(text);
    const char *port;
    int64_t number;

    if (strcmp(text, "*") == 0) {
        return true;
    }
    if (host == NULL || host - text <= (ptrdiff_t)strlen("://") || *host == '\0' ||
        *host == ':' || text_has_control(text, false) || strpbrk(host, "/?#@ ,*") != NULL) {
        return false;
    }
    port = *host == '[' ? strchr(host, ']') : host;
    if (port == NULL) {
        return false;
    }
    port += *host == '[' ? 1 : strcspn(host, ":");
    return *port == '\0' ||
           (*port == ':' && text_parse_number(port + 1, 1, UINT16_MAX, &number));
}

bool origin_is_allowed(const char *origin, const char *host, const char *const *allowed,
                       size_t n_allowed)
{
    const char *origin_host = after_scheme(origin);

    if (origin_host != NULL && host != NULL && strcasecmp(origin_host, host) == 0) {
        return true;
    }
    for (size_t i = 0; i < n_allowed; i++) {
        if (strcmp(allowed[i], "*") == 0 || strcmp(allowed[i], origin) == 0) {
            return true;
        }
    }
    return false;
}
