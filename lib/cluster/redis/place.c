/* place.c: reads a host and a port from the replies of servers. These are not trusted: a host
 * must be an address or consist of the characters of a host name. */
#include "cluster/redis/place.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { PORT_DIGITS = 5, SLOT_DIGITS = 5 };

/* --- hosts ------------------------------------------------------------------------------------ */

/* Allows the characters that a name in DNS, /etc/hosts or a container network can have. RFC 3986
 * allows more. An international name must be given in its ASCII form (RFC 5890). */
static bool is_name(const char *host)
{
    for (; *host != '\0'; host++)
        if (!((*host >= '0' && *host <= '9') || (*host >= 'a' && *host <= 'z') ||
              (*host >= 'A' && *host <= 'Z') || strchr("-._", *host) != NULL))
            return false;
    return true;
}

/* Allows a zone behind a '%', which a URI writes as %25 (RFC 6874). */
static bool is_ipv6(const char *host)
{
    const char *zone = strchr(host, '%');
    size_t length = zone != NULL ? (size_t)(zone - host) : strlen(host);
    char address[INET6_ADDRSTRLEN];
    struct in6_addr binary;

    if (length >= sizeof address || (zone != NULL && (zone[1] == '\0' || !is_name(zone + 1))))
        return false;
    memcpy(address, host, length);
    address[length] = '\0';
    return inet_pton(AF_INET6, address, &binary) == 1;
}

bool place_host_valid(const char *host)
{
    return *host != '\0' && strnlen(host, PLACE_HOST_SIZE) < PLACE_HOST_SIZE &&
           (strchr(host, ':') != NULL ? is_ipv6(host) : is_name(host));
}

/* --- places ----------------------------------------------------------------------------------- */

bool place_equal(const struct place *a, const struct place *b)
{
    return a->port == b->port && strcmp(a->host, b->host) == 0;
}

void place_write(const struct place *place, char text[PLACE_TEXT_SIZE])
{
    bool has_colon = strchr(place->host, ':') != NULL && place->host[0] != '/';

    if (place->port == 0)
        snprintf(text, PLACE_TEXT_SIZE, "%s", place->host);
    else
        snprintf(text, PLACE_TEXT_SIZE, has_colon ? "[%s]:%u" : "%s:%u", place->host,
                 (unsigned)place->port);
}

/* Reads a number of 1 to `max_digits` digits; *end is the first character behind it. -1 if
 * there are no digits or too many. */
static int32_t read_digits(const char *text, size_t max_digits, const char **end)
{
    int32_t number = 0;
    size_t n = 0;

    for (; text[n] >= '0' && text[n] <= '9' && n <= max_digits; n++)
        number = number * 10 + (text[n] - '0');
    *end = text + n;
    return n > 0 && n <= max_digits ? number : -1;
}

static bool read_port(struct place *place, const char *text)
{
    const char *end;
    int32_t port = read_digits(text, PORT_DIGITS, &end);

    if (port <= 0 || port > UINT16_MAX || *end != '\0')
        return false;
    place->port = (uint16_t)port;
    return true;
}

static bool set_host(struct place *place, const char *host, size_t length)
{
    if (length >= PLACE_HOST_SIZE)
        return false;
    memcpy(place->host, host, length);
    place->host[length] = '\0';
    return place_host_valid(place->host);
}

bool place_read(struct place *place, const char *host, const char *port)
{
    return set_host(place, host, strlen(host)) && read_port(place, port);
}

/* Redis writes an IPv6 address without brackets here, so the port is behind the last colon. */
static bool read_endpoint(struct place *place, const char *text, const struct place *from)
{
    const char *colon = strrchr(text, ':');

    if (colon == NULL)
        return false;
    if (colon == text)
        memcpy(place->host, from->host, sizeof place->host);
    else if (!set_host(place, text, (size_t)(colon - text)))
        return false;
    return read_port(place, colon + 1);
}

enum redirect place_read_redirect(struct place *place, const char *text,
                                  const struct place *from)
{
    enum redirect redirect = REDIRECT_NONE;
    struct place read;

    if (strncmp(text, "MOVED ", 6) == 0)
        redirect = REDIRECT_MOVED;
    else if (strncmp(text, "ASK ", 4) == 0)
        redirect = REDIRECT_ASK;
    else
        return REDIRECT_NONE;
    if (read_digits(strchr(text, ' ') + 1, SLOT_DIGITS, &text) < 0 || *text != ' ' ||
        !read_endpoint(&read, text + 1, from))
        return REDIRECT_NONE;
    *place = read;
    return redirect;
}
