/* forwarded.c: the client of a request according to the proxies on its way: X-Forwarded-For and
 * X-Forwarded-Proto, or Forwarded (RFC 7239). PROXY headers are in proxy_header.c. */
#include "server/parts/forwarded.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "server/parts/text.h"

/* A part of a header's value. */
struct part {
    const char *start;
    size_t length;
};

static const char blanks[] = " \t";

static struct part trim(const char *start, const char *end)
{
    while (start < end && strchr(blanks, *start) != NULL)
        start++;
    while (end > start && strchr(blanks, end[-1]) != NULL)
        end--;
    return (struct part){start, (size_t)(end - start)};
}

static bool equals(struct part part, const char *text)
{
    return part.length == strlen(text) && strncasecmp(part.start, text, part.length) == 0;
}

static const char *known_scheme(struct part part)
{
    if (equals(part, "https"))
        return "https";
    return equals(part, "http") ? "http" : NULL;
}

/* The next separator outside quoted strings (RFC 9110 §5.6.4), or the final NUL. NULL if a quoted
 * string is not terminated. */
static const char *find_separator(const char *at, char separator)
{
    bool is_quoted = false;

    for (; *at != '\0' && (is_quoted || *at != separator); at++)
        if (*at == '"')
            is_quoted = !is_quoted;
        else if (is_quoted && *at == '\\' && at[1] != '\0')
            at++;
    return is_quoted ? NULL : at;
}

/* The next comma, or the end. X-Forwarded-For and -Proto have no quoted strings. */
static const char *find_comma(const char *at)
{
    return at + strcspn(at, ",");
}

/* The last parts of a list, read from its end. */
struct parts {
    struct part ring[FORWARDED_MOST_PROXIES];
    size_t count; /* of all */
    size_t left;  /* in the ring */
};

/* Empty parts do not count (RFC 9110 §5.6.1). False if the list ends inside a quoted string,
 * which may include what a proxy wrote. */
static bool split(struct parts *parts, const char *list, bool has_quotes)
{
    *parts = (struct parts){0};
    for (;;) {
        const char *end = has_quotes ? find_separator(list, ',') : find_comma(list);
        struct part part;

        if (end == NULL)
            return false;
        part = trim(list, end);
        if (part.length > 0)
            parts->ring[parts->count++ % FORWARDED_MOST_PROXIES] = part;
        if (*end == '\0')
            break;
        list = end + 1;
    }
    parts->left =
        parts->count < FORWARDED_MOST_PROXIES ? parts->count : (size_t)FORWARDED_MOST_PROXIES;
    return true;
}

static struct part take_last(struct parts *parts)
{
    parts->left--;
    return parts->ring[--parts->count % FORWARDED_MOST_PROXIES];
}

static bool is_port(struct part part)
{
    char port[8];
    int64_t number;

    if (part.length >= sizeof port)
        return false;
    memcpy(port, part.start, part.length);
    port[part.length] = '\0';
    return text_parse_number(port, 0, UINT16_MAX, &number);
}

/* 192.0.2.1, 192.0.2.1:80, [2001:db8::1], [2001:db8::1]:80, and 2001:db8::1 as in
 * X-Forwarded-For. False for "unknown" and for obfuscated names (RFC 7239 §6.3). */
static bool parse_node(struct part node, struct in6_addr *address)
{
    const char *end = node.start + node.length;
    const char *colon = memchr(node.start, ':', node.length);
    const char *rest;

    if (node.length > 0 && node.start[0] == '[') {
        rest = memchr(node.start, ']', node.length);
        if (rest == NULL || colon == NULL || colon > rest ||
            !address_parse(node.start + 1, (size_t)(rest - node.start) - 1, address))
            return false;
        rest++;
    } else if (colon != NULL && memchr(colon + 1, ':', (size_t)(end - colon) - 1) == NULL) {
        rest = colon;
        if (!address_parse(node.start, (size_t)(colon - node.start), address))
            return false;
    } else {
        return address_parse(node.start, node.length, address);
    }
    return rest == end ||
           (*rest == ':' && is_port((struct part){rest + 1, (size_t)(end - rest) - 1}));
}

/* Steps back to the client that is named, if one is. */
static void step(const struct forwarded *forwarded, struct forwarded_way *way, struct part node)
{
    struct in6_addr address;

    way->n_steps++;
    if (!parse_node(node, &address)) {
        way->is_at_end = true;
        return;
    }
    way->reached = address;
    way->is_at_end = !address_ranges_contain(forwarded->trusted, &address);
}

static void take_list(struct forwarded *forwarded, const char *value)
{
    struct parts parts;

    split(&parts, value, false);
    forwarded->listed.is_given = true;
    while (parts.left > 0 && !forwarded->listed.is_at_end)
        step(forwarded, &forwarded->listed, take_last(&parts));
}

static void take_schemes(struct forwarded *forwarded, const char *value)
{
    struct parts parts;

    split(&parts, value, false);
    while (parts.left > 0 && forwarded->n_schemes < FORWARDED_MOST_PROXIES)
        forwarded->schemes[forwarded->n_schemes++] = known_scheme(take_last(&parts));
}

/* The value of a parameter, which may be quoted. No address needs a backslash, so a value with
 * one is not an address. */
static struct part unquote(struct part value)
{
    if (value.length >= 2 && value.start[0] == '"' && value.start[value.length - 1] == '"')
        return (struct part){value.start + 1, value.length - 2};
    return value;
}

/* for=192.0.2.1;proto=https;by=203.0.113.43, with each parameter once (RFC 7239 §4). */
static void take_element(struct forwarded *forwarded, struct part element)
{
    const char *end = element.start + element.length;
    struct part node = {"", 0};
    const char *scheme = NULL;
    unsigned n_nodes = 0;

    for (const char *at = element.start; at < end;) {
        const char *next = find_separator(at, ';');
        const char *equal_sign;

        next = next != NULL && next < end ? next : end;
        equal_sign = memchr(at, '=', (size_t)(next - at));
        if (equal_sign != NULL) {
            struct part name = trim(at, equal_sign);
            struct part value = unquote(trim(equal_sign + 1, next));

            if (equals(name, "for")) {
                node = value;
                n_nodes++;
            } else if (equals(name, "proto")) {
                scheme = known_scheme(value);
            }
        }
        at = next + 1;
    }
    forwarded->element_scheme = scheme;
    step(forwarded, &forwarded->elements, n_nodes == 1 ? node : (struct part){"", 0});
}

static void take_elements(struct forwarded *forwarded, const char *value)
{
    struct parts parts;

    forwarded->elements.is_given = true;
    if (!split(&parts, value, true)) {
        forwarded->is_unreadable = true;
        return;
    }
    while (parts.left > 0 && !forwarded->elements.is_at_end)
        take_element(forwarded, take_last(&parts));
}

void forwarded_begin(struct forwarded *forwarded, const struct address_ranges *trusted,
                     const struct in6_addr *peer)
{
    *forwarded = (struct forwarded){
        .trusted = trusted, .listed.reached = *peer, .elements.reached = *peer};
}

void forwarded_take(struct forwarded *forwarded, const char *name, const char *value)
{
    if (strcasecmp(name, "X-Forwarded-For") == 0)
        take_list(forwarded, value);
    else if (strcasecmp(name, "Forwarded") == 0)
        take_elements(forwarded, value);
    else if (strcasecmp(name, "X-Forwarded-Proto") == 0)
        take_schemes(forwarded, value);
}

static const char *listed_scheme(const struct forwarded *forwarded)
{
    size_t n_schemes = forwarded->n_schemes;
    size_t n_steps = forwarded->listed.n_steps;
    size_t place = n_steps > 0 ? n_steps - 1 : 0;

    if (n_schemes == 0)
        return NULL;
    /* With one scheme for each proxy, that of the proxy reached counts. A single scheme is for
     * all. */
    return forwarded->schemes[place < n_schemes ? place : n_schemes - 1];
}

enum forwarded_result forwarded_end(const struct forwarded *forwarded, struct in6_addr *client,
                                    const char **scheme)
{
    const struct forwarded_way *listed = &forwarded->listed;
    const struct forwarded_way *elements = &forwarded->elements;
    bool is_by_elements = elements->is_given && !listed->is_given;

    if (forwarded->is_unreadable)
        return FORWARDED_UNREADABLE;
    if (listed->is_given && elements->is_given &&
        memcmp(&listed->reached, &elements->reached, sizeof listed->reached) != 0)
        return FORWARDED_CONTRADICTED;
    *client = is_by_elements ? elements->reached : listed->reached;
    *scheme = is_by_elements ? forwarded->element_scheme : listed_scheme(forwarded);
    return FORWARDED_READ;
}
