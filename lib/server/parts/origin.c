/* origin.c: whether a browser's page may talk to this server (RFC 6454, RFC 6455 §10.2), also in
 * case of DNS rebinding. Users are authenticated elsewhere. */
#include "server/parts/origin.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "server/parts/text.h"

static const char lower_letters[] = "abcdefghijklmnopqrstuvwxyz";
static const char digits[] = "0123456789";

/* Copies in lower case, whatever the locale; false when it is empty or does not fit. */
static bool copy_lower(const char *text, size_t length, char *lower, size_t size)
{
    if (length == 0 || length >= size)
        return false;
    for (size_t i = 0; i < length; i++) {
        bool is_upper = text[i] >= 'A' && text[i] <= 'Z';

        lower[i] = (char)(is_upper ? text[i] - 'A' + 'a' : text[i]);
    }
    lower[length] = '\0';
    return true;
}

/* RFC 3986 §3.1. */
static bool parse_scheme(const char *text, size_t length, struct origin *origin)
{
    const char *rest = origin->scheme + 1;

    if (!copy_lower(text, length, origin->scheme, sizeof origin->scheme) ||
        strchr(lower_letters, origin->scheme[0]) == NULL)
        return false;
    while (*rest != '\0') {
        rest += strspn(rest, lower_letters);
        rest += strspn(rest, digits);
        if (*rest != '\0' && strchr("+-.", *rest++) == NULL)
            return false;
    }
    return true;
}

static bool parse_ipv6(const char *text, size_t length, struct origin *origin)
{
    char address[INET6_ADDRSTRLEN];
    struct in6_addr parsed;

    if (!copy_lower(text, length, address, sizeof address) ||
        inet_pton(AF_INET6, address, &parsed) != 1)
        return false;
    origin->host[0] = '[';
    inet_ntop(AF_INET6, &parsed, origin->host + 1, sizeof origin->host - 2);
    strcat(origin->host, "]");
    origin->is_local = true;
    return true;
}

/* To a browser, a name whose last part is a number is an IPv4 address or an error. */
static bool ends_in_number(const char *host)
{
    const char *dot = strrchr(host, '.');
    const char *last = dot != NULL ? dot + 1 : host;

    return last[strspn(last, digits)] == '\0' ||
           (strncmp(last, "0x", 2) == 0 &&
            last[2 + strspn(last + 2, "0123456789abcdef")] == '\0');
}

static bool parse_name(const char *text, size_t length, struct origin *origin)
{
    struct in_addr address;

    if (length > 0 && text[length - 1] == '.')
        length--; /* a trailing dot only makes the name absolute, as it is here anyway */
    if (!copy_lower(text, length, origin->host, sizeof origin->host) ||
        origin->host[0] == '.' || strstr(origin->host, "..") != NULL)
        return false;
    for (const char *at = origin->host; *at != '\0'; at++)
        if (strchr(lower_letters, *at) == NULL && strchr(digits, *at) == NULL &&
            strchr("-._", *at) == NULL)
            return false;
    if (ends_in_number(origin->host)) {
        origin->is_local = inet_pton(AF_INET, origin->host, &address) == 1;
        return origin->is_local;
    }
    origin->is_local = strcmp(origin->host, "localhost") == 0;
    return true;
}

static uint16_t usual_port(const char *scheme)
{
    if (strcmp(scheme, "http") == 0)
        return 80;
    return strcmp(scheme, "https") == 0 ? 443 : 0;
}

/* Parses host or host:port, after the scheme. */
static bool parse_authority(const char *text, struct origin *origin)
{
    const char *end;
    int64_t port;

    if (*text == '[') {
        end = strchr(text, ']');
        if (end == NULL || !parse_ipv6(text + 1, (size_t)(end - text) - 1, origin))
            return false;
        end++;
    } else {
        end = text + strcspn(text, ":");
        if (!parse_name(text, (size_t)(end - text), origin))
            return false;
    }
    origin->port = usual_port(origin->scheme);
    if (*end == '\0')
        return true;
    if (*end != ':' || !text_parse_number(end + 1, 1, UINT16_MAX, &port))
        return false;
    origin->port = (uint16_t)port;
    return true;
}

bool origin_parse(const char *text, struct origin *origin)
{
    const char *end = strstr(text, "://");

    *origin = (struct origin){0};
    return end != NULL && parse_scheme(text, (size_t)(end - text), origin) &&
           parse_authority(end + strlen("://"), origin);
}

/* Parses the Host header of a request with that scheme. */
static bool parse_host(const char *host, const char *scheme, struct origin *origin)
{
    *origin = (struct origin){0};
    strcpy(origin->scheme, scheme);
    return host != NULL && parse_authority(host, origin);
}

bool origin_parse_host(const char *host, struct origin *origin)
{
    return parse_host(host, "", origin);
}

const char *origin_rules_add(struct origin_rules *rules, const char *text)
{
    struct origin *origin = &rules->allowed[rules->n_allowed];

    if (strcmp(text, "*") == 0) {
        rules->allows_all = true;
        return NULL;
    }
    if (rules->n_allowed == ORIGIN_MOST_ALLOWED)
        return "exceeds the limit of 64 origins";
    if (!origin_parse(text, origin))
        return "is not * or scheme://host[:port] as browsers write it, like "
               "https://example.com";
    if (strcmp(origin->scheme, "ws") == 0 || strcmp(origin->scheme, "wss") == 0)
        return "is not a page's origin, which begins with http:// or https://";
    rules->n_allowed++;
    return NULL;
}

bool origin_host_is_ours(const struct origin_rules *rules, const char *host)
{
    struct origin ours;

    if (host == NULL || rules->allows_all)
        return true;
    if (!parse_host(host, "http", &ours))
        return false;
    if (ours.is_local)
        return true;
    for (size_t i = 0; i < rules->n_allowed; i++)
        if (strcmp(rules->allowed[i].host, ours.host) == 0)
            return true;
    return false;
}

static bool is_same(const struct origin *one, const struct origin *other)
{
    return one->port == other->port && strcmp(one->host, other->host) == 0 &&
           strcmp(one->scheme, other->scheme) == 0;
}

/* Whether the page has the origin that the request went to. If the request's scheme is unknown,
 * because a proxy may have ended its TLS, the page's scheme is assumed. */
static bool is_own(const struct origin *origin, const struct origin_request *request)
{
    const char *scheme = request->scheme != NULL ? request->scheme : origin->scheme;
    struct origin target;

    return usual_port(origin->scheme) != 0 && parse_host(request->host, scheme, &target) &&
           is_same(origin, &target);
}

bool origin_is_allowed(const struct origin_rules *rules, const struct origin_request *request,
                       bool only_ours)
{
    struct origin origin;

    if (request->origin == NULL || rules->allows_all)
        return true;
    if (!origin_parse(request->origin, &origin))
        return false;
    for (size_t i = 0; i < rules->n_allowed; i++)
        if (is_same(&rules->allowed[i], &origin))
            return true;
    return is_own(&origin, request) &&
           (!only_ours || origin_host_is_ours(rules, request->host));
}
