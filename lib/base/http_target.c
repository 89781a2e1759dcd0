/* http_target.c: reads a request's target and its Host header (RFC 9112 §3.2). */
#include "base/http_target.h"

#include <string.h>
#include <strings.h>

#include "base/http_text.h"

bool http_host_valid(const char *host)
{
    while (http_token_char(*host) || (*host != '\0' && strchr("[]:()=", *host) != NULL))
        host++;
    return *host == '\0';
}

/* The length of an authority without its port, if that is the default port of the scheme. */
static size_t length_without_port(const char *authority, size_t length, const char *port)
{
    size_t port_length = strlen(port);

    return length > port_length &&
                   memcmp(authority + length - port_length, port, port_length) == 0
               ? length - port_length
               : length;
}

const char *http_target_path(const char *target, const char *host)
{
    static const struct {
        const char *prefix;
        const char *port;
    } schemes[] = {
        {"http://", ":80"}, {"https://", ":443"}, {"ws://", ":80"}, {"wss://", ":443"}};

    if (target[0] == '/')
        return target;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        const char *authority = target + strlen(schemes[i].prefix);
        size_t length;
        size_t named;

        if (strncasecmp(target, schemes[i].prefix, strlen(schemes[i].prefix)) != 0)
            continue;
        length = strcspn(authority, "/?#");
        named = length_without_port(authority, length, schemes[i].port);
        if (length == 0 || (host != NULL && (length_without_port(host, strlen(host),
                                                                 schemes[i].port) != named ||
                                             strncasecmp(authority, host, named) != 0)))
            return NULL;
        return authority + length;
    }
    return NULL;
}
