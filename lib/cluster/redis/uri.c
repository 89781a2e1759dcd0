/* uri.c: parses the URI with the addresses of Redis and our credentials. */
#include "cluster/redis/uri.h"

#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "base/digits.h"

enum {
    DEFAULT_PORT = 6379,
    DEFAULT_SENTINEL_PORT = 26379,
    DEFAULT_TIMEOUT_MS = 5000,
    MAX_TIMEOUT_MS = 3600000
};

const char uri_no_memory[] = "out of memory";

/* A part of the text that is still to be parsed. */
struct part {
    const char *at;
    const char *end;
};

/* The parts of the URI (RFC 3986, 3). The text is divided before anything is decoded, so that
 * %XX is never taken for a delimiter. */
struct parts {
    struct part credentials;
    struct part place; /* hosts and ports */
    struct part path;  /* including the '/' */
    struct part parameters;
    bool has_credentials;
};

static bool take(struct part *part, const char *prefix)
{
    size_t length = strlen(prefix);

    if ((size_t)(part->end - part->at) < length || memcmp(part->at, prefix, length) != 0)
        return false;
    part->at += length;
    return true;
}

/* Schemes are case-insensitive (RFC 3986, 3.1). */
static bool take_scheme(struct part *part, const char *scheme)
{
    size_t length = strlen(scheme);

    if (strncasecmp(part->at, scheme, length) != 0)
        return false;
    part->at += length;
    return true;
}

/* Takes the text up to and including the character at `found`; *before is the text before it. False
 * if `found` is NULL. */
static bool split_at(struct part *part, const char *found, struct part *before)
{
    if (found == NULL)
        return false;
    *before = (struct part){part->at, found};
    part->at = found + 1;
    return true;
}

static const char *find(const struct part *part, char character)
{
    return memchr(part->at, character, (size_t)(part->end - part->at));
}

static bool split(struct part *part, char at, struct part *before)
{
    return split_at(part, find(part, at), before);
}

static bool is_empty(const struct part *part)
{
    return part->at == part->end;
}

/* The credentials end at the last '@' of the authority. The authority ends before the first '/' or
 * '?': an '@' behind these belongs to the path or to a parameter. */
static void divide(struct part text, struct parts *parts)
{
    struct part before;

    *parts = (struct parts){.parameters = {text.end, text.end}};
    if (split(&text, '?', &before)) {
        parts->parameters = text;
        text = before;
    }
    parts->path = (struct part){find(&text, '/'), text.end};
    if (parts->path.at == NULL)
        parts->path.at = text.end;
    parts->place = (struct part){text.at, parts->path.at};
    parts->has_credentials =
        split_at(&parts->place, memrchr(text.at, '@', (size_t)(parts->path.at - text.at)),
                 &parts->credentials);
}

/* Decodes each %XX of the part once. Refuses control characters, including NUL. */
static const char *decode(const struct part *part, const ws_allocator *memory, char **text)
{
    char *out = memory_alloc(memory, (size_t)(part->end - part->at) + 1);

    *text = out;
    if (out == NULL)
        return uri_no_memory;
    for (const char *at = part->at; at < part->end; at++) {
        int byte = (unsigned char)*at;

        if (byte == '%') {
            byte = percent_encoded_byte(at, (size_t)(part->end - at));
            if (byte < 0)
                return "a '%' is not followed by two hexadecimal digits";
            at += 2;
        }
        if (byte < 0x20 || byte == 0x7f)
            return "the URI contains a control character";
        *out++ = (char)byte;
    }
    *out = '\0';
    return NULL;
}

/* Reads a number from `min` to `max` that consists of digits only. */
static bool read_number(const struct part *part, uint64_t min, uint64_t max, uint64_t *number)
{
    *number = 0;
    for (const char *at = part->at; at < part->end; at++) {
        if (*at < '0' || *at > '9' || *number > max)
            return false;
        *number = *number * 10 + (uint64_t)(*at - '0');
    }
    return !is_empty(part) && *number >= min && *number <= max;
}

/* --- the parts -------------------------------------------------------------------------------- */

static const char *read_credentials(struct uri *uri, const ws_allocator *memory,
                                    struct part *part)
{
    const char *error = NULL;
    struct part user;

    if (!split(part, ':', &user))
        return "the credentials have no ':' before the password";
    if (is_empty(&user) && is_empty(part))
        return "neither a user nor a password precedes the '@'";
    if (!is_empty(&user))
        error = decode(&user, memory, &uri->user);
    return error != NULL ? error : decode(part, memory, &uri->password);
}

static const char *read_timeout(struct uri *uri, const struct part *part)
{
    if (uri->timeout_ms != 0)
        return "a parameter occurs twice";
    return read_number(part, 1, MAX_TIMEOUT_MS, &uri->timeout_ms)
               ? NULL
               : "timeout_ms must be a number from 1 to 3600000";
}

static const char *read_text(const struct part *part, const ws_allocator *memory, char **text)
{
    if (*text != NULL)
        return "a parameter occurs twice";
    return is_empty(part) ? "a parameter is empty" : decode(part, memory, text);
}

static const char *read_parameter(struct uri *uri, const ws_allocator *memory,
                                  struct part *part)
{
    if (take(part, "timeout_ms="))
        return read_timeout(uri, part);
    if (uri->is_tls && take(part, "ca="))
        return read_text(part, memory, &uri->ca);
    if (uri->is_tls && take(part, "cert="))
        return read_text(part, memory, &uri->cert);
    if (uri->is_tls && take(part, "key="))
        return read_text(part, memory, &uri->key);
    if (uri->is_sentinel && take(part, "sentinel_user="))
        return read_text(part, memory, &uri->sentinel_user);
    if (uri->is_sentinel && take(part, "sentinel_password="))
        return read_text(part, memory, &uri->sentinel_password);
    return "unknown parameter (allowed: timeout_ms; with rediss ca, cert, key; with +sentinel "
           "sentinel_user, sentinel_password)";
}

static const char *read_parameters(struct uri *uri, const ws_allocator *memory,
                                   struct part *part)
{
    const char *error = NULL;
    struct part parameter;

    if (is_empty(part))
        return NULL;
    while (error == NULL && split(part, '&', &parameter))
        error = read_parameter(uri, memory, &parameter);
    if (error == NULL)
        error = read_parameter(uri, memory, part);
    if (error == NULL && (uri->cert == NULL) != (uri->key == NULL))
        error = "cert and key must be given together";
    if (error == NULL && uri->sentinel_user != NULL && uri->sentinel_password == NULL)
        error = "sentinel_user requires sentinel_password";
    return error;
}

/* Reads a host or the path of a socket, which must be shorter than `size` bytes. */
static const char *read_host(const struct part *part, const ws_allocator *memory, size_t size,
                             struct place *place)
{
    const char *error;
    char *text;

    error = decode(part, memory, &text);
    if (error == NULL && strlen(text) >= size)
        error = "a host name is longer than 255 bytes, or the path of a socket longer than 107";
    if (error == NULL)
        strcpy(place->host, text);
    memory_free(memory, text);
    return error;
}

static const char *read_ipv6(struct place *place, const ws_allocator *memory, struct part *part)
{
    struct part address;
    const char *error;

    if (!split(part, ']', &address))
        return "an IPv6 address has no ']' at its end";
    if (!is_empty(part) && *part->at != ':')
        return "only a port may follow an IPv6 address";
    error = read_host(&address, memory, sizeof place->host, place);
    if (error == NULL && (strchr(place->host, ':') == NULL || !place_host_valid(place->host)))
        error = "the text in brackets is not an IPv6 address";
    return error;
}

static const char *read_name(struct place *place, const ws_allocator *memory, struct part *part)
{
    const char *colon = find(part, ':');
    struct part name = {part->at, colon != NULL ? colon : part->end};
    const char *error;

    part->at = name.end;
    if (colon != NULL && memrchr(colon, ':', (size_t)(part->end - colon)) != colon)
        return "a host contains more than one ':' (write an IPv6 address in brackets)";
    if (is_empty(&name))
        return "a host is missing";
    error = read_host(&name, memory, sizeof place->host, place);
    if (error == NULL && (strchr(place->host, ':') != NULL || !place_host_valid(place->host)))
        error = "a host name may contain only letters, digits, '-', '.' and '_'";
    return error;
}

static const char *read_place(struct uri *uri, const ws_allocator *memory, struct part *part)
{
    struct place *place = &uri->hosts[uri->n_hosts];
    uint64_t port = uri->is_sentinel ? DEFAULT_SENTINEL_PORT : DEFAULT_PORT;
    const char *error;

    if (uri->n_hosts == URI_MAX_HOSTS)
        return "more than 16 hosts are given";
    error = take(part, "[") ? read_ipv6(place, memory, part) : read_name(place, memory, part);
    if (error != NULL)
        return error;
    if (take(part, ":") && !is_empty(part) && !read_number(part, 1, UINT16_MAX, &port))
        return "the port must be a number from 1 to 65535";
    place->port = (uint16_t)port;
    uri->n_hosts++;
    return NULL;
}

static const char *read_places(struct uri *uri, const ws_allocator *memory, struct part *part)
{
    const char *error = NULL;
    struct part place;

    while (error == NULL && split(part, ',', &place))
        error = read_place(uri, memory, &place);
    return error != NULL ? error : read_place(uri, memory, part);
}

static const char *read_master(struct uri *uri, const ws_allocator *memory, struct part *part)
{
    const char *slash;
    struct part name;

    take(part, "/");
    slash = find(part, '/');
    name = (struct part){part->at, slash != NULL ? slash : part->end};
    part->at = name.end;
    return is_empty(&name) ? "the master's name is missing (write /NAME after the sentinels)"
                           : decode(&name, memory, &uri->master);
}

/* Redis refuses a number with a leading 0. */
static const char *read_database(struct uri *uri, const ws_allocator *memory, struct part *part)
{
    uint64_t number;

    take(part, "/");
    if (is_empty(part))
        return NULL;
    if (!read_number(part, 0, INT32_MAX, &number) ||
        (part->end - part->at > 1 && *part->at == '0'))
        return "the database must be a number without a leading 0";
    return decode(part, memory, &uri->database);
}

/* hiredis would truncate a longer path and connect to another socket. */
static const char *read_socket(struct uri *uri, const ws_allocator *memory,
                               const struct parts *parts)
{
    if (!is_empty(&parts->place))
        return "redis+unix:// takes an absolute path and no host";
    if (is_empty(&parts->path))
        return "the absolute path of the socket is missing";
    uri->n_hosts = 1;
    return read_host(&parts->path, memory, sizeof((struct sockaddr_un *)0)->sun_path,
                     &uri->hosts[0]);
}

static const char *read_parts(struct uri *uri, const ws_allocator *memory, struct parts *parts)
{
    const char *error = NULL;

    if (parts->has_credentials)
        error = read_credentials(uri, memory, &parts->credentials);
    if (error == NULL && uri->is_unix)
        return read_socket(uri, memory, parts);
    if (error == NULL && find(&parts->path, '@') != NULL)
        return "an '@' follows a '/' (write a '/' in a password as %2F)";
    if (error == NULL)
        error = read_places(uri, memory, &parts->place);
    if (error == NULL && uri->is_sentinel)
        error = read_master(uri, memory, &parts->path);
    return error != NULL ? error : read_database(uri, memory, &parts->path);
}

static bool read_scheme(struct uri *uri, struct part *part)
{
    uri->is_tls = take_scheme(part, "rediss");
    if (!uri->is_tls && !take_scheme(part, "redis"))
        return false;
    uri->is_sentinel = take_scheme(part, "+sentinel");
    uri->is_unix = !uri->is_tls && take_scheme(part, "+unix");
    return take(part, "://") && !(uri->is_sentinel && uri->is_unix);
}

const char *uri_read(struct uri *uri, const ws_allocator *memory, const char *text)
{
    struct part rest = {text, text + strlen(text)};
    struct parts parts;
    const char *error;

    *uri = (struct uri){0};
    if (!read_scheme(uri, &rest))
        return "the URI must begin with redis://, rediss://, redis+unix://, redis+sentinel:// "
               "or "
               "rediss+sentinel://";
    if (find(&rest, '#') != NULL)
        return "the URI contains a '#' (write it as %23 in a password or path)";
    divide(rest, &parts);
    error = read_parts(uri, memory, &parts);
    if (error == NULL)
        error = read_parameters(uri, memory, &parts.parameters);
    if (uri->timeout_ms == 0)
        uri->timeout_ms = DEFAULT_TIMEOUT_MS;
    return error;
}

void uri_free(struct uri *uri, const ws_allocator *memory)
{
    memory_free(memory, uri->user);
    memory_free(memory, uri->password);
    memory_free(memory, uri->database);
    memory_free(memory, uri->master);
    memory_free(memory, uri->sentinel_user);
    memory_free(memory, uri->sentinel_password);
    memory_free(memory, uri->ca);
    memory_free(memory, uri->cert);
    memory_free(memory, uri->key);
    *uri = (struct uri){0};
}
